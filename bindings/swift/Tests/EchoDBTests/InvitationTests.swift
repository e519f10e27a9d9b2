import EchoDB
import Foundation
import XCTest

/// Invitations for several guests and through any member, and the list of them.
final class InvitationTests: XCTestCase {
    /// Lets the guest of a name in, with the code that the host shows for it.
    private func letIn(_ host: Invitation, _ guest: Invitation, _ name: String) async throws {
        _ = try await soon { try await guest.wait(for: .readyForAuthentication) }
        var code: String?
        try await until {
            code = host.update.guests.first { $0.name == name }?.authCode
            return code != nil
        }
        try guest.authenticate(XCTUnwrap(code))
        _ = try await soon { try await guest.wait() }
    }

    func testSeveralGuests() async throws {
        try await Peers.with { peers in
            let ada = try await peers.open("Ada")
            let space = try await ada.createSpace(name: "Notes")
            let host = try await space.invite(maxUses: 2, role: "reader")
            let listed = try await ada.invitations()
            let info = try XCTUnwrap(listed.first)
            XCTAssertEqual(listed.count, 1)
            XCTAssertEqual(info.id, host.id)
            XCTAssertEqual(info.space, space.id)
            XCTAssertEqual(info.kind, .space)
            XCTAssertEqual(info.invitationType, .multiUse)
            XCTAssertEqual(info.role, "reader")
            XCTAssertEqual([info.maxUses, info.uses], [2, 0])
            XCTAssertEqual(info.code, host.code)
            XCTAssertEqual(info.url, host.url)
            XCTAssertFalse(info.isJoining)
            XCTAssertLessThan(abs(try XCTUnwrap(info.created).timeIntervalSinceNow), 600)
            XCTAssertGreaterThan(info.expires.timeIntervalSinceNow, 0)
            for name in ["Bob", "Cem"] {
                let guest = try await peers.open(name)
                try await letIn(host, guest.join(host.code), name)
            }
            _ = try await soon { try await host.wait() }
            XCTAssertEqual(host.update.uses, 2)
            let roles = try await space.members().map(\.role)
            XCTAssertEqual(roles.sorted(), ["owner", "reader", "reader"])
            let left = try await ada.invitations()
            XCTAssertEqual(left, [])
        }
    }

    func testBothSeeTheSameWords() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let host = try await ada.createSpace(name: "Notes").invite()
            let guest = try await bob.join(host.code)
            let theirs = try await bob.invitations()
            XCTAssertEqual(theirs.map(\.isJoining), [true])
            try await complete(host, guest)
            let words = try XCTUnwrap(guest.update.fingerprint)
            XCTAssertEqual(host.update.fingerprint, words)
            XCTAssertEqual(words.split { $0 == " " || $0 == "-" }.count, 4, words)
        }
    }

    func testAnyMemberLetsInWhoHasADelegatedCode() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let cem = try await peers.open("Cem")
            let space = try await ada.createSpace(name: "Notes")
            _ = try await pair(space, bob)
            let host = try await space.invite(maxUses: 0, isDelegated: true)
            // The one by which Bob came may not be known to be closed yet.
            try await until {
                let known = try await bob.invitations()
                return known.count == 1 && known[0].invitationType == .delegated
            }
            let info = try await bob.invitations()[0]
            XCTAssertEqual(info.id, host.id)
            XCTAssertEqual(info.invitationType, .delegated)
            XCTAssertNil(info.code)
            XCTAssertNil(info.maxUses)
            // Whoever made it need not be there.
            try await ada.setOnline(false)
            let guest = try await cem.join(host.code)
            let id = try await soon { try await guest.wait() }
            XCTAssertEqual(id, space.id)
            XCTAssertNil(guest.update.fingerprint)
            let names = try await cem.space(id).members().map(\.displayName)
            XCTAssertEqual(names.sorted(), ["Ada", "Bob", "Cem"])
            try await ada.setOnline(true)
            try await ada.cancelInvitation(host.id)
            await failure(.cancelled) { try await soon { try await host.wait() } }
            try await until { try await bob.invitations().isEmpty }
        }
    }

    func testTakenUpAgainAndEnded() async throws {
        try await Peers.with { peers in
            let ada = try await peers.open("Ada")
            let space = try await ada.createSpace(name: "Notes")
            let host = try await space.invite()
            let again = try await ada.invitation(host.id)
            XCTAssertEqual(again.code, host.code)
            let svg = try host.qrSvg()
            XCTAssertTrue(svg.contains("<svg"), svg)
            let qr = try host.qrModules()
            XCTAssertTrue((21...177).contains(qr.width))
            XCTAssertEqual(qr.modules.count, qr.width * qr.width)
            // A corner of the finder pattern: dark around light around dark.
            XCTAssertEqual(qr.modules.prefix(7), Data([1, 1, 1, 1, 1, 1, 1]))
            XCTAssertEqual(qr.modules[qr.width..<(qr.width + 7)], Data([1, 0, 0, 0, 0, 0, 1]))
            try await ada.cancelInvitation(host.id)
            await failure(.cancelled) { try await soon { try await again.wait() } }
            let id = host.id
            await failure(.notFound) { try await ada.cancelInvitation(id) }
            await failure(.notFound) { try await ada.invitation(id) }
            await failure(.invalidArgument) { try await ada.cancelInvitation("short") }
            await failure(.invalidArgument) { try await ada.invitation("short") }
            await failure(.invalidArgument) { try await space.invite(maxUses: -1) }
            await failure(.invalidArgument) { try await space.invite(maxUses: 201) }
            await failure(.invalidArgument) { try await space.invite(role: "boss") }
            await failure(.invalidArgument) {
                try await space.invite(isDelegated: true, role: "admin")
            }
        }
    }
}
