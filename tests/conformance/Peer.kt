/**
 * A peer of the conformance test, in Kotlin; those beside it do the same in others. Commands come
 * on standard input, words on a line, and each is answered by a line of JSON on standard output. A
 * call of the library that fails ends the program, except where the comment says that it may.
 */
package dev.echodb.conformance

import dev.echodb.Client
import dev.echodb.EchoException
import dev.echodb.Invitation
import dev.echodb.InvitationState
import dev.echodb.Space
import dev.echodb.Text
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.putJsonObject
import java.io.EOFException
import java.nio.file.Path
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Longer than any wait that goes well, on a slow machine too. */
private val PATIENCE = 120.seconds

/** Between two edits, as if by someone who types fast: time for the other side's to come in. */
private val PAUSE = 3.milliseconds

/** What is typed: characters of one to four bytes, some of which belong to their neighbours. */
private val PIECES = listOf(
    "d",
    "fourth ",
    "\u00e9", // e with acute, one code point
    "e\u0301", // the same in two
    "\u0308", // a diaeresis by itself
    "\u05e9\u05dc\u05d5\u05dd", // Hebrew, right to left
    "\u0645\u064e\u0631\u0652", // Arabic with vowel marks
    "\u0928\u093f", // Devanagari, vowel before
    "\u6f22", // Chinese
    "\ud83d\ude00", // a smile
    "\ud83d\udc69\u200d\ud83d\udc67", // a family: two joined to one
    "\ud83c\uddea\ud83c\uddfa", // a flag: two letters
    "\ud83d\udc4d\ud83c\udffd", // a thumb with a skin tone
)

/** One function for each command; it takes the words and returns the answer. */
private class Peer {
    private lateinit var client: Client
    private lateinit var space: Space
    private lateinit var invitation: Invitation
    private lateinit var name: String
    var done = false
        private set

    suspend fun answer(command: String, words: List<String>): JsonObject =
        when (command) {
            "open" -> open(words[0], words[1], words[2])
            "identity" -> identity()
            "create_space" -> use(client.createSpace("Shared"))
            "use" -> use(client.space(words[0]))
            "create" -> create(words[0].toInt())
            "hammer" -> hammer(words[0].toInt())
            "create_text" -> createText()
            "type" -> type(words[0], words[1].toInt(), words[2].toInt())
            "splice" -> splice(words[0], words[1].toInt(), words[2].toInt(), words.getOrElse(3) { "" })
            "text" -> text(words[0])
            "digest" -> buildJsonObject { put("digest", space.digest()) }
            "status" -> status()
            "members" -> members()
            "export" -> buildJsonObject { put("export", space.exportJson().decodeToString()) }
            "online", "offline" -> finished { client.setOnline(command == "online") }
            "quit" -> finished {
                client.shutdown()
                done = true
            }
            else -> pairing(command, words)
        }

    /** The commands of an invitation. */
    private suspend fun pairing(command: String, words: List<String>): JsonObject =
        when (command) {
            "invite" -> {
                invitation = space.invite()
                buildJsonObject { put("code", invitation.code) }
            }
            // Waits for the guest, and shows what it is to enter.
            "auth_code" -> invitation.awaitAuthCode().let { buildJsonObject { put("auth_code", it) } }
            // Waits until the host asks for its authorization code.
            "join" -> finished {
                invitation = client.join(words[0])
                invitation.awaitState(InvitationState.READY_FOR_AUTHENTICATION)
            }
            // Enters the host's authorization code; "joined" tells what came of it.
            "auth" -> finished { invitation.authenticate(words[0]) }
            // Waits for the end of the invitation, on either side.
            "joined" -> invitation.await().let { buildJsonObject { put("space", it) } }
            else -> throw IllegalArgumentException("no command $command")
        }

    private inline fun finished(work: () -> Unit): JsonObject {
        work()
        return buildJsonObject { put("done", true) }
    }

    /** Makes an identity if the profile has none. */
    private suspend fun open(profile: String, url: String, name: String): JsonObject {
        this.name = name
        client = Client.open(Path.of(profile), signaling = listOf(url), bind = listOf("127.0.0.1:0"))
        if (client.identity == null) client.createIdentity(name)
        return identity()
    }

    private fun identity(): JsonObject {
        val info = checkNotNull(client.identity)
        return buildJsonObject {
            putJsonObject("identity") {
                put("identity", info.identity)
                put("device", info.device)
                put("display_name", info.displayName)
            }
        }
    }

    /** The commands that follow mean this space. */
    private fun use(space: Space): JsonObject {
        this.space = space
        return buildJsonObject { put("space", space.id) }
    }

