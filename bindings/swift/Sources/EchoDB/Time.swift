import Foundation

extension Date {
    /// The nearest `Date` to a time that the database holds.
    init(millisecondsSince1970 milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// The milliseconds since 1970, rounded to whole ones: what `Date` keeps is a sum of binary
    /// fractions, a little off on either side.
    func millisecondsSince1970() throws -> Int64 {
        let milliseconds = (timeIntervalSince1970 * 1000).rounded()
        guard let whole = Int64(exactly: milliseconds) else {
            throw EchoError.invalidArgument(
                "\(timeIntervalSince1970) seconds from 1970 are no time that can be kept")
        }
        return whole
    }
}

extension Duration {
    /// Whole seconds, begun ones counted, for the option `name`.
    func wholeSeconds(for name: String) throws -> UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else {
            throw EchoError.invalidArgument("\(name) is a time from now on, not \(self)")
        }
        return UInt64(seconds) + (attoseconds > 0 ? 1 : 0)
    }

    /// Whole milliseconds, begun ones counted, for the option `name`.
    func wholeMilliseconds(
        for name: String, upTo most: Duration = .seconds(1)
    ) throws -> UInt32 {
        guard self >= .zero, self <= most else {
            throw EchoError.invalidArgument("\(name) may be 0 to \(most), not \(self)")
        }
        let (seconds, attoseconds) = components
        let (begun, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        return UInt32(seconds * 1000 + begun + (rest > 0 ? 1 : 0))
    }
}
