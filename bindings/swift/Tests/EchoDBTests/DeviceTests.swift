import EchoDB
import Foundation
import XCTest

/// Several devices of one identity, and its recovery by a phrase.
final class DeviceTests: XCTestCase {
    func testSpacesFollowAndNamesToo() async throws {
        try await Peers.with { peers in
            let (laptop, phone) = (try await peers.open("Ada"), try await peers.open())
            let notes = try await laptop.createSpace(name: "Notes")
            let note = try await notes.create("Note", ["text": "old"])
            XCTAssertNil(phone.identity)
            try await addDevice(laptop, phone, "Phone")
            XCTAssertEqual(phone.identity?.displayName, "Ada")
            let copy = try await phone.arrived(notes.id)
            try await until { try await copy.get(note) != nil }
            let defaults = [try await laptop.defaultSpace().id, try await phone.defaultSpace().id]
            XCTAssertEqual(defaults[0], defaults[1])
            let members = try await notes.members()
            XCTAssertEqual(members.count, 1)

            let changes = laptop.identityChanges()
            let told = Collected<IdentityChange>()
            let subscription = laptop.subscribeIdentity { told.append($0) }
            let made = try await phone.createSpace(name: "Trip")
            _ = try await first(changes) { $0.contains(.spaces) }
            try await until { told.items.contains(.spaces) }
            subscription.cancel()
            let here = try await laptop.arrived(made.id)
            try await same(here, made)

            let devices = try await laptop.devices()
            XCTAssertEqual(devices.map(\.device), [try laptop.device, try phone.device])
            XCTAssertEqual(devices.map(\.isThisDevice), [true, false])
            XCTAssertEqual(devices.map(\.isRevoked), [false, false])
            XCTAssertEqual(devices.map(\.isRecovered), [false, false])
            XCTAssertEqual(devices.last?.name, "Phone")
            XCTAssertTrue(devices[0].isConnected)
            let recent = Date(timeIntervalSince1970: 1_600_000_000)
            XCTAssertGreaterThan(try XCTUnwrap(devices.last?.added), recent)
            XCTAssertGreaterThan(try XCTUnwrap(devices.last?.lastSeen), recent)

            let key = try phone.device
            try await laptop.renameDevice(key, "Old phone")
            try await until { try await phone.info(of: key).name == "Old phone" }
            try await phone.setProfile(displayName: "Ada L.")
            try await until { laptop.identity?.displayName == "Ada L." }
            try await until { try await notes.members()[0].displayName == "Ada L." }
        }
    }

    func testADeletedSpaceIsRestored() async throws {
        try await Peers.with { peers in
            let (laptop, phone) = (try await peers.open("Ada"), try await peers.open())
            let space = try await laptop.createSpace(name: "Notes")
            let note = try await space.create("Note", ["n": 1])
            try await addDevice(laptop, phone, "Phone")
            _ = try await phone.arrived(space.id)
            try await phone.deleteSpace(space.id)
            let listed = try await phone.spaces()
            XCTAssertFalse(listed.contains { $0.id == space.id })
            try await phone.restoreSpace(space.id)
            let again = try await phone.arrived(space.id)
            try await until { try await again.get(note) != nil }
        }
    }

    func testARevokedDeviceWritesNothingMore() async throws {
        try await Peers.with { peers in
            let (laptop, phone) = (try await peers.open("Ada"), try await peers.open())
            let notes = try await laptop.createSpace(name: "Notes")
            try await addDevice(laptop, phone, "Phone")
            let copy = try await phone.arrived(notes.id)
            let kept = try await copy.create("Note", ["kept": 1])
            try await same(notes, copy)
            let (senior, junior) = (try laptop.device, try phone.device)
            await failure(.permissionDenied) { try await phone.revokeDevice(senior) }
            let changes = phone.identityChanges()
            try await laptop.revokeDevice(junior)
            // Done already: nothing.
            try await laptop.revokeDevice(junior)
            _ = try await first(changes) { $0.contains(.revoked) }
            let revoked = try await laptop.info(of: junior)
            XCTAssertTrue(revoked.isRevoked)
            try await until {
                do {
                    try await copy.create("Note", [:])
                    return false
                } catch let error as EchoError where error.kind == .permissionDenied {
                    return true
                }
            }
            let there = try await copy.get(kept)?["kept"]
            XCTAssertEqual(there, 1)
        }
    }

    func testCodesOfTheOtherKind() async throws {
        try await Peers.with { peers in
            let (ada, bob) = (try await peers.open("Ada"), try await peers.open("Bob"))
            let new = try await peers.open()
            let joins = try await ada.createSpace(name: "Notes").invite()
            let links = try await ada.createDeviceInvitation(lifetime: .seconds(60))
            XCTAssertTrue(links.code.hasPrefix("echodb-link-"), links.code)
            await failure(.invitationRefused) { try await bob.join(links.code) }
            await failure(.invalidState) { try await bob.joinDevice(links.code) }
            await failure(.invitationRefused) { try await new.joinDevice(joins.code) }
            await failure(.invalidState) { try await new.createDeviceInvitation() }
            await failure(.invalidArgument) {
                try await ada.createDeviceInvitation(lifetime: .zero)
            }
            XCTAssertNil(new.identity)
        }
    }

