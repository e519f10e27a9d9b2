internal import EchoDBNative

/// How plain data is written.
public enum ImportFormat: Hashable, Sendable, CaseIterable {
    /// One JSON array of objects, or one object.
    case json
    /// A JSON object a line.
    case ndjson
    /// A table (RFC 4180), in UTF-8.
    case csv

    fileprivate var native: EchoDBNative.ImportFormat {
        switch self {
        case .json: .json
        case .ndjson: .ndjson
        case .csv: .csv
        }
    }
}

/// What a column, or a member of JSON objects, holds.
public enum ColumnKind: Hashable, Sendable, CaseIterable {
    /// Found out from all cells of the column: booleans, integers, floats, times with a zone
    /// (RFC 3339), else strings. JSON says itself what it is.
    case infer
    /// Strings.
    case string
    /// Texts that merge character by character.
    case text
    /// Integers of 64 bits.
    case integer
    /// Floating-point numbers.
    case float
    /// `true`, `yes` or `1`, and `false`, `no` or `0`, in any case.
    case boolean
    /// RFC 3339, a date alone (UTC), or milliseconds since 1970.
    case timestamp
    /// Object ids, `echo:OBJECT` or `echo://SPACE/OBJECT`.
    case reference
    /// JSON, with tagged values as everywhere.
    case json
    /// Left out.
    case ignore

    fileprivate var native: EchoDBNative.ColumnKind {
        switch self {
        case .infer: .infer
        case .string: .string
        case .text: .text
        case .integer: .integer
        case .float: .float
        case .boolean: .boolean
        case .timestamp: .timestamp
        case .reference: .reference
        case .json: .json
        case .ignore: .ignore
        }
    }
}

/// What a row that cannot be used leads to.
public enum OnError: Hashable, Sendable, CaseIterable {
    /// The import fails. The input is read through before anything is written, so that a malformed
    /// row leaves everything as it was.
    case stop
    /// The row is left out and reported.
    case skip

    fileprivate var native: EchoDBNative.OnError {
        switch self {
        case .stop: .stop
        case .skip: .skip
        }
    }
}

/// What becomes of one column, or of one member of JSON objects.
public struct ImportColumn: Hashable, Sendable {
    /// Its name in the input; columns without a header are `column_1` and so on.
    public var name: String
    /// The field that it goes to, if not one of the same name.
    public var field: String?
    /// What it holds.
    public var kind: ColumnKind

    /// The column `name`.
    public init(_ name: String, field: String? = nil, kind: ColumnKind = .infer) {
        self.name = name
        self.field = field
        self.kind = kind
    }
}

/// How plain data becomes objects.
public struct ImportOptions: Hashable, Sendable {
    /// How the input is written.
    public var format: ImportFormat
    /// The objects' type.
    public var type: String?
    /// The column or member whose value is the objects' natural key: importing again updates the
    /// objects that exist, on whichever peer. Takes a type. Without a key every row is a new object.
    public var key: String?
    /// Columns or members of which something is to be said.
    public var columns: [ImportColumn]
    /// What all others hold.
    public var otherColumns: ColumnKind
    /// What stands between the cells of a table, one ASCII character.
    public var delimiter: String
    /// Whether a table's first row names the columns.
    public var hasHeader: Bool
    /// What a row that cannot be used leads to.
    public var onError: OnError

    /// Options for input of a format.
    public init(
        _ format: ImportFormat, type: String? = nil, key: String? = nil,
        columns: [ImportColumn] = [], otherColumns: ColumnKind = .infer, delimiter: String = ",",
        hasHeader: Bool = true, onError: OnError = .stop
    ) {
        self.format = format
        self.type = type
        self.key = key
        self.columns = columns
        self.otherColumns = otherColumns
        self.delimiter = delimiter
        self.hasHeader = hasHeader
        self.onError = onError
    }

    var native: EchoDBNative.ImportOptions {
        EchoDBNative.ImportOptions(
            format: format.native, typeName: type, key: key,
            columns: columns.map {
                EchoDBNative.ImportColumn(name: $0.name, field: $0.field, kind: $0.kind.native)
            },
            otherColumns: otherColumns.native, delimiter: delimiter, header: hasHeader,
            onError: onError.native)
    }
}

/// A row that was left out.
public struct SkippedRow: Hashable, Sendable {
    /// The line that it begins on, from 1.
    public let line: Int
    /// Why.
    public let reason: String
}

/// What an import did.
public struct ImportReport: Hashable, Sendable {
    /// Rows read, a header not counted.
    public let rows: Int
    /// Objects made.
    public let created: Int
    /// Rows that changed objects which existed.
    public let updated: Int
    /// Rows whose objects were like that already.
    public let unchanged: Int
    /// Rows left out.
    public let skipped: Int
    /// The first thousand of them.
    public let skips: [SkippedRow]

    init(native: EchoDBNative.ImportReport) {
        rows = Int(clamping: native.rows)
        created = Int(clamping: native.created)
        updated = Int(clamping: native.updated)
        unchanged = Int(clamping: native.unchanged)
        skipped = Int(clamping: native.skipped)
        skips = native.skips.map { SkippedRow(line: Int(clamping: $0.line), reason: $0.reason) }
    }
}
