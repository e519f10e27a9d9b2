// A peer of the conformance test, in Swift; peer.c and peer.py are the same in other languages.
// Commands come on standard input, words on a line, and each is answered by a line of JSON on
// standard output. A call of the library that fails ends the program, except where the comment says
// that it may.

import EchoDB
import Foundation

/// Longer than any wait that goes well, on a slow machine too.
let patience = Duration.seconds(120)

/// Between two edits, as if by someone who types fast: time for the other side's to come in.
let pause = Duration.milliseconds(3)

/// What is typed: characters of one to several units, some of which belong to their neighbours.
let pieces = [
    "c",
    "third ",
    "\u{e9}",  // e with acute, one code point
    "e\u{301}",  // the same in two
    "\u{308}",  // a diaeresis by itself
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",  // Hebrew, right to left
    "\u{645}\u{64e}\u{631}\u{652}",  // Arabic with vowel marks
    "\u{928}\u{93f}",  // Devanagari, vowel before
    "\u{6f22}",  // Chinese
    "\u{1f600}",  // a smile
    "\u{1f469}\u{200d}\u{1f467}",  // a family: two joined to one
    "\u{1f1ea}\u{1f1fa}",  // a flag: two letters
    "\u{1f44d}\u{1f3fd}",  // a thumb with a skin tone
]

/// What a command cannot do.
struct Refused: Error, CustomStringConvertible {
    let description: String
}

/// Numbers that a seed decides: the generator SplitMix64.
struct Draw: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

typealias Answer = [String: any Sendable]

/// One method for each command, or a few alike; it takes the words and returns the answer.
@MainActor
final class Peer {
    private var opened: Client?
    private var used: Space?
    private var begun: Invitation?
    private var name = ""
    private(set) var isDone = false

    private var client: Client {
        get throws { try opened ?? { throw Refused(description: "nothing is open") }() }
    }

    private var space: Space {
        get throws { try used ?? { throw Refused(description: "no space is used") }() }
    }

    private var invitation: Invitation {
        get throws { try begun ?? { throw Refused(description: "no invitation has begun") }() }
    }

    func answer(_ command: String, _ words: [String]) async throws -> Answer {
        switch command {
        case "open": return try await open(words[0], words[1], words[2])
        case "identity": return try identity()
        case "create_space": return try await createSpace()
        case "use": return try await use(words[0])
        case "invite": return try await invite()
        case "auth_code": return ["auth_code": try await invitation.waitForAuthCode()]
        case "join": return try await join(words[0])
        case "auth": return try done { try invitation.authenticate(words[0]) }
        case "joined": return ["space": try await invitation.wait()]
        case "create": return try await create(number(words[0]))
        case "create_text": return try await createText()
        case "type": return try await type(words[0], number(words[1]), number(words[2]))
        case "splice":
            let piece = words.count > 3 ? words[3] : ""
            return try await splice(words[0], number(words[1]), number(words[2]), piece)
        case "text": return try await text(words[0])
        case "hammer": return try await hammer(number(words[0]))
        default: return try await describe(command)
        }
    }

    /// The commands that only ask, and those that end something.
    private func describe(_ command: String) async throws -> Answer {
        switch command {
        case "digest": return ["digest": try await space.digest()]
        case "status": return try await status()
        case "members": return try await members()
        case "export":
            return ["export": String(decoding: try await space.exportJSON(), as: UTF8.self)]
        case "online", "offline":
            try await client.setOnline(command == "online")
            return ["done": true]
        case "quit":
            try await client.shutdown()
            isDone = true
            return ["done": true]
        default:
            throw Refused(description: "there is no command \(command)")
        }
    }

    private func done(_ body: () throws -> Void) rethrows -> Answer {
        try body()
        return ["done": true]
    }

    private func number(_ word: String) throws -> Int {
        guard let number = Int(word) else { throw Refused(description: "\(word) is no number") }
        return number
    }

    /// Makes an identity if the profile has none.
    private func open(_ profile: String, _ url: String, _ name: String) async throws -> Answer {
        let client = try await Client.open(
            profile: URL(fileURLWithPath: profile), signaling: [url], bind: ["127.0.0.1:0"])
        (self.opened, self.name) = (client, name)
        if client.identity == nil {
            try await client.createIdentity(displayName: name)
        }
        return try identity()
    }

    private func identity() throws -> Answer {
        guard let identity = try client.identity else {
            throw Refused(description: "the profile has no identity")
        }
        return [
            "identity": [
                "identity": identity.identity, "device": identity.device,
                "display_name": identity.displayName,
            ]
        ]
    }

    private func createSpace() async throws -> Answer {
        let space = try await client.createSpace(name: "Shared")
        used = space
        return ["space": space.id]
    }

    /// The commands that follow mean a space which the profile holds.
    private func use(_ id: String) async throws -> Answer {
        let space = try await client.space(id)
        used = space
        return ["space": space.id]
    }

