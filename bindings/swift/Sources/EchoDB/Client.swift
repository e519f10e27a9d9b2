internal import EchoDBNative
import Foundation

/// The library's version, `MAJOR.MINOR.PATCH`.
public var libraryVersion: String {
    EchoDBNative.libraryVersion()
}

/// A STUN or TURN server (RFC 8489, RFC 8656).
public struct ICEServer: Hashable, Sendable {
    /// `stun:HOST:PORT`, `turn:HOST:PORT?transport=udp`.
    public var urls: [String]
    /// For TURN.
    public var username: String
    /// For TURN.
    public var credential: String

    /// A server with what it asks for.
    public init(urls: [String], username: String = "", credential: String = "") {
        self.urls = urls
        self.username = username
        self.credential = credential
    }
}

/// An open profile: one identity, its spaces and its connections.
///
/// Calls may come from any thread and any task. They touch the local disk at most, run on the
/// library's own threads, and take effect completely or not at all; a task that is cancelled
/// meanwhile still gets the answer.
///
/// ``shutdown()`` ends a client in order. Without it, the client ends when nothing refers to it any
/// more: no ``Client``, no ``Space`` or ``Invitation`` of it, and no running subscription.
public final class Client: Sendable {
    let native: EchoDBNative.Client
    let lifeline = Lifeline()

    private init(native: EchoDBNative.Client) {
        self.native = native
    }

    /// Opens a profile, making it if absent.
    ///
    /// Throws ``EchoError`` with the status ``EchoError/Status/profileLocked`` while another client,
    /// in this process or another, has it open, and of the kind ``EchoError/Kind/storage`` when its
    /// files are damaged or newer; they are left untouched then. The statuses
    /// ``EchoError/Status/wrongPassphrase`` and ``EchoError/Status/keyUnavailable`` tell that the
    /// passphrase is wrong, or that it or the key provider is needed.
    ///
    /// - Parameters:
    ///   - profile: The profile's folder; `nil` keeps everything in memory.
    ///   - signaling: Signalling servers, `ws://` or `wss://`; several are used at once.
    ///   - iceServers: STUN and TURN servers.
    ///   - bind: Local addresses for peer connections, `IP:PORT` with port 0 for any; none means
    ///     every address of the machine, loopback included.
    ///   - isOnline: Whether to look for peers from the start; see ``setOnline(_:)``.
    ///   - coalescing: How long text edits outside transactions are gathered into one entry, 0 to 1
    ///     second. ``Space/flush()`` ends the wait.
    ///   - cacheBytes: How many bytes of memory open spaces may use together for what they have read:
    ///     1 MiB to 64 GiB.
    ///   - logLevel: What `log` hears.
    ///   - log: Takes the library's log lines, on threads of the library.
    ///   - passphrase: The passphrase of the profile's files, 1 to 1024 bytes of UTF-8. A new profile,
    ///     and one that was plain, gets it; see ``setPassphrase(old:new:)``.
    ///   - keyProvider: Who keeps a key for the profile; used where there is no passphrase.
    ///   - encryption: Whether the profile's files are encrypted.
    public static func open(
        profile: URL? = nil,
        signaling: [String] = [],
        iceServers: [ICEServer] = [],
        bind: [String] = [],
        isOnline: Bool = true,
        coalescing: Duration = .milliseconds(20),
        cacheBytes: UInt64 = 32 * 1024 * 1024,
        logLevel: LogLevel = .warning,
        log: LogHandler? = nil,
        passphrase: String? = nil,
        keyProvider: (any KeyProvider)? = nil,
        encryption: EncryptionMode = .auto
    ) async throws -> Client {
        if let profile, !profile.isFileURL {
            throw EchoError.invalidArgument("a profile is a folder, which \(profile) is not")
        }
        let options = EchoDBNative.ClientOptions(
            profile: profile?.path,
            signaling: signaling,
            iceServers: iceServers.map {
                EchoDBNative.IceServer(
                    urls: $0.urls, username: $0.username, credential: $0.credential)
            },
            bind: bind,
            online: isOnline,
            logLevel: log == nil ? .off : logLevel.native,
            coalesceMs: try coalescing.wholeMilliseconds(for: "coalescing"),
            cacheBytes: cacheBytes,
            passphrase: passphrase,
            keyProvider: keyProvider.map(ProviderAdapter.init),
            encryption: encryption.native)
        return try await translating {
            Client(native: try await openClient(options: options, log: log.map(LogSink.init)))
        }
    }

