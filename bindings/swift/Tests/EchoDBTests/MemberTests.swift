import EchoDB
import Foundation
import XCTest

/// Members: roles, removal, leaving, what is told of it, and what does not count any more.
final class MemberTests: XCTestCase {
    private let recent = Date(timeIntervalSince1970: 1_600_000_000)

    func testAMemberIsDescribed() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let space = try await ada.createSpace(name: "Notes")
            let events = try await space.memberEvents()
            _ = try await pair(space, bob)
            let joined = try await first(events)
            XCTAssertEqual(joined.kind, .joined)
            XCTAssertEqual(joined.identity, try bob.me)
            XCTAssertEqual(joined.space, space.id)
            XCTAssertEqual(joined.role, "editor")
            XCTAssertNil(joined.previousRole)
            XCTAssertEqual(joined.text, "Bob joined as editor")

            let members = try await space.members()
            XCTAssertEqual(Set(members.map(\.identity)), [try ada.me, try bob.me])
            let theirs = try XCTUnwrap(members.first { $0.displayName == "Bob" })
            let ours = try XCTUnwrap(members.first { $0.displayName == "Ada" })
            XCTAssertEqual([ours.rank, theirs.rank], [1, 2])
            XCTAssertGreaterThan(try XCTUnwrap(theirs.joined), recent)
            XCTAssertEqual(theirs.devices, [try bob.device])
            XCTAssertEqual(theirs.deviceDetails.map(\.device), [try bob.device])
            XCTAssertEqual(theirs.deviceDetails.map(\.isRevoked), [false])

