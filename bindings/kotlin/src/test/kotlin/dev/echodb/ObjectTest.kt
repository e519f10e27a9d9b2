package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration
import java.time.Instant

/** Objects: made, read, changed, deleted, exported; their texts and histories. */
class ObjectTest {
    @Test
    fun `made, changed and deleted`() = testSpace { _, space ->
        val before = Instant.now()
        val id = space.create("Task", mapOf("n" to 1, "keep" to "me"))
        assertEquals(26, id.length)
        space.update(id, mapOf("n" to 2, "more" to listOf(1)))
        val found = space.get(id) ?: error("it is gone")
        assertEquals(mapOf("n" to 2L, "keep" to "me", "more" to listOf(1L)), found.fields)
        assertEquals("Task", found.type)
        assertEquals(2L, found["n"])
        assertNull(found["absent"])
        assertTrue(found.created <= found.updated)
        assertTrue(Duration.between(before, found.created).abs() < Duration.ofHours(1))
        assertEquals(Ref(id), found.ref)
        space.delete(id)
        assertTrue(space.get(id)?.deleted ?: false)
        assertEquals(emptyList<EchoObject>(), space.query())
        space.transact { restore(id) }
        assertEquals(listOf(id), space.query().map { it.id })
        assertNull(space.get("0".repeat(26)))
    }

    @Test
    fun `history, versions and messages`() = testSpace { _, space ->
        val id = space.create(null, mapOf("n" to 1))
        val old = space.get(id)!!.heads
        space.transact {
            message("the second")
            update(id, mapOf("n" to 2))
        }
        val history = space.history(id)
        assertEquals(listOf(null, "the second"), history.map { it.message })
        assertEquals(old, listOf(history[0].hash))
        assertEquals(old, history[1].parents)
        assertEquals(listOf(history[1]), space.history(id, old))
        assertEquals(space.get(id)!!.heads, listOf(history[1].hash))
        thrown<EchoException.InvalidArgument> { space.history(id, listOf("short")) }
    }

    @Test
    fun `positions in texts are those of strings`() = testSpace { _, space ->
        val text = "a😀e\u0301שלום\u0645\u064e👩\u200d👧!"
        val id = space.create("Note", mapOf("t" to Text(text)))
        val string = StringBuilder(text)
        for (place in listOf("😀", "e", "\u0301", "ש", "\u064e", "👧", "!")) {
            val position = string.indexOf(place)
            space.spliceText(id, "t", position, place.length, "<\ud83c\udfaf>")
            string.replace(position, position + place.length, "<🎯>")
            assertEquals(string.toString(), space.text(id, "t"))
        }
        space.spliceText(id, "t", string.length, insert = "end")
        space.spliceText(id, "t", 0, delete = 1)
        space.flush()
        assertEquals(string.substring(1) + "end", space.get(id)!!["t"].toString())
        val half = string.indexOf("🎯")
        for ((position, delete) in listOf(half to 0, half - 1 to 1, 9999 to 0, -1 to 0, 0 to -1)) {
            thrown<EchoException.InvalidArgument> { space.spliceText(id, "t", position, delete, "x") }
        }
        thrown<EchoException.InvalidArgument> { space.spliceText(id, "t", 0, 0, "\ud83c") }
        space.flush()
        assertEquals(string.substring(1) + "end", space.text(id, "t"))
    }

    @Test
    fun `the space's own properties`() = testSpace { client, space ->
        space.setProperties(mapOf("icon" to "📓", "at" to Instant.EPOCH))
        assertEquals(mapOf("name" to "Notes", "icon" to "📓", "at" to Instant.EPOCH), space.properties())
        assertEquals(SpaceInfo(space.id, "Notes", false, SpaceState.READY), space.info())
        space.close()
        assertEquals(SpaceState.CLOSED, space.info().state)
        thrown<EchoException.InvalidState> { space.create(null, emptyMap()) }
        space.open()
        assertEquals(SpaceState.READY, client.space(space.id).info().state)
        val status = space.status()
        assertEquals(SpaceState.READY, status.state)
        assertEquals(0L to 0L, status.quarantined to status.waitingForKey)
        assertEquals(emptyList<QuarantinedEntry>(), space.quarantined())
        val (member) = space.members()
        assertEquals("Ada" to "owner", member.displayName to member.role)
        assertEquals(client.identity!!.identity to listOf(client.identity!!.device), member.identity to member.devices)
    }

    @Test
    fun `export and import`() = testSpace { client, space ->
        val fields = mapOf("t" to Text("héllo"), "n" to Counter(3), "at" to Instant.EPOCH)
        val id = space.create("Note", fields)
        space.create(null, emptyMap())
        val other = client.createSpace("Copy")
        assertEquals(2, other.importJson(space.exportJson()))
        assertEquals(fields, other.get(id)!!.fields)
        assertEquals("Note", other.get(id)!!.type)
        assertNotEquals(space.digest(), other.digest())
        thrown<EchoException.InvalidArgument> { other.importJson("nonsense".toByteArray()) }
        assertEquals(2, other.query().size)
    }
}
