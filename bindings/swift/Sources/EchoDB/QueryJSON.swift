/// The library's JSON form of filters and queries.
extension JSONWriter {
    /// The JSON text of a filter that also asks for a type.
    static func filter(type: String?, where filter: Filter) throws -> String {
        var writer = JSONWriter()
        try writer.write(filter.narrowed(to: type).condition, depth: 0)
        return writer.text
    }

    /// The JSON text of a query.
    static func query(
        type: String?, where filter: Filter, order: [Order], limit: Int?, skip: Int
    ) throws -> String {
        var writer = JSONWriter()
        writer.write(raw: "{\"where\":")
        try writer.write(filter.narrowed(to: type).condition, depth: 0)
        if !order.isEmpty {
            writer.write(raw: ",\"order\":")
            writer.write(list: order) { writer, order in
                writer.write(raw: "{\"by\":")
                writer.write(string: order.key)
                writer.write(raw: ",\"desc\":\(order.isDescending)}")
            }
        }
        if let limit {
            writer.write(raw: ",\"limit\":\(limit)")
        }
        if skip != 0 {
            writer.write(raw: ",\"skip\":\(skip)")
        }
        writer.write(raw: "}")
        return writer.text
    }

    private mutating func write(_ condition: Filter.Condition, depth: Int) throws {
        // As deep as a program can go without meaning it; the library's own limit is smaller.
        if depth > 128 {
            throw EchoError.limitExceeded("filters may be nested 128 deep")
        }
        switch condition {
        case .everything:
            write(raw: "{}")
        case .json(let json):
            write(raw: json)
        case .and(let inner), .or(let inner):
            if case .and = condition { write(raw: "{\"and\":") } else { write(raw: "{\"or\":") }
            try write(list: inner) { try $0.write($1, depth: depth + 1) }
            write(raw: "}")
        case .not(let inner):
            write(raw: "{\"not\":")
            try write(inner, depth: depth + 1)
            write(raw: "}")
        case .field(let path, let test, let value):
            write(raw: "{\"field\":")
            write(string: path)
            write(raw: ",\"op\":\"\(test)\",\"value\":")
            try write(comparable: value)
            write(raw: "}")
        case .type, .id, .parent, .deleted, .time:
            try write(simple: condition)
        }
    }

    private mutating func write(simple condition: Filter.Condition) throws {
        switch condition {
        case .type(let names):
            write(raw: "{\"type\":")
            write(list: names) { $0.write(optional: $1) }
        case .id(let ids):
            write(raw: "{\"id\":")
            write(list: ids) { $0.write(string: $1) }
        case .parent(let parent):
            write(raw: "{\"parent\":")
            write(optional: parent)
        case .time(let name, let test, let date):
            write(raw: "{\"\(name)\":{\"\(test)\":\(try date.millisecondsSince1970())}")
        case .deleted(let isDeleted):
            write(raw: "{\"deleted\":\(isDeleted)")
        case .everything, .json, .and, .or, .not, .field:
            write(raw: "{")
        }
        write(raw: "}")
    }

    private mutating func write(optional string: String?) {
        if let string { write(string: string) } else { write(raw: "null") }
    }
}

extension Filter {
    fileprivate func narrowed(to type: String?) -> Filter {
        guard let type else { return self }
        return self == .all ? .type(type) : .type(type) && self
    }
}