            let contacts = try await ada.contacts()
            XCTAssertEqual(contacts.map(\.identity), [try bob.me])
            XCTAssertEqual(contacts.map(\.displayName), ["Bob"])
            let shared = try XCTUnwrap(contacts.first?.spaces.first)
            XCTAssertEqual(shared.space, space.id)
            XCTAssertEqual(shared.spaceName, "Notes")
            XCTAssertEqual(shared.displayName, "Bob")
            XCTAssertEqual(shared.role, "editor")
        }
    }

    func testRolesAndRemoval() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let (a, b, device) = (try ada.me, try bob.me, try bob.device)
            let space = try await ada.createSpace(name: "Notes")
            let id = try await space.create("Note", ["n": 1])
            let copy = try await pair(space, bob)
            try await same(space, copy)

            // Whoever stands below decides nothing; the creator stays.
            await failure(.permissionDenied) { try await copy.setRole(a, "reader") }
            await failure(.permissionDenied) { try await copy.removeMember(a) }
            await failure(.permissionDenied) { try await space.leave() }
            await failure(.invalidArgument) { try await space.setRole(b, "king") }
            await failure(.notFound) { try await space.removeMember(device) }

            let told = Collected<MemberEvent>()
            let subscription = try await copy.subscribeMembers { told.append($0) }
            let demoted = try await copy.memberEvents()
            try await space.setRole(b, "reader")
            let event = try await first(demoted)
            XCTAssertEqual(event.kind, .roleChanged)
            XCTAssertEqual(event.by, a)
            XCTAssertEqual(event.byName, "Ada")
            XCTAssertEqual(event.role, "reader")
            XCTAssertEqual(event.previousRole, "editor")
            XCTAssertEqual(event.text, "Bob was made reader by Ada")
            try await until { try await copy.status().role == "reader" }
            await failure(.permissionDenied) { try await copy.update(id, ["n": 2]) }

            let removal = try await copy.memberEvents()
            try await space.removeMember(b)
            let removed = try await first(removal) { $0.kind == .removed }
            XCTAssertNil(removed.role)
            XCTAssertEqual(removed.previousRole, "reader")
            try await until { told.items.map(\.kind) == [.roleChanged, .removed] }
            subscription.cancel()
            let theirs = try await copy.status()
            XCTAssertTrue(theirs.isRemoved)
            XCTAssertNil(theirs.role)
            let kept = try await copy.get(id)?["n"]
            XCTAssertEqual(kept, 1)
            let (members, contacts) = (try await space.members(), try await ada.contacts())
            XCTAssertEqual(members.map(\.identity), [a])
            XCTAssertEqual(contacts, [])
            let ours = try await space.status()
            XCTAssertFalse(ours.isRemoved)
            XCTAssertEqual(ours.role, "owner")

            let why = try await space.why(b, may: .read)
            XCTAssertFalse(why.isAllowed)
            XCTAssertTrue(why.summary.contains("may not read"), why.summary)
            let last = try XCTUnwrap(why.steps.last)
            XCTAssertTrue(last.counts)
            XCTAssertFalse(last.entry.isEmpty)
            XCTAssertTrue(last.text.contains(" removed Bob ("), last.text)
        }
    }

    func testASpaceIsHandedOver() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let (a, b, device) = (try ada.me, try bob.me, try bob.device)
            let space = try await ada.createSpace(name: "Notes")
            let copy = try await pair(space, bob)
            try await same(space, copy)
            await failure(.permissionDenied) { try await copy.handOver(b) }
            await failure(.invalidArgument) { try await space.handOver(a) }
            await failure(.notFound) { try await space.handOver(device) }
            let events = try await copy.memberEvents()
            try await space.handOver(b)
            let told = try await first(events) { $0.kind == .handedOver }
            XCTAssertEqual(told.identity, b)
            XCTAssertEqual(told.by, a)
            XCTAssertEqual(told.text, "Bob is top owner of the space now, in place of Ada")
            let members = try await space.members()
            XCTAssertEqual(members.first { $0.identity == b }?.rank, 1)
            XCTAssertEqual(members.first { $0.identity == a }?.rank, 2)
            try await space.leave()
            let status = try await space.status()
            XCTAssertTrue(status.isRemoved)
        }
    }

    func testAMemberLeaves() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let space = try await ada.createSpace(name: "Notes")
            try await space.create("Note", ["n": 1])
            let copy = try await pair(space, bob)
            try await same(space, copy)
            let events = try await space.memberEvents()
            try await copy.leave()
            let left = try await first(events) { $0.kind == .left }
            XCTAssertEqual(left.text, "Bob left")
            let status = try await copy.status()
            XCTAssertTrue(status.isRemoved)
            let kept = try await copy.query()
            XCTAssertEqual(kept.count, 1)
            await failure(.permissionDenied) { try await copy.create("Note", [:]) }
        }
    }

    func testExcludedAndSubmittedAgain() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let (b, device) = (try bob.me, try bob.device)
            let space = try await ada.createSpace(name: "Notes")
            let copy = try await pair(space, bob)
            try await same(space, copy)
            try await bob.setOnline(false)
            try await space.setRole(b, "reader")
            let lost = try await copy.create("Note", ["lost": 1])
            try await bob.setOnline(true)
            for each in [space, copy] {
                try await until { try await each.status().excluded == 1 }
            }
            try await same(space, copy)
            let gone = try await copy.get(lost)
            XCTAssertNil(gone)
            let entries = try await space.excluded()
            XCTAssertEqual(entries.count, 1)
            let entry = try XCTUnwrap(entries.first)
            XCTAssertEqual(entry.identity, b)
            XCTAssertEqual(entry.device, device)
            XCTAssertEqual(entry.objects, [lost])
            XCTAssertTrue(entry.reason.hasPrefix("denied: "), entry.reason)
            XCTAssertGreaterThan(try XCTUnwrap(entry.time), recent)

            await failure(.permissionDenied) { try await copy.resubmit(entry.entry) }
            let done = try await space.resubmit(entry.entry)
            XCTAssertEqual(done.skipped, [])
            XCTAssertEqual(Array(done.committed.heads.keys), [lost])
            try await same(space, copy)
            let back = try await copy.get(lost)?["lost"]
            XCTAssertEqual(back, 1)
            // It counts, and needs nothing.
            let written = try XCTUnwrap(done.committed.entry)
            await failure(.invalidState) { try await space.resubmit(written) }
            let newest = try await space.log(limit: 1)
            XCTAssertEqual(newest.map(\.entry), [written])
            XCTAssertEqual(newest.map(\.endorsedBy), [nil])
        }
    }

    func testAlone() async throws {
        try await Notebook.with { notebook in
            let (client, space) = (notebook.client, notebook.space)
            let (me, device) = (try client.me, try client.device)
            for subject in [me, device] {
                for action in AccessAction.allCases {
                    let why = try await space.why(subject, may: action)
                    XCTAssertTrue(why.isAllowed, why.summary)
                    XCTAssertFalse(why.steps.isEmpty, why.summary)
                }
            }
            await failure(.invalidArgument) { try await space.why("nobody", may: .read) }
            let (contacts, excluded) = (try await client.contacts(), try await space.excluded())
            XCTAssertEqual(contacts, [])
            XCTAssertEqual(excluded, [])
            try await space.create("Note", [:])
            let newest = try await space.log(limit: 1)[0].entry
            let absent = newest.dropLast(8) + "aaaaaaaa"
            await failure(.notFound) { try await space.resubmit(String(absent)) }
            await failure(.invalidArgument) { try await space.resubmit("short") }
        }
    }

    func testAKeyIsMadeAnew() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let space = try await ada.createSpace(name: "Notes")
            let copy = try await pair(space, bob)
            let before = try await space.status().keyGeneration
            XCTAssertGreaterThan(before, 0)
            try await space.rotateKey()
            let after = try await space.status().keyGeneration
            XCTAssertGreaterThan(after, before)
            let id = try await space.create("Note", ["n": 1])
            try await until { try await copy.get(id) != nil }
            try await copy.leave()
            await failure(.permissionDenied) { try await copy.rotateKey() }
        }
    }

    func testTheHistoryIsWithheldAndGivenLater() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let space = try await ada.createSpace(name: "Notes")
            let old = try await space.create("Note", ["old": 1])
            let hosting = try await space.invite(isDelegated: true, includesHistory: false)
            let joining = try await bob.join(hosting.code)
            let copy = try await bob.space(try await soon { try await joining.wait() })
            let new = try await space.create("Note", ["new": 1])
            try await until { try await copy.get(new) != nil }
            let hidden = try await copy.get(old)
            XCTAssertNil(hidden)
            let status = try await copy.status()
            XCTAssertGreaterThan(status.sealedOff, 0)
            XCTAssertEqual(status.waitingForKey, 0)
            let me = try bob.me
            await failure(.permissionDenied) { try await copy.shareHistory(with: me) }
            let (first, second) = (
                try await space.shareHistory(with: me), try await space.shareHistory(with: me)
            )
            XCTAssertEqual([first, second], [true, false])
            try await same(space, copy)
            let opened = try await copy.get(old)?["old"]
            XCTAssertEqual(opened, 1)
        }
    }

    func testEventsEndWithTheClient() async throws {
        let notebook = try await Notebook()
        let events = try await notebook.space.memberEvents()
        let changes = notebook.client.identityChanges()
        try await notebook.client.shutdown()
        let heard = try await soon {
            var heard = 0
            for await _ in events { heard += 1 }
            for await _ in changes { heard += 1 }
            return heard
        }
        XCTAssertEqual(heard, 0)
    }
}
