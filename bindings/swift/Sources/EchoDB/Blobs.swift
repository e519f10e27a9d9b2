internal import EchoDBNative
import Foundation

/// What is here of a blob.
public struct BlobInfo: Hashable, Sendable, Identifiable {
    /// Its id, 52 characters.
    public let id: String
    /// Its size, in bytes.
    public let size: Int64
    /// How many of its bytes are here.
    public let held: Int64
    /// Whether all of them are.
    public let isWhole: Bool
    /// Whether an object names it that is not deleted.
    public let isReferenced: Bool

    init(native: EchoDBNative.BlobInfo) {
        id = native.id
        size = Int64(clamping: native.size)
        held = Int64(clamping: native.held)
        isWhole = native.whole
        isReferenced = native.referenced
    }

    /// The blob as an object's field names it.
    public var ref: BlobRef {
        BlobRef(id: id, size: size)
    }
}

/// What a collection did.
public struct CollectedBlobs: Hashable, Sendable {
    /// How many blobs were removed.
    public let blobs: Int
    /// Bytes that this freed in the space's file. The file keeps its size: what is written next
    /// takes the room.
    public let bytes: Int64

    init(native: EchoDBNative.CollectedBlobs) {
        blobs = Int(clamping: native.blobs)
        bytes = Int64(clamping: native.bytes)
    }
}

/// A blob being written, in as many pieces as wanted; memory stays bounded.
///
/// Give the pieces from one task at a time. Letting go of it before ``finish()`` gives the blob up.
public final class BlobWriter: Sendable {
    private let native: EchoDBNative.BlobWriter

    init(native: EchoDBNative.BlobWriter) {
        self.native = native
    }

    /// Bytes written so far; 0 after the end.
    public var size: Int64 {
        Int64(clamping: native.size())
    }

    /// Adds bytes at the end.
    ///
    /// Throws ``EchoError/Kind/limitExceeded``, having taken nothing, past 16 GiB in all; any other
    /// error ends the writing.
    public func write(_ bytes: Data) async throws {
        try await translating { try await native.write(bytes: bytes) }
    }

    /// Ends the writing: from now on the blob is here, and peers who ask for it get it. Throws
    /// ``EchoError/Kind/invalidState`` after the end.
    @discardableResult
    public func finish() async throws -> BlobInfo {
        BlobInfo(native: try await translating { try await native.finish() })
    }

    /// Gives the blob up; what was written goes. Does nothing after the end.
    public func cancel() {
        native.cancel()
    }
}

extension Space {
    /// The most that the library hands out at once.
    private static let piece = 16 << 20

    /// Begins to write a blob, piece by piece. Throws ``EchoError/Kind/permissionDenied`` for who
    /// may not write objects.
    public func blobWriter() async throws -> BlobWriter {
        BlobWriter(native: try await translating { try await native.blobWriter() })
    }

    /// Stores bytes as a blob, 16 GiB at most. Equal bytes are stored once and have one id.
    ///
    /// Blobs that no object names are collected: put ``BlobInfo/ref`` into a field of an object.
    ///
    /// ```swift
    /// let photo = try await space.putBlob(data)
    /// try await space.create("Photo", ["image": .blob(photo.ref)])
    /// ```
    @discardableResult
    public func putBlob(_ bytes: Data) async throws -> BlobInfo {
        BlobInfo(native: try await translating { try await native.putBlob(bytes: bytes) })
    }

    /// As the other `putBlob`, with the bytes of a file, however large, in bounded memory. Throws
    /// ``EchoError/Kind/notFound`` if there is no such file.
    @discardableResult
    public func putBlob(contentsOf file: URL) async throws -> BlobInfo {
        let path = try file.filePath(for: "file")
        return BlobInfo(native: try await translating { try await native.putBlobFile(path: path) })
    }

    /// Bytes of a blob. Each block is verified.
    ///
    /// Throws ``EchoError/Kind/notFound`` if they are not here: fetch the blob first. The status
    /// ``EchoError/Status/corrupt`` says that a block is damaged.
    ///
    /// - Parameters:
    ///   - id: The blob.
    ///   - offset: Where to begin.
    ///   - length: How many there are at most; fewer at the blob's end. `nil` for all the rest,
    ///     which is in memory as a whole then.
    public func readBlob(
        _ id: String, offset: Int64 = 0, length: Int? = nil
    ) async throws -> Data {
        guard let begin = UInt64(exactly: offset), let most = UInt64(exactly: length ?? .max) else {
            throw EchoError.invalidArgument("an offset and a length are not negative")
        }
        var bytes = Data()
        while UInt64(bytes.count) < most {
            let wanted = min(most - UInt64(bytes.count), UInt64(Self.piece))
            let (next, isPast) = begin.addingReportingOverflow(UInt64(bytes.count))
            guard !isPast else { break }
            let piece = try await translating {
                try await native.readBlob(id: id, offset: next, length: wanted)
            }
            // A small blob is not copied.
            bytes = bytes.isEmpty ? piece : bytes + piece
            guard piece.count == Int(wanted) else { break }
        }
        return bytes
    }

    /// Writes a whole blob to a file, in bounded memory. A file that is there is replaced once all
    /// is written. Throws ``EchoError/Kind/notFound`` if not all of the blob is here.
    public func writeBlob(_ id: String, to file: URL) async throws {
        let path = try file.filePath(for: "file")
        try await translating { try await native.blobToFile(id: id, path: path) }
    }

    /// What is here of a blob; `nil` if nothing is.
    public func blobInfo(_ id: String) async throws -> BlobInfo? {
        try await translating { try await native.blobInfo(id: id) }.map(BlobInfo.init(native:))
    }

    /// Every blob of which something is here, in id order.
    public func blobs() async throws -> [BlobInfo] {
        try await translating { try await native.blobs() }.map(BlobInfo.init(native:))
    }

    /// Fetches a blob from members who hold it, now and whenever one connects, until it is here.
    ///
    /// Blocks that are here already are not asked for again. Who fetches a blob that is on its way
    /// joins that. Throws ``EchoError/Kind/permissionDenied`` for a relay and
    /// ``EchoError/Kind/limitExceeded`` when 256 fetches are under way.
    ///
    /// ```swift
    /// let fetch = try await space.fetchBlob(id)
    /// for await progress in fetch.updates { print(progress.received, progress.total ?? 0) }
    /// try await fetch.wait()
    /// ```
    public func fetchBlob(_ id: String) async throws -> BlobFetch {
        let fetch = try await translating { try await native.fetchBlob(id: id) }
        return BlobFetch(native: fetch, owner: native, lifeline: lifeline)
    }

    /// Removes blobs that no object in sight has named for `grace`, as far as this device noticed.
    ///
    /// That time begins with the blob's writing or fetching, or with the first collection, this one
    /// included, that finds it unnamed. Blobs that only deleted objects or older versions name count
    /// as unnamed. Every opening of the space does this by itself, with a week.
    @discardableResult
    public func collectBlobs(grace: Duration = .seconds(604_800)) async throws -> CollectedBlobs {
        let seconds = try grace.wholeSeconds(for: "grace")
        return CollectedBlobs(
            native: try await translating { try await native.collectBlobs(graceS: seconds) })
    }
}
