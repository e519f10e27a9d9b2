internal import EchoDBNative
import Foundation

/// A handle on a space: the unit of sharing. Objects, queries, changes, members.
///
/// Handles are cheap, and may be used from any thread and any task; all handles on one space act on
/// the same space. A handle keeps its client open.
///
/// What changes something takes effect completely or not at all. A task that is cancelled while it
/// waits still gets the answer.
public final class Space: Sendable {
    let native: EchoDBNative.Space
    let lifeline: Lifeline

    init(native: EchoDBNative.Space, lifeline: Lifeline) {
        self.native = native
        self.lifeline = lifeline
    }

    /// The space's id, 52 characters.
    public var id: String {
        native.id()
    }

    /// The space's id, name and state.
    public func info() async throws -> SpaceInfo {
        SpaceInfo(native: try await translating { try await native.info() })
    }

    /// Opens the space; it is replicated from now on. Does nothing if it is open.
    public func open() async throws {
        try await translating { try await native.open() }
    }

    /// Commits what is pending and closes the space, here and for later starts, until it is opened
    /// again.
    public func close() async throws {
        try await translating { try await native.close() }
    }

    /// The space's own properties.
    public func properties() async throws -> Fields {
        try JSONReader.fields(
            from: try await translating { try await native.properties() })
    }

    /// Sets some of the space's properties; the others stay.
    public func setProperties(_ properties: Fields) async throws {
        let json = try JSONWriter.text(of: properties)
        try await translating { try await native.setProperties(properties: json) }
    }

    /// A digest of all objects' versions, 64 hexadecimal digits: two replicas with the same digest
    /// hold the same objects with the same histories.
    public func digest() async throws -> String {
        try await translating { try await native.digest() }
    }

    /// The durability barrier: when this returns, everything done before it is on disk and survives
    /// a power failure, as far as the disk keeps its word.
    public func flush() async throws {
        try await translating { try await native.flush() }
    }

    /// Who has what, and what waits for what.
    public func status() async throws -> SpaceStatus {
        SpaceStatus(native: try await translating { try await native.status() })
    }

    /// Remote entries that were set aside as harmful or malformed.
    public func quarantined() async throws -> [QuarantinedEntry] {
        try await translating { try await native.quarantined() }
            .map(QuarantinedEntry.init(native:))
    }

    /// Opens an invitation; needs the role of admin or owner. It can be used once its state is
    /// ``InvitationState/connecting``, while this client runs and is online.
    ///
    /// - Parameters:
    ///   - lifetime: How long the code is good, 1 second to 7 days; up to 90 days for several guests
    ///     and if delegated.
    ///   - maxUses: How many guests may come in, 1 to 200, each with an authorization code of its own.
    ///     If delegated, the number is one that members keep to as far as they know of each other's
    ///     guests, and 0 means any number.
    ///   - isDelegated: Whether any member who is online may let the guests in, this client need not
    ///     be. There is no authorization code then: whoever has the code is let in. Hand it over like
    ///     a key.
    ///   - role: The role that guests get, `relay`, `reader`, `editor`, `admin` or `owner`: below the
    ///     inviter's own, and at most editor if delegated.
    ///   - includeSignaling: Whether the code carries the signalling servers, so that the guest
    ///     needs no setting.
    ///   - includesHistory: Whether guests can read what was written before. If not they are given the
    ///     content keys from this call on alone: they hold the older entries, sealed, and see no object
    ///     that was made before, nor what became of it since. ``shareHistory(with:)`` opens them later.
    public func invite(
        lifetime: Duration = .seconds(3600), maxUses: Int = 1, isDelegated: Bool = false,
        role: String = "editor", includeSignaling: Bool = true, includesHistory: Bool = true
    ) async throws -> Invitation {
        guard let uses = UInt32(exactly: maxUses) else {
            throw EchoError.invalidArgument("maxUses is a number of guests, not \(maxUses)")
        }
        let options = EchoDBNative.InviteOptions(
            expiresS: try lifetime.wholeSeconds(for: "lifetime"),
            maxUses: uses, delegated: isDelegated, role: role,
            includeSignaling: includeSignaling, history: includesHistory)
        let invitation = try await translating { try await native.invite(options: options) }
        return Invitation(native: invitation, owner: native, lifeline: lifeline)
    }

    /// All objects as JSON lines: a header line, then one object a line. Values only: no history,
    /// and not the space's own properties.
    public func exportJSON() async throws -> Data {
        try await translating { try await native.exportJson() }
    }

    /// Reads what ``exportJSON()`` wrote: makes objects that are absent, and sets the fields of
    /// those that exist.
    ///
    /// Checked as a whole before anything is written, then written a thousand objects a
    /// transaction.
    ///
    /// - Returns: The number of objects.
    @discardableResult
    public func importJSON(_ data: Data) async throws -> Int {
        Int(try await translating { try await native.importJson(data: data) })
    }

    /// The committed changes, local and remote, of the objects that satisfy a filter, from the
    /// moment on at which this returns.
    ///
    /// Throws ``EchoError/Kind/invalidArgument`` for a filter that makes no sense; the sequence
    /// itself does not throw.
    public func changes(type: String? = nil, where filter: Filter = .all) async throws -> Changes {
        try await Changes(
            of: native, filter: try JSONWriter.filter(type: type, where: filter),
            lifeline: lifeline)
    }

    /// Calls `body` for every batch of committed changes of the objects that satisfy a filter.
    ///
    /// It runs on threads of the library, one call at a time for each subscription, with no lock
    /// held. While it runs, changes are gathered: a slow one costs no more than memory for each
    /// changed object. One that throws is logged and kept.
    ///
    /// - Returns: What ends it: keep it as long as the calls are wanted.
    public func subscribe(
        type: String? = nil, where filter: Filter = .all,
        _ body: @escaping @Sendable (ChangeBatch) throws -> Void
    ) async throws -> Subscription {
        let json = try JSONWriter.filter(type: type, where: filter)
        let listener = ChangeListener(body)
        let subscription = try await translating {
            try await native.subscribe(filter: json, listener: listener)
        }
        return Subscription(subscription, owner: native)
    }
}
