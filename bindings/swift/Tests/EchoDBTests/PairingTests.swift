import EchoDB
import Foundation
import XCTest

/// Two clients over a real signalling server: paired, in step, offline and back.
final class PairingTests: XCTestCase {
    /// A host with a space, and a guest.
    private struct Two {
        let ada: Client
        let bob: Client
        let space: Space

        /// Both sides up to where the authorization code is asked for.
        func meet() async throws -> (host: Invitation, guest: Invitation, authCode: String) {
            let host = try await space.invite()
            let guest = try await bob.join(host.code)
            async let shown = soon { try await host.waitForAuthCode() }
            async let asked = soon { try await guest.wait(for: .readyForAuthentication) }
            let (authCode, update) = try await (shown, asked)
            XCTAssertEqual(authCode.count, 6)
            XCTAssertEqual(host.authCode, authCode)
            XCTAssertEqual(update.peerName, "Ada")
            return (host, guest, authCode)
        }

        func pair() async throws -> Space {
            let (host, guest, authCode) = try await meet()
            try guest.authenticate(authCode)
            async let here = soon { try await host.wait() }
            async let there = soon { try await guest.wait() }
            let ids = try await [here, there]
            XCTAssertEqual(ids, [space.id, space.id])
            return try await bob.space(ids[1])
        }

        func same(_ copy: Space) async throws {
            try await until { try await copy.digest() == space.digest() }
        }
    }

    private func withTwo(_ body: (Two) async throws -> Void) async throws {
        let server = try await SignalingServer()
        func open(_ name: String) async throws -> Client {
            let client = try await Client.open(signaling: [server.url], bind: ["127.0.0.1:0"])
            try await client.createIdentity(displayName: name)
            return client
        }
        let (ada, bob) = (try await open("Ada"), try await open("Bob"))
        let space = try await ada.createSpace(name: "Notes")
        do {
            try await body(Two(ada: ada, bob: bob, space: space))
        } catch {
            try? await ada.shutdown()
            try? await bob.shutdown()
            try? await server.stop()
            throw error
        }
        try await ada.shutdown()
        try await bob.shutdown()
        try await server.stop()
    }

    func testLiveBothWays() async throws {
        try await withTwo { two in
            let space = two.space
            let id = try await space.create("Note", ["t": .text("héllo")])
            let copy = try await two.pair()
            try await two.same(copy)
            let arrived = try await copy.get(id)?["t"]
            XCTAssertEqual(arrived, .text("héllo"))
            let changes = try await space.changes()
            try await copy.spliceText(id, "t", at: 1, delete: 1, insert: "e😀")
            let batch = try await soon {
                for await batch in changes { return batch }
                throw Stuck()
            }
            XCTAssertEqual(batch.changes.map(\.id), [id])
            XCTAssertEqual(batch.changes.map(\.origin), [.remote])
            let text = try await space.text(id, "t")
            XCTAssertEqual(text, "he😀llo")
            let names = try await copy.members().map(\.displayName)
            XCTAssertEqual(Set(names), ["Ada", "Bob"])
            try await until {
                let peers = try await space.status().peers
                return peers.map(\.name) == ["Bob"] && peers.allSatisfy(\.isInSync)
            }
            let status = two.ada.status
            XCTAssertEqual(status.peers, 1)
            XCTAssertGreaterThan(status.bytesSent, 0)
            XCTAssertGreaterThan(status.bytesReceived, 0)
            XCTAssertEqual(status.signaling.map(\.isConnected), [true])
        }
    }

