import EchoDB
import Foundation
import XCTest

/// What an identity shows, to whom, and how others verify it.
final class CredentialTests: XCTestCase {
    private let nonce = Data(repeating: 7, count: 32)
    private let audience = "https://notes.example"

    private func refused<T: Sendable>(
        _ status: EchoError.Status, _ call: () async throws -> T
    ) async {
        do {
            _ = try await call()
            XCTFail("it is not refused")
        } catch let error as EchoError {
            XCTAssertEqual(error.kind, .credentialRefused)
            XCTAssertEqual(error.status, status)
        } catch {
            XCTFail("\(error)")
        }
    }

    func testARoleIsPresentedAndCompared() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let space = try await ada.createSpace(name: "Notes")
            let copy = try await pair(space, bob)
            try await same(space, copy)
            let listed = try await bob.credentials()
            XCTAssertEqual(listed.first?.kind, .identity)
            XCTAssertEqual(listed.first?.device, try bob.device)
            let role = try XCTUnwrap(listed.first { $0.id == space.id })
            XCTAssertEqual(role.kind, .membership)
            XCTAssertEqual([role.role, role.issuerName], ["editor", "Ada"])
            XCTAssertEqual(role.issuer, try ada.me)
            XCTAssertTrue(role.isCheckedAgainstSpace)
            XCTAssertFalse(role.steps.isEmpty)

            let code = try credentialCode(try await bob.exportCredential(space.id))
            let read = try await readCredential(Data(code.utf8))
            XCTAssertEqual([read.role, read.subject], ["editor", try bob.me])
            XCTAssertFalse(read.isCheckedAgainstSpace)

            let (nonce, audience) = (self.nonce, self.audience)
            let shown = try await bob.presentCredentials(
                ["identity", space.id], nonce: nonce, audience: audience)
            let who = try await verifyPresentation(shown, nonce: nonce, audience: audience)
            XCTAssertEqual([who.identity, who.device], [try bob.me, try bob.device])
            XCTAssertEqual(who.name, "Bob")
            XCTAssertEqual(who.credentials.map(\.id), ["identity", space.id])
            XCTAssertFalse(who.isDeviceChecked)
            let known = try await ada.verifyPresentation(shown, nonce: nonce, audience: audience)
            XCTAssertTrue(known.isDeviceChecked)
            await refused(.wrongNonce) {
                try await verifyPresentation(shown, nonce: Data(count: 32), audience: audience)
            }
            await refused(.wrongAudience) {
                try await verifyPresentation(shown, nonce: nonce, audience: "x")
            }
            var changed = shown
            changed[changed.count - 1] ^= 1
            let spoilt = changed
            await refused(.badSignature) {
                try await verifyPresentation(spoilt, nonce: nonce, audience: audience)
            }
            await failure(.invalidArgument) {
                _ = try await verifyPresentation(Data([1]), nonce: nonce, audience: audience)
            }
            try await space.removeMember(try bob.me)
            await refused(.revoked) {
                try await ada.verifyPresentation(shown, nonce: nonce, audience: audience)
            }
        }
    }

    func testStatements() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let end = Date(timeIntervalSinceNow: 3600)
            let issued = try await ada.issueCredential(
                about: try bob.me, type: "diploma", claims: #"{"course": "boats"}"#, expires: end)
            XCTAssertEqual([issued.type, issued.claims], ["diploma", #"{"course":"boats"}"#])
            let bytes = try await ada.exportCredential(issued.id)
            let kept = try await bob.importCredential(bytes)
            XCTAssertEqual(kept, issued)
            let listed = try await bob.credentials()
            XCTAssertTrue(listed.contains(issued))
            await refused(.expired) {
                try await readCredential(bytes, at: end.addingTimeInterval(1))
            }
            let subject = try bob.me
            await failure(.invalidArgument) {
                _ = try await ada.issueCredential(about: subject, type: "x", claims: "[]")
            }
            try await bob.removeCredential(issued.id)
            await failure(.notFound) { _ = try await bob.exportCredential(issued.id) }
        }
    }
}
