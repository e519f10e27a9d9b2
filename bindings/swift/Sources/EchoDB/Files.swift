import Foundation

extension URL {
    /// The path of a file, for the argument `name`.
    func filePath(for name: String) throws -> String {
        guard isFileURL else {
            throw EchoError.invalidArgument("\(name) is a file, which \(self) is not")
        }
        return path
    }
}
