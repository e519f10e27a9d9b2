import EchoDB
import Foundation
import XCTest

/// Clients in memory at a real signalling server.
final class Peers {
    private let server: SignalingServer
    private var clients: [Client] = []

    private init() async throws {
        server = try await SignalingServer()
    }

    /// Runs a test, and shuts down what it opened.
    static func with(_ body: (Peers) async throws -> Void) async throws {
        let peers = try await Peers()
        do {
            try await body(peers)
        } catch {
            try? await peers.end()
            throw error
        }
        try await peers.end()
    }

    private func end() async throws {
        for client in clients {
            try await client.shutdown()
        }
        try await server.stop()
    }

    /// A further client; without a name it has no identity.
    func open(_ name: String? = nil) async throws -> Client {
        let client = try await Client.open(signaling: [server.url], bind: ["127.0.0.1:0"])
        clients.append(client)
        if let name {
            try await client.createIdentity(displayName: name)
        }
        return client
    }
}

extension Client {
    /// The identity's key.
    var me: String {
        get throws { try XCTUnwrap(identity).identity }
    }

    /// This device's key.
    var device: String {
        get throws { try XCTUnwrap(identity).device }
    }

    /// What this client says of a device.
    func info(of device: String) async throws -> DeviceInfo {
        let devices = try await devices()
        return try XCTUnwrap(devices.first { $0.device == device })
    }

    /// A space that comes from another device, once this one may write in it.
    func arrived(_ id: String) async throws -> Space {
        try await until { try await spaces().contains { $0.id == id } }
        let space = try await space(id)
        try await until { try await space.status().role != nil }
        return space
    }
}

/// Brings both sides of an invitation to a good end; returns what the guest's side gives.
@discardableResult
func complete(_ host: Invitation, _ guest: Invitation) async throws -> String {
    async let shown = soon { try await host.waitForAuthCode() }
    async let asked = soon { try await guest.wait(for: .readyForAuthentication) }
    let (authCode, _) = try await (shown, asked)
    try guest.authenticate(authCode)
    async let here = soon { try await host.wait() }
    async let there = soon { try await guest.wait() }
    let ids = try await [here, there]
    XCTAssertEqual(ids[0], ids[1])
    return ids[1]
}

/// Invites a client into a space; returns the space on its side.
func pair(_ space: Space, _ guest: Client) async throws -> Space {
    let host = try await space.invite()
    return try await guest.space(complete(host, guest.join(host.code)))
}

/// Makes the client `guest` a device of another's identity.
func addDevice(_ host: Client, _ guest: Client, _ name: String) async throws {
    let hosting = try await host.createDeviceInvitation()
    let joining = try await guest.joinDevice(hosting.code, deviceName: name)
    let identity = try await complete(hosting, joining)
    XCTAssertEqual(identity, try host.me)
    XCTAssertEqual(identity, try guest.me)
}

/// Waits until two replicas hold the same.
func same(_ one: Space, _ other: Space) async throws {
    try await until { try await one.digest() == other.digest() }
}

/// The first element that satisfies a condition.
func first<S: AsyncSequence & Sendable>(
    _ sequence: S, where test: @escaping @Sendable (S.Element) -> Bool = { _ in true }
) async throws -> S.Element where S.Element: Sendable {
    try await soon {
        for try await element in sequence where test(element) {
            return element
        }
        throw Stuck()
    }
}