    func testBlobsAreFetched() async throws {
        try await withTwo { two in
            let space = two.space
            let bytes = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 11) })
            let blob = try await space.putBlob(bytes)
            let id = try await space.create("Photo", ["image": .blob(blob.ref)])
            let copy = try await two.pair()
            try await two.same(copy)
            let named = try await copy.get(id)?["image"]?.blobValue
            XCTAssertEqual(named, blob.ref)
            let fetch = try await copy.fetchBlob(blob.id)
            let progress = try await soon {
                var last: BlobProgress?
                for await progress in fetch.updates { last = progress }
                return last
            }
            XCTAssertEqual(progress?.state, .done)
            XCTAssertEqual(progress?.received, 3_000_000)
            XCTAssertEqual(progress?.total, 3_000_000)
            let outcome = try await fetch.wait(timeout: .seconds(1))
            XCTAssertEqual(outcome, progress)
            let arrived = try await copy.readBlob(blob.id)
            XCTAssertEqual(arrived, bytes)
            // Of what nobody has, who is connected says so.
            let absent = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq"
            let vain = try await copy.fetchBlob(absent)
            try await until { vain.progress.peers == 1 }
            await failure(.notFound) { try await vain.wait(timeout: .milliseconds(500)) }
            vain.cancel()
        }
    }

    func testALiveQueryFollowsAPeer() async throws {
        try await withTwo { two in
            let space = two.space
            let copy = try await two.pair()
            let lists = Collected<[String]>()
            let live = try await copy.live(type: "Note", order: [.ascending("n")])
            let following = Task {
                for try await list in live.results { lists.append(list.map(\.id)) }
            }
            let second = try await space.create("Note", ["n": 2])
            let first = try await space.create("Note", ["n": 1])
            try await until { lists.items.last == [first, second] }
            try await space.update(first, ["n": 3])
            try await until { lists.items.last == [second, first] }
            live.cancel()
            try await soon { try await following.value }
        }
    }

    func testOfflineEditsMerge() async throws {
        try await withTwo { two in
            let space = two.space
            let id = try await space.create("Note", ["t": .text("ab"), "n": .counter(0)])
            let copy = try await two.pair()
            try await two.same(copy)
            try await two.bob.setOnline(false)
            try await space.spliceText(id, "t", at: 0, insert: "<")
            try await copy.spliceText(id, "t", at: 2, insert: ">")
            try await space.transaction { try $0.increment(id, "n", 2) }
            try await copy.transaction { try $0.increment(id, "n", 3) }
            try await copy.create("Note", ["t": "made offline"])
            try await space.flush()
            try await copy.flush()
            let (here, there) = (try await space.digest(), try await copy.digest())
            XCTAssertNotEqual(here, there)
            try await two.bob.setOnline(true)
            try await two.same(copy)
            let (ours, theirs) = (try await space.get(id), try await copy.get(id))
            XCTAssertEqual(ours, theirs)
            XCTAssertEqual(ours?.fields, ["t": .text("<ab>"), "n": .counter(5)])
            let all = try await space.query()
            XCTAssertEqual(all.count, 2)
        }
    }

    func testWrongCodes() async throws {
        try await withTwo { two in
            let (host, guest, authCode) = try await two.meet()
            await failure(.invalidArgument) { try guest.authenticate("12") }
            let wrong = String(format: "%06d", (Int(authCode)! + 1) % 1_000_000)
            let attempts = host.update.attemptsLeft
            try guest.authenticate(wrong)
            try await until {
                host.update.attemptsLeft < attempts || host.state.isFinal
            }
            let members = try await two.space.members()
            XCTAssertEqual(members.count, 1)
            guest.cancel()
            host.cancel()
            await failure(.cancelled) { try await soon { try await host.wait() } }
        }
    }

    func testAllCodesUsedUp() async throws {
        try await withTwo { two in
            let host = try await two.space.invite()
            let refused = try await soon { () -> EchoError? in
                // Each wrong code costs an attempt; the guest is told when none is left.
                let guest = try await two.bob.join(host.code)
                do {
                    for await update in guest.updates {
                        if update.state == .readyForAuthentication {
                            let shown = try await host.waitForAuthCode()
                            let wrong = String(format: "%06d", (Int(shown)! + 1) % 1_000_000)
                            try guest.authenticate(wrong)
                        }
                    }
                    try await guest.wait()
                } catch let error as EchoError {
                    return error
                }
                return nil
            }
            XCTAssertEqual(refused?.kind, .invitationRefused, refused?.detail ?? "it succeeded")
            let members = try await two.space.members()
            XCTAssertEqual(members.count, 1)
        }
    }

    func testCancelledByTheHost() async throws {
        try await withTwo { two in
            let host = try await two.space.invite(lifetime: .seconds(60), includeSignaling: false)
            XCTAssertTrue(host.url.hasPrefix("echodb://join/"))
            XCTAssertTrue([.initial, .connecting].contains(host.state))
            let states = Collected<InvitationState>()
            let subscription = host.subscribe { states.append($0.state) }
            let following = Task {
                var followed: [InvitationState] = []
                for await update in host.updates { followed.append(update.state) }
                return followed
            }
            let waiting = Task { try await host.wait() }
            try await until { states.items.contains(.connecting) }
            host.cancel()
            host.cancel()
            await failure(.cancelled) { try await soon { try await waiting.value } }
            let followed = try await soon { await following.value }
            XCTAssertEqual(followed.last, .cancelled)
            try await until { states.items.last == .cancelled }
            subscription.cancel()
            XCTAssertNil(host.authCode)
            XCTAssertTrue(host.state.isFinal)
        }
    }

    func testWaitsEndWithTheTaskAndWithTheClient() async throws {
        try await withTwo { two in
            let host = try await two.space.invite()
            for wait in [
                { _ = try await host.wait() },
                { _ = try await host.waitForAuthCode() },
                { _ = try await host.wait(for: .connected) },
            ] as [@Sendable () async throws -> Void] {
                let waiting = Task { try await wait() }
                try await Task.sleep(for: .milliseconds(20))
                waiting.cancel()
                let result = await waiting.result
                XCTAssertThrowsError(try result.get()) {
                    XCTAssertTrue($0 is CancellationError, "\($0)")
                }
            }
            XCTAssertFalse(host.state.isFinal)
            let following = Task {
                for await _ in host.updates {}
            }
            let waiting = Task { try await host.wait() }
            try await Task.sleep(for: .milliseconds(20))
            try await two.ada.shutdown()
            try await soon { await following.value }
            let outcome = await waiting.result
            XCTAssertThrowsError(try outcome.get()) { XCTAssertTrue($0 is EchoError, "\($0)") }
        }
    }
}
