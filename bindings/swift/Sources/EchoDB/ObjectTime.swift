import Foundation

/// One of the two times that every object has, to compare with.
public struct ObjectTime: Sendable {
    let name: String

    private init(_ name: String) {
        self.name = name
    }

    /// When the object was created, by the clock of the device that did.
    public static let created = ObjectTime("created")
    /// When the object was last changed, likewise.
    public static let updated = ObjectTime("updated")

    /// Whether it was before.
    public static func < (time: ObjectTime, date: Date) -> Filter {
        Filter(.time(time.name, "lt", date))
    }

    /// Whether it was before, or at the same time.
    public static func <= (time: ObjectTime, date: Date) -> Filter {
        Filter(.time(time.name, "le", date))
    }

    /// Whether it was after.
    public static func > (time: ObjectTime, date: Date) -> Filter {
        Filter(.time(time.name, "gt", date))
    }

    /// Whether it was after, or at the same time.
    public static func >= (time: ObjectTime, date: Date) -> Filter {
        Filter(.time(time.name, "ge", date))
    }
}