    private func invite() async throws -> Answer {
        let invitation = try await space.invite()
        begun = invitation
        return ["code": invitation.code]
    }

    /// Waits until the host asks for its authorization code.
    private func join(_ code: String) async throws -> Answer {
        let invitation = try await client.join(code)
        begun = invitation
        try await invitation.wait(for: .readyForAuthentication)
        return ["done": true]
    }

    /// As many objects, a transaction each.
    private func create(_ count: Int) async throws -> Answer {
        for n in 0..<count {
            let fields: Fields = [
                "by": .string(name), "n": Value(n), "half": Value(Double(n) + 0.5),
                "even": Value(n.isMultiple(of: 2)), "note": .string(pieces[n % pieces.count]),
            ]
            try await space.create("Item", fields)
        }
        return ["created": count]
    }

    /// An object whose field `body` is a text.
    private func createText() async throws -> Answer {
        ["id": try await space.create("Note", ["body": .text("Begin: \u{5d0} \u{1f600}")])]
    }

    /// As many edits in random places, at indices of the text. Answers how often the text had
    /// changed in between by the other side's doing, and how many edits did not fit for that
    /// reason.
    private func type(_ id: String, _ count: Int, _ seed: Int) async throws -> Answer {
        var draw = Draw(state: UInt64(seed))
        var (typed, interrupted, refused) = (0, 0, 0)
        var expected: String?
        while typed < count {
            let text = try await space.text(id, "body")
            // Scalar by scalar: Swift's own comparison takes an accent in either form.
            if let expected, Array(expected.utf8) != Array(text.utf8) { interrupted += 1 }
            let piece = pieces.randomElement(using: &draw) ?? ""
            let scalars = text.unicodeScalars
            let start = scalars.index(
                scalars.startIndex, offsetBy: Int.random(in: 0...scalars.count, using: &draw))
            let deletes = Int.random(in: 0..<4, using: &draw) == 0 && start < scalars.endIndex
            let end = deletes ? scalars.index(after: start) : start
            do {
                try await space.spliceText(id, "body", start..<end, of: text, insert: piece)
                expected = String(scalars[..<start]) + piece + String(scalars[end...])
                typed += 1
            } catch let error as EchoError where error.kind == .invalidArgument {
                expected = nil
                refused += 1
                guard refused < count * 10 else {
                    throw Refused(description: "every edit is refused")
                }
            }
            try await Task.sleep(for: pause)
        }
        return ["typed": typed, "interrupted": interrupted, "refused": refused]
    }

    /// One edit, counted in UTF-16 units, that has to fit.
    private func splice(
        _ id: String, _ position: Int, _ length: Int, _ piece: String
    ) async throws -> Answer {
        try await space.spliceText(id, "body", at: position, delete: length, insert: piece)
        return ["done": true]
    }

    /// The text, and its length in the units of positions.
    private func text(_ id: String) async throws -> Answer {
        let text = try await space.text(id, "body")
        return ["length": text.utf16.count, "text": text]
    }

    /// As many transactions of ten objects each, without a pause; answers after each, so that
    /// whoever kills this program knows what has to be there.
    private func hammer(_ count: Int) async throws -> Answer {
        for batch in 0..<count {
            try await space.transaction { tx in
                for n in 0..<10 {
                    try tx.create("Burst", ["batch": Value(batch), "n": Value(n)])
                }
            }
            if batch + 1 < count {
                say(["committed": batch + 1])
            }
        }
        return ["committed": count]
    }

    private func status() async throws -> Answer {
        let status = try await space.status()
        let peers: [Answer] = status.peers.map {
            [
                "device": $0.device, "identity": $0.identity, "name": $0.name,
                "unconfirmed": $0.unconfirmed, "missing": $0.missing, "in_sync": $0.isInSync,
            ]
        }
        return [
            "status": [
                "state": "\(status.state)", "peers": peers, "objects": status.objects,
                "entries": status.entries, "quarantined": status.quarantined,
                "waiting_for_key": status.waitingForKey,
                "waiting_for_dependency": status.waitingForDependency,
            ] as Answer
        ]
    }

    private func members() async throws -> Answer {
        let members: [Answer] = try await space.members().map {
            [
                "identity": $0.identity, "display_name": $0.displayName, "role": $0.role,
                "devices": $0.devices,
            ]
        }
        return ["members": members]
    }
}

/// Prints a line of JSON.
func say(_ answer: Answer) {
    guard let line = try? JSONSerialization.data(withJSONObject: answer, options: .sortedKeys)
    else { fatalError("\(answer) is no JSON") }
    FileHandle.standardOutput.write(line + Data("\n".utf8))
}

let peer = Peer()
while !peer.isDone {
    guard let line = readLine() else {
        throw Refused(description: "the commands end without a quit")
    }
    let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let watch = Task {
        try await Task.sleep(for: patience)
        fatalError("\(words) takes too long")
    }
    say(try await peer.answer(words[0], Array(words.dropFirst())))
    watch.cancel()
}
