internal import EchoDBNative
import Foundation

/// Whether a profile's files are encrypted.
public enum EncryptionMode: Hashable, Sendable {
    /// They are: under the passphrase if one is given, else under the key provider's key if there is
    /// a provider, else under a key in a file beside them. A profile that was made plain is encrypted
    /// when it is opened.
    case auto
    /// A new profile is plain, and a plain one stays so. One that is encrypted stays that too.
    case off

    var native: EchoDBNative.EncryptionMode {
        switch self {
        case .auto: .auto
        case .off: .off
        }
    }
}

/// What keeps the key of a profile's files.
public enum Encryption: Hashable, Sendable {
    /// There are no files: the profile is in memory.
    case memory
    /// Nothing: the files are plain.
    case plain
    /// A file beside them, which only its owner may read.
    case fileKey
    /// A passphrase.
    case passphrase
    /// The program's key provider.
    case keyProvider

    init(native: EchoDBNative.Encryption) {
        switch native {
        case .memory: self = .memory
        case .plain: self = .plain
        case .fileKey: self = .fileKey
        case .passphrase: self = .passphrase
        case .keyProvider: self = .keyProvider
        }
    }
}

/// Keeps a key for a profile in a place of the system's that is safer than its files, such as the
/// keychain.
///
/// Called on threads of the library, with no lock held, when a profile is opened. What it throws makes
/// opening throw ``EchoError`` with the status ``EchoError/Status/keyUnavailable``.
public protocol KeyProvider: AnyObject, Sendable {
    /// The key that was stored for this profile (32 hexadecimal digits that tell profiles apart), or
    /// `nil` if none was.
    func loadKey(profile: String) throws -> Data?

    /// Stores the key of this profile, 32 bytes, in the place of an earlier one; it is to last before
    /// this returns. Losing it loses the profile.
    func storeKey(profile: String, key: Data) throws
}

/// What the library calls.
final class ProviderAdapter: EchoDBNative.KeyProvider {
    private let provider: any KeyProvider

    init(_ provider: any KeyProvider) {
        self.provider = provider
    }

    func loadKey(profile: String) throws -> Data? {
        try told { try provider.loadKey(profile: profile) }
    }

    func storeKey(profile: String, key: Data) throws {
        try told { try provider.storeKey(profile: profile, key: key) }
    }

    /// Any error becomes one that the library can carry.
    private func told<Result>(_ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch {
            throw EchoDBNative.EchoError.Unexpected(
                status: EchoError.Status.callback.rawValue, detail: "\(error)", retryable: true)
        }
    }
}

extension Client {
    /// Gives the profile a passphrase, changes it, or, without a new one, takes it away: then the key
    /// is with the key provider that the client was opened with, or else in a file.
    ///
    /// It takes about a second, and no file is written anew but the one that holds the profile's key;
    /// a crash leaves the one or the other passphrase. Whoever has a copy of that file from before can
    /// open the profile with the old one still. Throws ``EchoError`` with the status
    /// ``EchoError/Status/wrongPassphrase``, and of the kind ``EchoError/Kind/invalidState`` when the
    /// profile is plain or in memory.
    ///
    /// - Parameters:
    ///   - old: The present one, if there is one.
    ///   - new: 1 to 1024 bytes of UTF-8, or `nil`.
    public func setPassphrase(old: String?, new: String?) async throws {
        try await translating { try await native.setPassphrase(old: old, new: new) }
    }
}
