import EchoDB
import Foundation
import XCTest

/// Encryption at rest: passphrases and key providers.
final class EncryptionTests: XCTestCase {
    private final class Keys: KeyProvider, @unchecked Sendable {
        private let lock = NSLock()
        private var stored: [String: Data] = [:]
        private var isLocked = false

        struct Locked: Error {}

        func loadKey(profile: String) throws -> Data? {
            try lock.withLock {
                if isLocked { throw Locked() }
                return stored[profile]
            }
        }

        func storeKey(profile: String, key: Data) throws {
            lock.withLock { stored[profile] = key }
        }

        func set(locked: Bool) {
            lock.withLock { isLocked = locked }
        }

        var keys: [String: Data] {
            lock.withLock { stored }
        }
    }

    private var folder = URL(fileURLWithPath: "/")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "echodb-\(UUID().uuidString)")
    }

    override func tearDownWithError() throws {
        try FileManager.default.removeItem(at: folder)
    }

    private func status(of work: () async throws -> Client) async -> EchoError.Status? {
        do {
            try await work().shutdown()
            return nil
        } catch let error as EchoError {
            return error.status
        } catch {
            return nil
        }
    }

    func testAPassphrase() async throws {
        let folder = folder
        let client = try await Client.open(profile: folder, isOnline: false, passphrase: "one")
        XCTAssertEqual(client.status.encryption, .passphrase)
        try await client.setPassphrase(old: "one", new: "two")
        try await client.shutdown()
        let wrong = await status {
            try await Client.open(profile: folder, isOnline: false, passphrase: "one")
        }
        XCTAssertEqual(wrong, .wrongPassphrase)
        let missing = await status { try await Client.open(profile: folder, isOnline: false) }
        XCTAssertEqual(missing, .keyUnavailable)
        let again = try await Client.open(profile: folder, isOnline: false, passphrase: "two")
        try await again.setPassphrase(old: "two", new: nil)
        XCTAssertEqual(again.status.encryption, .fileKey)
        try await again.shutdown()
    }

    func testAKeyProvider() async throws {
        let (folder, keys) = (folder, Keys())
        let client = try await Client.open(profile: folder, isOnline: false, keyProvider: keys)
        XCTAssertEqual(client.status.encryption, .keyProvider)
        try await client.shutdown()
        XCTAssertEqual(keys.keys.first?.value.count, 32)
        keys.set(locked: true)
        let locked = await status {
            try await Client.open(profile: folder, isOnline: false, keyProvider: keys)
        }
        XCTAssertEqual(locked, .keyUnavailable)
        keys.set(locked: false)
        let again = try await Client.open(profile: folder, isOnline: false, keyProvider: keys)
        try await again.shutdown()
    }

    func testPlainOnlyWhenAskedFor() async throws {
        let plain = try await Client.open(profile: folder, isOnline: false, encryption: .off)
        XCTAssertEqual(plain.status.encryption, .plain)
        try await plain.shutdown()
        let sealed = try await Client.open(profile: folder, isOnline: false)
        XCTAssertEqual(sealed.status.encryption, .fileKey)
        try await sealed.shutdown()
    }
}
