/// A range of a text in UTF-16 units, which the library counts for us.
struct TextRange {
    let position: UInt64
    let length: UInt64

    init(position: Int, length: Int) throws {
        guard position >= 0, length >= 0 else {
            throw EchoError.invalidArgument(
                "a position and a length in a text are 0 or more, not \(position) and \(length)")
        }
        self.position = UInt64(position)
        self.length = UInt64(length)
    }

    init(_ range: Range<String.Index>, of text: String) throws {
        let units = text.utf16
        guard range.lowerBound >= units.startIndex, range.upperBound <= units.endIndex,
            let lower = range.lowerBound.samePosition(in: units),
            let upper = range.upperBound.samePosition(in: units)
        else {
            throw EchoError.invalidArgument(
                "the index is past the end of the text or within a character: it is of another text")
        }
        try self.init(
            position: units.distance(from: units.startIndex, to: lower),
            length: units.distance(from: lower, to: upper))
    }
}
