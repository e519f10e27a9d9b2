internal import EchoDBNative
import Foundation

/// How much a log is to hear; each level includes the ones before it.
public enum LogLevel: Int, Comparable, Sendable, CaseIterable {
    /// Nothing.
    case off
    /// A defect, or data that cannot be kept.
    case error
    /// Something a user may have to act on.
    case warning
    /// Life-cycle: opened, connected, paired.
    case info
    /// What a developer of an application wants to see.
    case debug
    /// Everything.
    case trace

    /// Whether one level lets through less than another.
    public static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// One line of the log. It names ids, never the content of objects, nor any key.
public struct LogRecord: Hashable, Sendable {
    /// Its level.
    public let level: LogLevel
    /// The part of the library that speaks, for example `swarm`.
    public let target: String
    /// The line, without a newline.
    public let text: String
    /// When.
    public let time: Date
}

/// Takes the log's lines, on threads of the library, several at once perhaps.
public typealias LogHandler = @Sendable (LogRecord) -> Void

final class LogSink: EchoDBNative.LogSink {
    private let handler: LogHandler

    init(_ handler: @escaping LogHandler) {
        self.handler = handler
    }

    func log(record: EchoDBNative.LogRecord) {
        handler(
            LogRecord(
                level: LogLevel(native: record.level), target: record.target, text: record.text,
                time: Date(millisecondsSince1970: Int64(clamping: record.timeMs))))
    }
}

extension LogLevel {
    init(native: EchoDBNative.LogLevel) {
        switch native {
        case .off: self = .off
        case .error: self = .error
        case .warn: self = .warning
        case .info: self = .info
        case .debug: self = .debug
        case .trace: self = .trace
        }
    }

    var native: EchoDBNative.LogLevel {
        switch self {
        case .off: .off
        case .error: .error
        case .warning: .warn
        case .info: .info
        case .debug: .debug
        case .trace: .trace
        }
    }
}
