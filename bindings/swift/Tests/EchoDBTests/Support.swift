import EchoDB
import Foundation
import XCTest

/// How long anything may take on a slow machine before a test calls it stuck.
let patience = Duration.seconds(60)

/// Its outcome, or a failure when it takes too long.
func soon<T: Sendable>(_ work: @escaping @Sendable () async throws -> T) async throws -> T {
    try await withThrowingTaskGroup(of: T.self) { group in
        group.addTask(operation: work)
        group.addTask {
            try await Task.sleep(for: patience)
            throw Stuck()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw Stuck() }
        return first
    }
}

/// Something did not come about in time.
struct Stuck: Error {}

/// Waits until `check` holds.
func until(
    isolation: isolated (any Actor)? = #isolation, _ check: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + patience
    while try await !check() {
        guard ContinuousClock.now < deadline else { throw Stuck() }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// The ``EchoError`` that a call throws.
@discardableResult
func failure<T>(
    _ kind: EchoError.Kind, file: StaticString = #filePath, line: UInt = #line,
    _ call: () async throws -> T
) async -> EchoError? {
    do {
        _ = try await call()
        XCTFail("it succeeded", file: file, line: line)
    } catch let error as EchoError {
        XCTAssertEqual(error.kind, kind, error.detail, file: file, line: line)
        XCTAssertGreaterThan(error.detail.count, 10, file: file, line: line)
        return error
    } catch {
        XCTFail("\(error)", file: file, line: line)
    }
    return nil
}

/// A client in memory with an identity and a space.
struct Notebook {
    let client: Client
    let space: Space

    init() async throws {
        client = try await Client.open(isOnline: false)
        try await client.createIdentity(displayName: "Ada")
        space = try await client.createSpace(name: "Notes")
    }

    /// Runs a test on a fresh one.
    static func with(_ body: (Notebook) async throws -> Void) async throws {
        let notebook = try await Notebook()
        do {
            try await body(notebook)
        } catch {
            try? await notebook.client.shutdown()
            throw error
        }
        try await notebook.client.shutdown()
    }
}

/// A folder for a test's profile, removed with it.
func temporaryFolder(_ test: XCTestCase) throws -> URL {
    let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("echodb-swift-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    test.addTeardownBlock { try FileManager.default.removeItem(at: folder) }
    return folder
}

/// What several threads add to.
final class Collected<Item: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var collected: [Item] = []

    func append(_ item: Item) {
        lock.withLock { collected.append(item) }
    }

    var items: [Item] {
        lock.withLock { collected }
    }
}

/// Runs a program that was built along with the tests to its good end; returns what it printed.
func output(of program: String, _ arguments: String...) async throws -> String {
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let printed = try Printed()
    let process = Process()
    process.executableURL = folder.appendingPathComponent(program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = printed.handle
    try process.run()
    try await until { !process.isRunning }
    XCTAssertEqual(process.terminationReason, .exit, program)
    XCTAssertEqual(process.terminationStatus, 0, program)
    return try printed.text
}

/// What a program prints. A file, because reading from a pipe would hold a thread that the tests'
/// tasks need.
final class Printed {
    let handle: FileHandle
    private let file: URL

    init() throws {
        file = FileManager.default.temporaryDirectory
            .appendingPathComponent("echodb-printed-\(UUID().uuidString)")
        XCTAssertTrue(FileManager.default.createFile(atPath: file.path, contents: nil))
        handle = try FileHandle(forWritingTo: file)
    }

    deinit {
        try? FileManager.default.removeItem(at: file)
    }

    var text: String {
        get throws { try String(contentsOf: file, encoding: .utf8) }
    }
}

/// A running `echodb-signal`.
final class SignalingServer {
    let url: String
    private let process: Process

    /// Starts the program that the environment names; skips the test if it names none.
    init() async throws {
        guard let program = ProcessInfo.processInfo.environment["ECHODB_SIGNAL"] else {
            throw XCTSkip("ECHODB_SIGNAL does not name the echodb-signal program")
        }
        let printed = try Printed()
        process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--listen", "127.0.0.1:0"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = printed.handle
        try process.run()
        var line = ""
        try await until {
            line = try printed.text
            return line.hasSuffix("\n")
        }
        let greeting = "listening on "
        guard line.hasPrefix(greeting) else { throw Stuck() }
        url = line.dropFirst(greeting.count).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func stop() async throws {
        // The threads of tasks block the milder signals, and a child inherits that.
        kill(process.processIdentifier, SIGKILL)
        try await until { !process.isRunning }
    }
}
