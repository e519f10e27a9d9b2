import EchoDB
import Foundation
import XCTest

/// Clients: opened, closed, locked; errors; the log.
final class ClientTests: XCTestCase {
    func testAProfileLasts() async throws {
        let profile = try temporaryFolder(self).appendingPathComponent("profile")
        var client = try await Client.open(profile: profile, isOnline: false)
        XCTAssertNil(client.identity)
        let made = try await client.createIdentity(displayName: "Ada")
        XCTAssertEqual(client.identity, made)
        XCTAssertEqual(made.displayName, "Ada")
        let space = try await client.createSpace(name: "Notes", properties: ["icon": "📓"])
        let id = try await space.create("Note", ["t": "kept"])
        let standard = try await client.defaultSpace()
        XCTAssertNotEqual(standard.id, space.id)
        try await client.shutdown()
        try await client.shutdown()
        client = try await Client.open(profile: profile, isOnline: false)
        XCTAssertEqual(client.identity, made)
        let infos = try await client.spaces()
        XCTAssertEqual(infos.map(\.isDefault), [true, false])
        XCTAssertEqual(infos.map(\.name), ["default", "Notes"])
        let again = try await client.space(space.id)
        let kept = try await again.get(id)?["t"]
        XCTAssertEqual(kept, "kept")
        try await client.deleteSpace(space.id)
        let left = try await client.spaces()
        XCTAssertEqual(left.count, 1)
        await failure(.notFound) { [client] in try await client.space(space.id) }
        await failure(.invalidArgument) { [client] in
            try await client.deleteSpace(standard.id)
        }
        try await client.shutdown()
    }

    func testAProfileIsLocked() async throws {
        let profile = try temporaryFolder(self)
        let client = try await Client.open(profile: profile, isOnline: false)
        let error = await failure(.invalidState) {
            try await Client.open(profile: profile, isOnline: false)
        }
        XCTAssertEqual(error?.status, .profileLocked)
        XCTAssertEqual(error?.isRetryable, true)
        try await client.shutdown()
        try await Client.open(profile: profile, isOnline: false).shutdown()
    }

    func testReleaseEndsAClient() async throws {
        let profile = try temporaryFolder(self)
        func use() async throws {
            let client = try await Client.open(profile: profile, isOnline: false)
            try await client.createIdentity(displayName: "Ada")
        }
        try await use()
        try await until {
            guard let client = try? await Client.open(profile: profile, isOnline: false) else {
                return false
            }
            XCTAssertEqual(client.identity?.displayName, "Ada")
            try await client.shutdown()
            return true
        }
    }

    func testProgramsThatForgetToShutDownEndWell() async throws {
        let profile = try temporaryFolder(self)
        for _ in 0..<10 {
            let printed = try await output(of: "Forgetful", profile.path)
            XCTAssertEqual(printed, "")
        }
        let client = try await Client.open(profile: profile, isOnline: false)
        let notes = try await client.defaultSpace().query(type: "Note")
        XCTAssertEqual(notes.count, 200)
        try await client.shutdown()
    }

    func testErrorsAreTyped() async throws {
        let client = try await Client.open(isOnline: false)
        await failure(.invalidState) { try await client.createSpace(name: "early") }
        try await client.createIdentity(displayName: "Ada")
        let error = await failure(.alreadyExists) {
            try await client.createIdentity(displayName: "Ada")
        }
        XCTAssertEqual(error?.status, .alreadyExists)
        XCTAssertEqual(error?.isRetryable, false)
        XCTAssertEqual(error?.localizedDescription, error?.detail)
        XCTAssertEqual(error.map { "\($0)" }, error?.detail)
        let space = try await client.defaultSpace()
        await failure(.invalidArgument) { try await space.get("short") }
        await failure(.invalidArgument) {
            try await space.create(String(repeating: "x", count: 257), [:])
        }
        await failure(.notFound) {
            try await space.update(String(repeating: "0", count: 26), [:])
        }
        await failure(.invitationRefused) { try await client.join("not a code") }
        await failure(.invalidArgument) { try await client.join("x", timeout: .seconds(-1)) }
        await failure(.invalidArgument) { try await space.invite(lifetime: .seconds(-1)) }
        await failure(.invalidArgument) { try await Client.open(coalescing: .seconds(-1)) }
        await failure(.invalidArgument) { try await Client.open(coalescing: .seconds(2)) }
        await failure(.invalidArgument) { try await Client.open(signaling: ["not a server"]) }
        await failure(.invalidArgument) {
            try await Client.open(profile: URL(string: "https://example.org/profile"))
        }
        try await client.shutdown()
    }

    func testCallsAfterShutdown() async throws {
        let notebook = try await Notebook()
        let (client, space) = (notebook.client, notebook.space)
        let id = try await space.create(nil, ["t": .text("")])
        let open = space.transaction()
        try open.update(id, ["n": 1])
        try await client.shutdown()
        await failure(.invalidState) { try await client.createSpace() }
        await failure(.invalidState) { try await client.spaces() }
        await failure(.invalidState) { try await client.defaultSpace() }
        await failure(.invalidState) { try await client.setOnline(true) }
        await failure(.invalidState) { try await space.get(id) }
        await failure(.invalidState) { try await space.query() }
        await failure(.invalidState) { try await space.spliceText(id, "t", at: 0, insert: "x") }
        await failure(.invalidState) { try await space.digest() }
        await failure(.invalidState) { try await space.invite() }
        await failure(.invalidState) { try await open.commit() }
        XCTAssertEqual(space.id.count, 52)
        XCTAssertFalse(client.status.isOnline)
        XCTAssertEqual(client.identity?.displayName, "Ada")
    }

    func testStatusAndGoingOffline() async throws {
        let client = try await Client.open()
        XCTAssertTrue(client.status.isOnline)
        try await client.setOnline(false)
        XCTAssertFalse(client.status.isOnline)
        XCTAssertEqual(client.status.peers, 0)
        XCTAssertEqual(client.status.signaling, [])
        try await client.shutdown()
    }

    func testDamagedProfilesAreRefusedUntouched() async throws {
        let profile = try temporaryFolder(self)
        let file = profile.appendingPathComponent("profile.sqlite")
        let damaged = Data(String(repeating: "not a database, but long enough ", count: 9).utf8)
        try damaged.write(to: file)
        let error = await failure(.storage) {
            try await Client.open(profile: profile, isOnline: false)
        }
        XCTAssertEqual(error?.status, .corrupt)
        XCTAssertEqual(try Data(contentsOf: file), damaged)
    }

    func testTheVersion() {
        XCTAssertEqual(libraryVersion.split(separator: ".").count, 3)
    }
}
