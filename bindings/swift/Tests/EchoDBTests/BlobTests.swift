import EchoDB
import Foundation
import XCTest

/// Blobs: written, read, named by objects, collected, waited for.
final class BlobTests: XCTestCase {
    /// A well-formed id of which nobody has anything.
    private let absent = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq"

    func testWrittenAndRead() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let bytes = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
            let info = try await space.putBlob(bytes)
            XCTAssertEqual(info.id.count, 52)
            XCTAssertEqual(info.size, 200_000)
            XCTAssertEqual(info.held, 200_000)
            XCTAssertTrue(info.isWhole)
            XCTAssertFalse(info.isReferenced)
            XCTAssertEqual(info.ref, BlobRef(id: info.id, size: 200_000))
            let whole = try await space.readBlob(info.id)
            XCTAssertEqual(whole, bytes)
            let part = try await space.readBlob(info.id, offset: 70_001, length: 5)
            XCTAssertEqual(part, bytes[70_001..<70_006])
            let end = try await space.readBlob(info.id, offset: 199_999, length: 100)
            XCTAssertEqual(end, bytes.suffix(1))
            let none = try await space.readBlob(info.id, offset: 3, length: 0)
            XCTAssertEqual(none, Data())
            let again = try await space.putBlob(bytes)
            XCTAssertEqual(again.id, info.id)
            let blobs = try await space.blobs()
            XCTAssertEqual(blobs, [info])
            let found = try await space.blobInfo(info.id)
            XCTAssertEqual(found, info)
            let nothing = try await space.blobInfo(absent)
            XCTAssertNil(nothing)
            let empty = try await space.putBlob(Data())
            let noBytes = try await space.readBlob(empty.id)
            XCTAssertEqual(noBytes, Data())
        }
    }

    func testLargerThanOnePiece() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let bytes = Data(repeating: 7, count: (16 << 20) + 3)
            let info = try await space.putBlob(bytes)
            let whole = try await space.readBlob(info.id)
            XCTAssertEqual(whole, bytes)
            let most = try await space.readBlob(info.id, offset: 1, length: (16 << 20) + 1)
            XCTAssertEqual(most.count, (16 << 20) + 1)
        }
    }

    func testPieces() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let writer = try await space.blobWriter()
            let piece = Data(repeating: 7, count: 50_000)
            for _ in 0..<4 { try await writer.write(piece) }
            try await writer.write(Data())
            XCTAssertEqual(writer.size, 200_000)
            let info = try await writer.finish()
            XCTAssertEqual(writer.size, 0)
            let same = try await space.putBlob(Data(repeating: 7, count: 200_000))
            XCTAssertEqual(info.id, same.id)
            await failure(.invalidState) { try await writer.write(piece) }
            await failure(.invalidState) { try await writer.finish() }
            writer.cancel()
            let cancelled = try await space.blobWriter()
            try await cancelled.write(Data([1]))
            cancelled.cancel()
            await failure(.invalidState) { try await cancelled.finish() }
            let blobs = try await space.blobs()
            XCTAssertEqual(blobs.count, 1)
        }
    }

    func testNamedByAnObject() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let kept = try await space.putBlob(Data("kept".utf8))
            let lost = try await space.putBlob(Data("lost".utf8))
            let id = try await space.create(
                "File", ["file": .blob(kept.ref), "all": .list([Value(kept.ref)])])
            let object = try await space.get(id)
            XCTAssertEqual(object?["file"], .blob(kept.ref))
            XCTAssertEqual(object?["file"]?.blobValue?.id, kept.id)
            XCTAssertEqual(object?["all"]?[0]?.blobValue?.size, 4)
            XCTAssertNil(object?["all"]?.blobValue)
            let queried = try await space.query(where: Field("file") == kept.ref)
            XCTAssertEqual(queried.map(\.id), [id])
            let early = try await space.collectBlobs()
            XCTAssertEqual(early.blobs, 0)
            let collected = try await space.collectBlobs(grace: .zero)
            XCTAssertEqual(collected.blobs, 1)
            XCTAssertGreaterThan(collected.bytes, 0)
            let info = try await space.blobInfo(kept.id)
            XCTAssertEqual(info?.isReferenced, true)
            let gone = try await space.blobInfo(lost.id)
            XCTAssertNil(gone)
            try await space.delete(id)
            let rest = try await space.collectBlobs(grace: .zero)
            XCTAssertEqual(rest.blobs, 1)
        }
    }

    func testFiles() async throws {
        let folder = try temporaryFolder(self)
        try await Notebook.with { notebook in
            let space = notebook.space
            let (from, to) = (folder.appendingPathComponent("from"), folder.appendingPathComponent("to"))
            let bytes = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0) })
            try bytes.write(to: from)
            let info = try await space.putBlob(contentsOf: from)
            try await space.writeBlob(info.id, to: to)
            XCTAssertEqual(try Data(contentsOf: to), bytes)
            await failure(.notFound) { try await space.writeBlob(self.absent, to: to) }
            XCTAssertEqual(try Data(contentsOf: to), bytes)
            await failure(.notFound) {
                try await space.putBlob(contentsOf: folder.appendingPathComponent("none"))
            }
            let web = try XCTUnwrap(URL(string: "https://example.org/x"))
            await failure(.invalidArgument) { try await space.putBlob(contentsOf: web) }
            await failure(.invalidArgument) { try await space.writeBlob(info.id, to: web) }
        }
    }

    func testWhatMakesNoSense() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let info = try await space.putBlob(Data([1]))
            await failure(.invalidArgument) { try await space.readBlob("short") }
            await failure(.invalidArgument) { try await space.readBlob(info.id, offset: -1) }
            await failure(.invalidArgument) { try await space.readBlob(info.id, length: -1) }
            await failure(.invalidArgument) { try await space.blobInfo("short") }
            await failure(.invalidArgument) { try await space.fetchBlob("short") }
            await failure(.invalidArgument) { try await space.collectBlobs(grace: .seconds(-1)) }
            await failure(.notFound) { try await space.readBlob(self.absent) }
            await failure(.invalidArgument) {
                try await space.create("File", ["f": .blob(BlobRef(id: "short", size: 1))])
            }
            try await notebook.client.shutdown()
            await failure(.invalidState) { try await space.putBlob(Data([1])) }
            await failure(.invalidState) { try await space.blobWriter() }
        }
    }

    func testWaitedFor() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let fetch = try await space.fetchBlob(absent)
            XCTAssertEqual(fetch.id, absent)
            XCTAssertEqual(fetch.progress.state, .fetching)
            XCTAssertEqual(fetch.progress.received, 0)
            XCTAssertNil(fetch.progress.total)
            XCTAssertNil(fetch.progress.status)
            await failure(.network) { try await fetch.wait(timeout: .milliseconds(20)) }
            await failure(.invalidArgument) { try await fetch.wait(timeout: .seconds(-1)) }
            // A wait that is given up leaves the fetch as it is.
            let given = Task { try await fetch.wait() }
            let limited = Task { try await fetch.wait(timeout: .seconds(60)) }
            try await Task.sleep(for: .milliseconds(20))
            for task in [given, limited] {
                task.cancel()
                let outcome = await task.result
                XCTAssertThrowsError(try outcome.get()) {
                    XCTAssertTrue($0 is CancellationError, "\($0)")
                }
            }
            XCTAssertFalse(fetch.progress.state.isFinal)
            let seen = Collected<BlobFetchState>()
            let subscription = fetch.subscribe { seen.append($0.state) }
            let following = Task {
                var states: [BlobFetchState] = []
                for await progress in fetch.updates { states.append(progress.state) }
                return states
            }
            let waiting = Task { try await fetch.wait() }
            try await until { seen.items == [.fetching] }
            fetch.cancel()
            fetch.cancel()
            await failure(.cancelled) { try await soon { try await waiting.value } }
            let states = try await soon { await following.value }
            XCTAssertEqual(states.last, .cancelled)
            try await until { seen.items.last == .cancelled }
            subscription.cancel()
            await failure(.cancelled) { try await fetch.wait() }
        }
    }

    func testShutdownEndsAWait() async throws {
        try await Notebook.with { notebook in
            let fetch = try await notebook.space.fetchBlob(absent)
            let waiting = Task { try await fetch.wait() }
            let following = Task { for await _ in fetch.updates {} }
            try await Task.sleep(for: .milliseconds(20))
            try await notebook.client.shutdown()
            try await soon { await following.value }
            await failure(.cancelled) { try await soon { try await waiting.value } }
        }
    }
}