    func testAnInvitationIsListedAndCancelled() async throws {
        try await Peers.with { peers in
            let ada = try await peers.open("Ada")
            let links = try await ada.createDeviceInvitation(lifetime: .seconds(60))
            let listed = try await ada.invitations()
            let info = try XCTUnwrap(listed.first)
            XCTAssertEqual(listed.count, 1)
            XCTAssertEqual(info.kind, .device)
            XCTAssertEqual(info.code, links.code)
            XCTAssertNil(info.space)
            try await ada.cancelInvitation(info.id)
            await failure(.cancelled) { _ = try await links.wait() }
            let left = try await ada.invitations()
            XCTAssertEqual(left, [])
            await failure(.notFound) { try await ada.cancelInvitation(info.id) }
        }
    }

    func testAPhraseBringsTheIdentityBack() async throws {
        try await Peers.with { peers in
            let (laptop, new) = (try await peers.open("Ada"), try await peers.open())
            let notes = try await laptop.createSpace(name: "Notes")
            let note = try await notes.create("Note", ["n": 1])
            let read = try await laptop.createRecoveryPhrase()
            let phrase = try await laptop.replaceRecoveryPhrase(read)
            XCTAssertNotEqual(read, phrase)
            await failure(.permissionDenied) { try await laptop.replaceRecoveryPhrase(read) }
            await failure(.invalidArgument) { try await laptop.replaceRecoveryPhrase("zoo " + phrase) }
            XCTAssertEqual(phrase.split(separator: " ").count, 24)
            // One that the device made does not put the older one out of force.
            let junior = try await laptop.createRecoveryPhrase()
            XCTAssertNotEqual(junior, phrase)
            await failure(.invalidArgument) { try await new.recoverIdentity("zoo " + phrase) }
            // Nobody waits where a foreign one leads.
            let foreign = String(repeating: "abandon ", count: 23) + "art"
            await failure(.timedOut) { try await new.recoverIdentity(foreign, timeout: .seconds(2)) }
            XCTAssertNil(new.identity)

            let identity = try await soon {
                try await new.recoverIdentity(
                    phrase, deviceName: "New", revokeOlder: true, timeout: .seconds(50))
            }
            XCTAssertEqual(identity, new.identity)
            XCTAssertEqual(identity.identity, try laptop.me)
            XCTAssertEqual(identity.displayName, "Ada")
            let copy = try await new.arrived(notes.id)
            let there = try await copy.get(note)?["n"]
            XCTAssertEqual(there, 1)
            let device = try await new.info(of: identity.device)
            XCTAssertEqual(device.name, "New")
            XCTAssertTrue(device.isRecovered)
            XCTAssertFalse(device.isRevoked)
            let older = try await new.info(of: laptop.device)
            XCTAssertTrue(older.isRevoked)
            await failure(.invalidState) { try await new.recoverIdentity(phrase) }
        }
    }

    func testOneDevice() async throws {
        try await Notebook.with { notebook in
            let client = notebook.client
            let devices = try await client.devices()
            XCTAssertEqual(devices.map(\.device), [try client.device])
            XCTAssertTrue(devices[0].isThisDevice && devices[0].isConnected)
            try await client.renameDevice(devices[0].device, "Desk")
            let name = try await client.devices()[0].name
            XCTAssertEqual(name, "Desk")
            try await client.setProfile(displayName: "Ada L.")
            XCTAssertEqual(client.identity?.displayName, "Ada L.")
            let long = String(repeating: "x", count: 257)
            await failure(.invalidArgument) { try await client.setProfile(displayName: long) }
            let other = try client.me
            await failure(.notFound) { try await client.renameDevice(other, "x") }
            await failure(.notFound) { try await client.revokeDevice(other) }
            await failure(.invalidArgument) { try await client.revokeDevice("short") }
            await failure(.alreadyExists) { try await client.restoreSpace(notebook.space.id) }
            // A device code takes a network.
            await failure(.invalidState) { try await client.createDeviceInvitation() }
        }
    }

    func testWithoutIdentity() async throws {
        let client = try await Client.open(isOnline: false)
        await failure(.invalidState) { try await client.devices() }
        await failure(.invalidState) { try await client.setProfile(displayName: "Ada") }
        await failure(.invalidState) { try await client.createRecoveryPhrase() }
        let words = String(repeating: "abandon ", count: 23) + "art"
        await failure(.invalidState) { try await client.replaceRecoveryPhrase(words) }
        try await client.shutdown()
    }
}
