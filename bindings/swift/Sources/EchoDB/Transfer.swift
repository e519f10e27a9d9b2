internal import EchoDBNative
import Foundation

/// What an archive holds.
public struct ArchiveInfo: Hashable, Sendable {
    /// The space's id.
    public let space: String
    /// The version of the archive's format.
    public let version: Int
    /// Feeds.
    public let feeds: Int
    /// Entries of all feeds.
    public let entries: Int
    /// Those of them that say who is a member and which keys there are.
    public let controlEntries: Int
    /// Blobs: those that objects named, and that whoever exported it had as a whole.
    public let blobs: Int
    /// The file's size.
    public let bytes: Int64
    /// SHA-256 of all but the file's last 32 bytes, which are this, in 64 hexadecimal digits.
    public let digest: String

    init(native: EchoDBNative.ArchiveInfo) {
        space = native.space
        version = Int(native.version)
        feeds = Int(clamping: native.feeds)
        entries = Int(clamping: native.entries)
        controlEntries = Int(clamping: native.controlEntries)
        blobs = Int(clamping: native.blobs)
        bytes = Int64(clamping: native.bytes)
        digest = native.digest
    }
}

/// Checks an archive, without any key: that it is whole, that every entry is signed by its author's
/// device, follows the entries it names, and that its author was a member.
///
/// Throws ``EchoError`` of the kind ``EchoError/Kind/notFound`` if there is no such file,
/// ``EchoError/Kind/invalidArgument`` if it is no archive, and with the status
/// ``EchoError/Status/unsupportedVersion`` or ``EchoError/Status/corrupt``.
public func verifyArchive(at file: URL) async throws -> ArchiveInfo {
    let path = try file.filePath(for: "archive")
    return ArchiveInfo(
        native: try await translating { try await EchoDBNative.verifyArchive(path: path) })
}

extension Client {
    /// Brings in a space's archive and opens the space: as a new space of this profile, into the one
    /// that is here, or in place of one whose file is lost or damaged (which is kept beside).
    ///
    /// The archive is checked as a whole before anything is written. Throws as
    /// ``verifyArchive(at:)`` does, and ``EchoError/Kind/permissionDenied`` if this profile's device
    /// is no member of the space.
    public func importArchive(from file: URL) async throws -> Space {
        let path = try file.filePath(for: "archive")
        return space(try await translating { try await native.importArchive(path: path) })
    }
}

extension Space {
    /// Writes the space with its history into one file: all feeds and entries as they were received,
    /// signed and sealed.
    ///
    /// The file appears when it is whole, and replaces one of that name. Members' devices can import
    /// it (``Client/importArchive(from:)``), and anybody can check it (``verifyArchive(at:)``); only
    /// members can read it.
    @discardableResult
    public func exportArchive(to file: URL) async throws -> ArchiveInfo {
        let path = try file.filePath(for: "archive")
        return ArchiveInfo(
            native: try await translating { try await native.exportArchive(path: path) })
    }

    /// As ``exportJSON()``, into a file, without holding all of it in memory. The file appears when
    /// it is whole, and replaces one of that name.
    ///
    /// - Returns: The number of objects.
    @discardableResult
    public func exportJSON(to file: URL) async throws -> Int {
        let path = try file.filePath(for: "file")
        return Int(try await translating { try await native.exportJsonFile(path: path) })
    }

    /// As ``importJSON(_:)``, from a file, without holding all of it in memory.
    ///
    /// - Returns: The number of objects.
    @discardableResult
    public func importJSON(from file: URL) async throws -> Int {
        let path = try file.filePath(for: "file")
        return Int(try await translating { try await native.importJsonFile(path: path) })
    }

    /// Makes objects of plain data: JSON, JSON lines or CSV; up to a thousand rows a transaction.
    ///
    /// ```swift
    /// let options = ImportOptions(.csv, type: "Book", key: "isbn")
    /// let report = try await space.importData(data, options)
    /// print(report.created, report.skipped)
    /// ```
    ///
    /// An error after some were written says how many; with a key, importing again is harmless then.
    @discardableResult
    public func importData(_ data: Data, _ options: ImportOptions) async throws -> ImportReport {
        ImportReport(
            native: try await translating {
                try await native.importData(data: data, options: options.native)
            })
    }

    /// As the other `importData`, from a file, without holding all of it in memory.
    @discardableResult
    public func importData(
        from file: URL, _ options: ImportOptions
    ) async throws -> ImportReport {
        let path = try file.filePath(for: "file")
        return ImportReport(
            native: try await translating {
                try await native.importFile(path: path, options: options.native)
            })
    }

    /// An object with its history as an Automerge file, which any program of Automerge opens.
    public func exportObject(_ id: String) async throws -> Data {
        try await translating { try await native.exportObject(id: id) }
    }

    /// Makes an object of an Automerge file, or, with `into`, brings the changes that the file has
    /// beyond that object into it, as made at the version where the two part.
    ///
    /// The file may be hostile: it is bounded, and what it says is written anew under this device's
    /// name, without its history. Throws ``EchoError/Kind/invalidArgument`` if it is malformed or
    /// shares no history with `into`.
    ///
    /// - Returns: The object's id.
    @discardableResult
    public func importObject(_ data: Data, into id: String? = nil) async throws -> String {
        try await translating { try await native.importObject(data: data, into: id) }
    }
}
