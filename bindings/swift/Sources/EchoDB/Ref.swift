/// A weak reference to an object, which may not exist, or not yet.
public struct Ref: Hashable, Sendable {
    /// The object's id.
    public let id: String
    /// The other space's id; `nil` for the space that the reference stands in.
    public let space: String?

    /// A reference to the object `id` of `space`, or of the space that the reference stands in.
    public init(id: String, space: String? = nil) {
        self.id = id
        self.space = space
    }
}

extension Ref: LosslessStringConvertible {
    /// Reads `echo:OBJECT` or `echo://SPACE/OBJECT`; `nil` for anything else.
    public init?(_ description: String) {
        if description.hasPrefix("echo://") {
            let parts = description.dropFirst("echo://".count)
                .split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            self.init(id: String(parts[1]), space: String(parts[0]))
        } else if description.hasPrefix("echo:") {
            self.init(id: String(description.dropFirst("echo:".count)))
        } else {
            return nil
        }
    }

    /// `echo:OBJECT` or `echo://SPACE/OBJECT`.
    public var description: String {
        if let space { "echo://\(space)/\(id)" } else { "echo:\(id)" }
    }
}
