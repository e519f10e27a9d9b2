// README-BEGIN
import EchoDB

let client = try await Client.open()
try await client.createIdentity(displayName: "Ada")
let space = try await client.createSpace(name: "Notes")
let id = try await space.create("Note", ["text": .text("Buy milk"), "done": false])
try await space.create("Note", ["text": .text("Sleep"), "done": true])
try await space.spliceText(id, "text", at: 4, insert: "oat ")
for note in try await space.query(type: "Note", where: Field("done") == false) {
    print(note["text"]?.stringValue ?? "")
}
try await client.shutdown()
// README-END
