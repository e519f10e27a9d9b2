/// A blob as the field of an object names it: what keeps the blob from being collected, here and on
/// every peer that has the object.
public struct BlobRef: Hashable, Sendable {
    /// The blob's id, 52 characters.
    public let id: String
    /// Its size in bytes.
    public let size: Int64

    /// Names the blob `id` of `size` bytes.
    public init(id: String, size: Int64) {
        self.id = id
        self.size = size
    }
}

extension BlobRef: ValueConvertible {
    /// ``Value/blob(_:)``.
    public var databaseValue: Value { .blob(self) }
}
