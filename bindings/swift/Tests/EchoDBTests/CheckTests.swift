import EchoDB
import Foundation
import XCTest

/// Checking what is stored of a space, making it again, and the bound of memory.
final class CheckTests: XCTestCase {
    func testASoundSpaceHasNoFindings() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("Note", ["n": 1])
            let quick = try await space.check()
            XCTAssertEqual(quick.findings, [])
            XCTAssertEqual(quick.objects, 0)
            let full = try await space.check(full: true)
            XCTAssertEqual(full.findings, [])
            XCTAssertEqual(full.moreFindings, 0)
            XCTAssertGreaterThanOrEqual(full.objects, 1)
            XCTAssertGreaterThan(full.entries, 0)
            let repaired = try await space.repair()
            XCTAssertEqual(repaired.entries, full.entries)
            XCTAssertEqual(repaired.lostEntries, 0)
            XCTAssertEqual(repaired.lost, [])
            XCTAssertEqual(repaired.damagedBlocks, 0)
            XCTAssertEqual(repaired.incompleteBlobs, [])
            XCTAssertNil(repaired.keptFile)
            let note = try await space.get(id)
            XCTAssertEqual(note?.fields["n"], 1)
        }
    }

    func testTheBoundOfMemory() async throws {
        for wrong: UInt64 in [0, 1000] {
            await failure(.invalidArgument) {
                try await Client.open(isOnline: false, cacheBytes: wrong)
            }
        }
        let client = try await Client.open(isOnline: false, cacheBytes: 4 << 20)
        try await client.shutdown()
    }
}