    /** As many objects, a transaction each. */
    private suspend fun create(count: Int): JsonObject {
        for (n in 0 until count) {
            val fields = mapOf("by" to name, "n" to n, "half" to n + 0.5, "even" to (n % 2 == 0))
            space.create("Item", fields + ("note" to PIECES[n % PIECES.size]))
        }
        return buildJsonObject { put("created", count) }
    }

    /** As many transactions of ten objects, told of one by one; meant to be killed. */
    private suspend fun hammer(count: Int): JsonObject =
        finished {
            for (batch in 0 until count) {
                space.transact { repeat(10) { n -> create("Burst", mapOf("batch" to batch, "n" to n)) } }
                tell(buildJsonObject { put("committed", batch + 1) })
            }
        }

    /** An object whose field `body` is a text. */
    private suspend fun createText(): JsonObject {
        val id = space.create("Note", mapOf("body" to Text("Begin: \u05d0 \ud83d\ude00")))
        return buildJsonObject { put("id", id) }
    }

    /**
     * As many edits in random places, counted in UTF-16 units. Answers how often the text had
     * changed in between by another's doing, and how many edits did not fit for that reason.
     */
    private suspend fun type(id: String, count: Int, seed: Int): JsonObject {
        val draw = Random(seed)
        var typed = 0
        var interrupted = 0
        var refused = 0
        var expected: String? = null
        while (typed < count) {
            val text = space.text(id, "body")
            if (expected != null && text != expected) interrupted++
            expected = null
            val piece = PIECES.random(draw)
            // Between code points: half a surrogate pair is no place.
            val position = text.offsetByCodePoints(0, draw.nextInt(text.codePointCount(0, text.length) + 1))
            val shorten = draw.nextInt(4) == 0 && position < text.length
            val length = if (shorten) Character.charCount(text.codePointAt(position)) else 0
            try {
                space.spliceText(id, "body", position, length, piece)
                expected = text.replaceRange(position, position + length, piece)
                typed++
            } catch (_: EchoException.InvalidArgument) {
                refused++
                check(refused < count * 10) { "every edit is refused" }
            }
            delay(PAUSE)
        }
        return buildJsonObject {
            put("typed", typed)
            put("interrupted", interrupted)
            put("refused", refused)
        }
    }

    /** One edit, counted in UTF-16 units, that has to fit. */
    private suspend fun splice(id: String, position: Int, length: Int, piece: String): JsonObject =
        finished { space.spliceText(id, "body", position, length, piece) }

    /** The text, and its length in the units of positions. */
    private suspend fun text(id: String): JsonObject {
        val text = space.text(id, "body")
        return buildJsonObject {
            put("length", text.length)
            put("text", text)
        }
    }

    private suspend fun status(): JsonObject {
        val status = space.status()
        return buildJsonObject {
            putJsonObject("status") {
                put("state", status.state.name.lowercase())
                putJsonArray("peers") {
                    for (peer in status.peers) {
                        addJsonObject {
                            put("device", peer.device)
                            put("identity", peer.identity)
                            put("name", peer.name)
                            put("unconfirmed", peer.unconfirmed)
                            put("missing", peer.missing)
                            put("in_sync", peer.inSync)
                        }
                    }
                }
                put("objects", status.objects)
                put("entries", status.entries)
                put("quarantined", status.quarantined)
                put("waiting_for_key", status.waitingForKey)
                put("waiting_for_dependency", status.waitingForDependency)
            }
        }
    }

    private suspend fun members(): JsonObject {
        val members = space.members()
        return buildJsonObject {
            putJsonArray("members") {
                for (member in members) {
                    addJsonObject {
                        put("identity", member.identity)
                        put("display_name", member.displayName)
                        put("role", member.role)
                        putJsonArray("devices") { member.devices.forEach { add(it) } }
                    }
                }
            }
        }
    }
}

private fun tell(answer: JsonObject) {
    println(answer)
    System.out.flush()
}

/** The words of the next command. */
private suspend fun nextWords(): List<String> {
    // On a thread of its own, so that the library's answers go on meanwhile.
    val line = withContext(Dispatchers.IO) { readlnOrNull() }
    return (line ?: throw EOFException("the commands end without a quit")).split(' ')
}

fun main() {
    System.setOut(java.io.PrintStream(java.io.FileOutputStream(java.io.FileDescriptor.out), false, "UTF-8"))
    runBlocking {
        val peer = Peer()
        while (!peer.done) {
            val words = nextWords()
            tell(withTimeout(PATIENCE) { peer.answer(words[0], words.drop(1)) })
        }
    }
}