    /// Commits what is pending, closes connections and files, and releases the profile.
    ///
    /// Ends all sequences of changes and updates. Every later call on the client and its spaces
    /// throws ``EchoError`` of the kind ``EchoError/Kind/invalidState``. May be called again.
    public func shutdown() async throws {
        defer { lifeline.end() }
        try await translating { try await native.shutdown() }
    }

    /// The identity, if there is one.
    public var identity: IdentityInfo? {
        native.identity().map(IdentityInfo.init(native:))
    }

    /// Makes the identity, this device's keys, and the default space. Throws
    /// ``EchoError/Kind/alreadyExists`` if the profile has one.
    ///
    /// - Parameter displayName: The name shown to others, 1 to 256 characters.
    @discardableResult
    public func createIdentity(displayName: String) async throws -> IdentityInfo {
        IdentityInfo(
            native: try await translating {
                try await native.createIdentity(displayName: displayName)
            })
    }

    /// Makes a space and opens it.
    ///
    /// - Parameters:
    ///   - name: What becomes its property `name`.
    ///   - properties: Further properties of its own.
    public func createSpace(name: String? = nil, properties: Fields = [:]) async throws -> Space {
        var properties = properties
        if let name {
            properties["name"] = .string(name)
        }
        let json = try JSONWriter.text(of: properties)
        return space(try await translating { try await native.createSpace(properties: json) })
    }

    /// The spaces of this profile, in the order they were made or joined.
    public func spaces() async throws -> [SpaceInfo] {
        try await translating { try await native.spaces() }.map(SpaceInfo.init(native:))
    }

    /// A handle on a space, open or closed. Throws ``EchoError/Kind/notFound`` if the profile has
    /// none of that id.
    public func space(_ id: String) async throws -> Space {
        space(try await translating { try await native.space(id: id) })
    }

    /// The space that was made with the identity.
    public func defaultSpace() async throws -> Space {
        space(try await translating { try await native.defaultSpace() })
    }

    /// Deletes this profile's copy of a space. Other members keep theirs. The default space cannot
    /// be deleted.
    public func deleteSpace(_ id: String) async throws {
        try await translating { try await native.deleteSpace(id: id) }
    }

    /// Uses an invitation code (text or URL).
    ///
    /// Throws at once for a malformed, foreign or expired code, and for one of a space that this
    /// profile is in already; the rest shows in the invitation.
    ///
    /// - Parameters:
    ///   - code: What the host's ``Invitation/code`` or ``Invitation/url`` is.
    ///   - timeout: How long to look for the host, 1 second to 7 days.
    public func join(
        _ code: String, timeout: Duration = .seconds(120)
    ) async throws -> Invitation {
        let options = EchoDBNative.JoinOptions(timeoutS: try timeout.wholeSeconds(for: "timeout"))
        return invitation(
            try await translating { try await native.join(code: code, options: options) })
    }

    /// Goes online or offline. Offline, all connections are closed and none is made or taken;
    /// everything else works.
    public func setOnline(_ online: Bool) async throws {
        try await translating { try await native.setOnline(online: online) }
    }

    /// Connections and servers at this moment.
    public var status: ClientStatus {
        ClientStatus(native: native.status())
    }

    func space(_ space: EchoDBNative.Space) -> Space {
        Space(native: space, lifeline: lifeline)
    }

    func invitation(_ invitation: EchoDBNative.Invitation) -> Invitation {
        Invitation(native: invitation, owner: native, lifeline: lifeline)
    }
}
