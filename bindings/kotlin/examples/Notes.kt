/** A notebook in memory. */
package dev.echodb.examples.notes

// README-BEGIN
import dev.echodb.Client
import dev.echodb.Text
import dev.echodb.field
import kotlinx.coroutines.runBlocking

fun main() = runBlocking {
    Client.open().use { client ->
        client.createIdentity("Ada")
        val space = client.createSpace("Notes")
        val id = space.create("Note", mapOf("text" to Text("Buy milk"), "done" to false))
        space.create("Note", mapOf("text" to Text("Sleep"), "done" to true))
        space.spliceText(id, "text", position = 4, insert = "oat ")
        for (note in space.query("Note", field("done") eq false)) {
            println(note["text"])
        }
    }
}
// README-END
