/// One change that leads from a version of an object to another. Paths are JSON Pointers; places in
/// texts are in UTF-16 units. Changes are to be read in order: indexes and places hold where those
/// before have been made.
public enum Difference: Hashable, Sendable {
    /// An entry of a map or an element of a list has this value now.
    case set(path: String, value: Value)
    /// An entry of a map is gone.
    case remove(path: String)
    /// Elements were inserted so that the first has the path's index.
    case insert(path: String, values: [Value])
    /// That many elements are gone, from the path's index on.
    case removeElements(path: String, count: Int)
    /// In a text, so much was deleted at a place, and this inserted.
    case splice(path: String, position: Int, delete: Int, insert: String)
    /// So much was added to a counter.
    case increment(path: String, by: Int64)
    /// A stretch of a text has this mark; of null: no longer.
    case mark(path: String, range: Range<Int>, name: String, value: Value)

    /// The place in the object.
    public var path: String {
        switch self {
        case .set(let path, _), .remove(let path), .insert(let path, _),
            .removeElements(let path, _), .splice(let path, _, _, _), .increment(let path, _),
            .mark(let path, _, _, _):
            path
        }
    }

    /// Of the keys of a change in JSON; `nil` for one of a kind that is not known.
    init?(json: [String: Value]) {
        func number(_ name: String) -> Int {
            Int(json[name]?.intValue ?? 0)
        }
        let path = json["path"]?.stringValue ?? ""
        switch (json["op"]?.stringValue, json["count"]) {
        case ("set", _):
            self = .set(path: path, value: json["value"] ?? .null)
        case ("remove", nil):
            self = .remove(path: path)
        case ("remove", .some):
            self = .removeElements(path: path, count: number("count"))
        case ("insert", _):
            self = .insert(path: path, values: json["values"]?.listValue ?? [])
        case ("splice", _):
            self = .splice(
                path: path, position: number("position"), delete: number("delete"),
                insert: json["insert"]?.stringValue ?? "")
        case ("increment", _):
            self = .increment(path: path, by: json["by"]?.intValue ?? 0)
        case ("mark", _):
            let start = number("start")
            self = .mark(
                path: path, range: start..<max(start, number("end")),
                name: json["name"]?.stringValue ?? "", value: json["value"] ?? .null)
        default:
            return nil
        }
    }
}
