// A program that ends without shutting its client down, in the middle of things; a test runs it on
// the profile that it names.

import EchoDB
import Foundation

let client = try await Client.open(profile: URL(fileURLWithPath: CommandLine.arguments[1]))
if client.identity == nil {
    try await client.createIdentity(displayName: "Ada")
}
let space = try await client.defaultSpace()
let changes = try await space.changes()
let subscription = try await space.subscribe { batch in
    for change in batch.changes where change.kind == .removed { exit(1) }
}
let typing = Task {
    let id = try await space.create("Page", ["t": .text("")])
    while true { try await space.spliceText(id, "t", at: 0, insert: "x") }
}
for n in 0..<20 {
    try await space.create("Note", ["n": Value(n)])
}
