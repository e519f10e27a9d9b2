internal import EchoDBNative

/// Something that may be asked for with ``Space/why(_:may:)``.
public enum AccessAction: String, Hashable, Sendable, CaseIterable {
    /// Take part at all.
    case open
    /// Read.
    case read
    /// Write.
    case write
    /// Invite.
    case invite
    /// Give and take roles.
    case administer
}

/// An operation that an explanation names.
public struct ExplanationStep: Hashable, Sendable {
    /// The id of the control entry that holds it.
    public let entry: String
    /// What it did, as an English sentence; of one that does not count also why not. Members are
    /// called by the names that they gave themselves and the first eight characters of their keys.
    public let text: String
    /// Whether it counts: whoever stands higher voids what the denied do at the same time.
    public let counts: Bool

    init(native: EchoDBNative.ExplanationStep) {
        entry = native.entry
        text = native.text
        counts = native.counts
    }
}

/// Why somebody may do something in a space, or may not. See ``Space/why(_:may:)``.
public struct AccessExplanation: Hashable, Sendable {
    /// Whether it may, as far as this device has heard.
    public let isAllowed: Bool
    /// The answer in one English sentence.
    public let summary: String
    /// The operations that led to it, in an order in which they can have happened: who invited whom,
    /// which role came when, what denied it. Each builds on what is above, or is concurrent with it.
    public let steps: [ExplanationStep]

    init(native: EchoDBNative.Explanation) {
        isAllowed = native.allowed
        summary = native.summary
        steps = native.steps.map(ExplanationStep.init(native:))
    }
}

extension Space {
    /// Why an identity or a device may do something here, or may not.
    ///
    /// For people: the sentences may change from version to version. Reads what is here, so the answer
    /// may differ on a device that has heard less or more. Somebody unknown gets an explanation too.
    /// Throws ``EchoError/Kind/invalidArgument`` for what is no key.
    ///
    /// - Parameters:
    ///   - subject: The key of an identity or of a device, as ``members()`` gives them.
    ///   - action: What it would do.
    public func why(_ subject: String, may action: AccessAction) async throws -> AccessExplanation {
        AccessExplanation(
            native: try await translating {
                try await native.why(subject: subject, action: action.rawValue)
            })
    }
}
