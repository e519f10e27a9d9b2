import Foundation
import XCTest

/// What people read is right: the example does what it says, README.md shows it as it is, and
/// everything public is described.
final class DocumentationTests: XCTestCase {
    private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    func testTheExample() async throws {
        let printed = try await output(of: "notes")
        XCTAssertEqual(printed, "Buy oat milk\n")
    }

    func testTheReadmeShowsIt() throws {
        func text(_ name: String) throws -> String {
            try String(contentsOf: package.appendingPathComponent(name), encoding: .utf8)
        }
        let example = try text("Examples/Notes/main.swift")
            .components(separatedBy: "// README-BEGIN\n").last?
            .components(separatedBy: "// README-END").first
        XCTAssertTrue(try text("README.md").contains(XCTUnwrap(example)))
    }

    func testEverythingPublicIsDescribed() throws {
        let sources = package.appendingPathComponent("Sources/EchoDB")
        var declarations = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
            let text = try String(
                contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
            var isDescribed = false, isEnum = false
            for (number, line) in text.components(separatedBy: "\n").enumerated() {
                let words = line.trimmingCharacters(in: .whitespaces)
                if words.hasPrefix("///") {
                    isDescribed = true
                } else if words.hasPrefix("public ") || (isEnum && words.hasPrefix("case ")) {
                    XCTAssertTrue(isDescribed, "\(file):\(number + 1): \(words)")
                    declarations += 1
                }
                if words.hasPrefix("public enum ") {
                    isEnum = true
                } else if ["func ", "var ", "init("].contains(where: words.contains) {
                    // What follows are the cases of a switch.
                    isEnum = false
                }
                if !words.hasPrefix("///") && !words.hasPrefix("@") { isDescribed = false }
            }
        }
        XCTAssertGreaterThan(declarations, 200)
    }
}
