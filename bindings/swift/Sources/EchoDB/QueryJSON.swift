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
        type: String?, where filter: Filter, follow: [Link], order: [Order], limit: Int?,
        skip: Int
    ) throws -> String {
        var writer = JSONWriter()
        try writer.write(type: type, where: filter, follow: follow)
        if !order.isEmpty {
            writer.write(raw: ",\"order\":")
            writer.write(list: order) { writer, order in
                writer.write(raw: "{\"by\":")
                writer.write(string: order.key)
                writer.write(raw: ",\"desc\":\(order.isDescending)}")
            }
        }
        writer.write(limit: limit, skip: skip)
        writer.write(raw: "}")
        return writer.text
    }

    /// The JSON text of an aggregation.
    static func aggregation(_ aggregation: Aggregation) throws -> String {
        var writer = JSONWriter()
        try writer.write(
            type: aggregation.type, where: aggregation.filter, follow: aggregation.follow)
        // Also without keys: it tells an aggregation from a query.
        writer.write(raw: ",\"group\":")
        writer.write(list: aggregation.group) { $0.write(string: $1.key) }
        if !aggregation.measures.isEmpty {
            writer.write(raw: ",\"aggregate\":{")
            var separator = ""
            for (name, measure) in aggregation.measures {
                writer.write(raw: separator)
                separator = ","
                writer.write(string: name)
                writer.write(raw: ":")
                writer.write(measure)
            }
            writer.write(raw: "}")
        }
        if !aggregation.order.isEmpty {
            writer.write(raw: ",\"order\":")
            writer.write(list: aggregation.order) { writer, order in
                writer.write(raw: "{\"by\":")
                writer.write(string: order.name)
                writer.write(raw: ",\"desc\":\(order.isDescending)}")
            }
        }
        writer.write(limit: aggregation.limit, skip: aggregation.skip)
        writer.write(raw: "}")
        return writer.text
    }

    private mutating func write(_ measure: Measure) {
        guard let of = measure.of else { return write(string: measure.name) }
        write(raw: "{\"\(measure.name)\":")
        write(string: of)
        write(raw: "}")
    }

    /// What a query or an aggregation begins with, and with it the opening brace.
    private mutating func write(type: String?, where filter: Filter, follow: [Link]) throws {
        write(raw: "{\"where\":")
        try write(filter.narrowed(to: type).condition, depth: 0)
        if !follow.isEmpty {
            write(raw: ",\"follow\":")
            try write(list: follow) { writer, link in
                writer.write(raw: "{")
                try writer.write(link, depth: 0)
                writer.write(raw: "}")
            }
        }
    }

    private mutating func write(limit: Int?, skip: Int) {
        if let limit { write(raw: ",\"limit\":\(limit)") }
        if skip != 0 { write(raw: ",\"skip\":\(skip)") }
    }

    /// A link's name and options.
    private mutating func write(_ link: Link, depth: Int) throws {
        write(raw: "\"\(link.name)\":")
        if !link.hasOptions {
            switch link.destination {
            case .anything:
                return write(raw: "true")
            case .ids(let ids):
                return write(list: ids) { $0.write(string: $1) }
            case .satisfying:
                break
            }
        }
        var separator = "{"
        func begin(_ key: String, _ writer: inout JSONWriter) {
            writer.write(raw: "\(separator)\"\(key)\":")
            separator = ","
        }
        if let path = link.path {
            begin("path", &self)
            write(string: path)
        }
        // What a link says that says nothing.
        if let direction = link.direction, direction != .both {
            begin("direction", &self)
            write(string: direction.rawValue)
        }
        if !link.types.isEmpty {
            begin("type", &self)
            write(list: link.types) { $0.write(string: $1) }
        }
        if let via = link.via {
            begin("via", &self)
            try write(via.condition, depth: depth + 1)
        }
        switch link.destination {
        case .anything:
            break
        case .ids(let ids):
            begin("id", &self)
            write(list: ids) { $0.write(string: $1) }
        case .satisfying(let filter):
            begin("where", &self)
            try write(filter.condition, depth: depth + 1)
        }
        write(raw: "}")
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
        case .linked(let link):
            write(raw: "{")
            try write(link, depth: depth)
            write(raw: "}")
        case .type, .id, .parent, .deleted, .time, .tag, .key, .branch, .relation, .without,
            .search:
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
        case .tag(let tags):
            write(raw: "{\"tag\":")
            write(list: tags) { $0.write(string: $1) }
        case .key(let source, let key):
            write(raw: "{\"key\":{\"source\":")
            write(string: source)
            if let key {
                write(raw: ",\"key\":")
                write(string: key)
            }
            write(raw: "}")
        case .search(let words, let paths):
            write(raw: "{\"search\":")
            write(string: words)
            if !paths.isEmpty {
                write(raw: ",\"in\":")
                write(list: paths) { $0.write(string: $1) }
            }
        case .branch(let isBranch):
            write(raw: "{\"branch\":\(isBranch)")
        case .relation(let isRelation):
            write(raw: "{\"relation\":\(isRelation)")
        case .without(let link):
            write(raw: "{\"\(link)\":null")
        case .everything, .json, .and, .or, .not, .field, .linked:
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
