package dev.echodb

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import java.time.Instant
import java.util.concurrent.ConcurrentLinkedQueue

/** Members of a space: roles, removal, leaving, what is told of it, and what of theirs does not count. */
class MembersTest {
    /** Ada's space, Bob's copy of it, and the two. */
    private class People(val ada: Client, val bob: Client, val here: Space, val there: Space) {
        val a = ada.identity!!.identity
        val b = bob.identity!!.identity

        suspend fun memberBob(): Member = here.members().single { it.identity == b }
    }

    private fun testPeople(block: suspend CoroutineScope.(People) -> Unit) = test {
        online(server, "Ada").use { ada ->
            online(server, "Bob").use { bob ->
                val here = ada.createSpace("Notes")
                val there = pair(here, bob)
                until { there.status().role == "editor" }
                block(People(ada, bob, here, there))
            }
        }
    }

    @Test
    fun `members and contacts are described`() = testPeople { people ->
        val (a, b) = people.here.members().sortedBy { it.rank }
        assertEquals(listOf("Ada", "owner", 1), listOf(a.displayName, a.role, a.rank))
        assertEquals(listOf("Bob", "editor", 2), listOf(b.displayName, b.role, b.rank))
        assertTrue(b.joined!! > Instant.parse("2020-09-13T12:00:00Z"))
        assertEquals(listOf(people.bob.identity!!.device), b.devices)
        assertEquals(b.devices to false, b.deviceDetails.map { it.device } to b.deviceDetails.single().revoked)
        val contact = people.ada.contacts().single()
        assertEquals(people.b to "Bob", contact.identity to contact.displayName)
        assertEquals(listOf(ContactSpace(people.here.id, "Notes", "Bob", "editor")), contact.spaces)
    }

    @Test
    fun `roles change and who stands below decides nothing`() = testPeople { people ->
        val (here, there) = people.here to people.there
        thrown<EchoException.PermissionDenied> { there.setRole(people.a, "reader") }
        thrown<EchoException.PermissionDenied> { there.removeMember(people.a) }
        thrown<EchoException.PermissionDenied> { here.leave() }
        thrown<EchoException.InvalidArgument> { here.setRole(people.b, "king") }
        thrown<EchoException.NotFound> { here.removeMember(people.bob.identity!!.device) }
        val told = ConcurrentLinkedQueue<MemberEvent>()
        there.subscribeMembers(told::add).use {
            here.setRole(people.b, "reader")
            until { told.isNotEmpty() }
        }
        val event = told.single()
        assertEquals("Bob was made reader by Ada", event.text)
        assertEquals(MemberEventKind.ROLE_CHANGED to there.id, event.kind to event.space)
        assertEquals(listOf("editor", "reader"), listOf(event.previousRole, event.role))
        assertEquals(listOf(people.b, "Bob", people.a, "Ada"), listOf(event.identity, event.displayName, event.by, event.byName))
        assertNull(event.device)
        assertEquals("reader", there.status().role)
        thrown<EchoException.PermissionDenied> { there.create(null, mapOf("n" to 1)) }
        here.setRole(people.b, "editor")
        until { there.status().role == "editor" }
        there.create(null, mapOf("n" to 1))
        assertEquals(1, told.size, "nothing is told after the end")
    }

    @Test
    fun `a removed member keeps what it has and gets nothing more`() = testPeople { people ->
        val (here, there) = people.here to people.there
        val id = here.create(null, mapOf("n" to 1))
        converge(here, there)
        val generation = here.status().keyGeneration
        assertTrue(generation >= 1)
        val told = there.memberEvents(onListening = { here.removeMember(people.b) }).first()
        assertEquals("Bob was removed by Ada", told.text)
        assertEquals(MemberEventKind.REMOVED to null, told.kind to told.role)
        val status = there.status()
        assertTrue(status.removed)
        assertNull(status.role)
        thrown<EchoException.PermissionDenied> { there.update(id, mapOf("n" to 2)) }
        here.update(id, mapOf("n" to 3))
        assertTrue(here.status().keyGeneration > generation)
        assertEquals(1L, there.get(id)!!["n"])
        assertEquals(listOf(people.a), here.members().map { it.identity })
        assertEquals(emptyList<Contact>(), people.ada.contacts())
    }

    @Test
    fun `a member leaves`() = testPeople { people ->
        val event = people.here.memberEvents(onListening = { people.there.leave() }).first()
        assertEquals("Bob left" to MemberEventKind.LEFT, event.text to event.kind)
        assertTrue(people.there.status().removed)
    }

    @Test
    fun `a space is handed over`() = testPeople { people ->
        val (here, there) = people.here to people.there
        thrown<EchoException.PermissionDenied> { here.leave() }
        thrown<EchoException.PermissionDenied> { there.handOver(people.b) }
        thrown<EchoException.InvalidArgument> { here.handOver(people.a) }
        thrown<EchoException.NotFound> { here.handOver(people.bob.identity!!.device) }
        val told = ConcurrentLinkedQueue<MemberEvent>()
        there.subscribeMembers(told::add).use {
            here.handOver(people.b)
            until { told.any { event -> event.kind == MemberEventKind.HANDED_OVER } }
        }
        val event = told.first { it.kind == MemberEventKind.HANDED_OVER }
        assertEquals("Bob is top owner of the space now, in place of Ada", event.text)
        assertEquals(people.b to people.a, event.identity to event.by)
        assertEquals(mapOf(people.b to 1, people.a to 2), here.members().associate { it.identity to it.rank })
        here.leave()
        assertTrue(here.status().removed)
    }

    @Test
    fun `a flow of events ends with its client, as does a listener that throws not`() = testPeople { people ->
        val listening = CompletableDeferred<Unit>()
        val events = async { people.there.memberEvents(onListening = { listening.complete(Unit) }).toList() }
        listening.await()
        val called = ConcurrentLinkedQueue<MemberEventKind>()
        val subscription = people.here.subscribeMembers {
            called.add(it.kind)
            error("on purpose")
        }
        people.here.setRole(people.b, "reader")
        // What comes together is told of as one.
        until { called.size == 1 && people.there.status().role == "reader" }
        people.here.setRole(people.b, "admin")
        until { called.size == 2 && people.there.status().role == "admin" }
        subscription.cancel()
        people.bob.shutdown()
        assertEquals(listOf("reader", "admin"), events.await().map { it.role })
    }

    @Test
    fun `why somebody may and may not`() = testPeople { people ->
        val may = people.here.why(people.b, "write")
        assertTrue(may.allowed && may.summary.isNotEmpty(), may.toString())
        assertTrue(may.steps.isNotEmpty() && may.steps.all { it.counts && it.entry.isNotEmpty() }, may.toString())
        assertTrue(people.here.why(people.memberBob().devices.single(), "read").allowed)
        assertFalse(people.there.why(people.b, "administer").allowed)
        people.here.removeMember(people.b)
        val not = people.here.why(people.b, "read")
        assertFalse(not.allowed)
        assertTrue(" removed Bob (" in not.steps.last().text, not.toString())
        thrown<EchoException.InvalidArgument> { people.here.why(people.b, "fly") }
        thrown<EchoException.InvalidArgument> { people.here.why("nobody", "read") }
    }

    @Test
    fun `what is dropped is said`() {
        val kind = MemberEventKind.JOINED
        val event = MemberEvent("space", kind, "key", "Bob", "editor", null, null, null, null, "joined")
        val missed = missed(event)
        assertEquals("space" to MemberEventKind.MISSED, missed.space to missed.kind)
        assertEquals("" to null, missed.identity to missed.role)
    }

    @Test
    fun `a new content key is made on request`() = testPeople { people ->
        val generation = people.here.status().keyGeneration
        people.here.rotateKey()
        assertTrue(people.here.status().keyGeneration > generation)
        val id = people.here.create(null, mapOf("n" to 1))
        until { people.there.get(id) != null }
        people.here.setRole(people.b, "relay")
        until { people.there.status().role == "relay" }
        thrown<EchoException.PermissionDenied> { people.there.rotateKey() }
    }

    @Test
    fun `what a reader wrote without having heard is excluded and submitted again`() = testPeople { people ->
        val (here, there) = people.here to people.there
        val kept = here.create(null, mapOf("n" to 1))
        converge(here, there)
        people.bob.setOnline(false)
        here.setRole(people.b, "reader")
        val lost = there.create(null, mapOf("lost" to 1))
        there.update(kept, mapOf("n" to 3))
        people.bob.setOnline(true)
        until { listOf(here, there).all { it.status().excluded == 2L } }
        assertNull(there.get(lost))
        val (first, second) = here.excluded()
        assertEquals(people.b to listOf(lost), first.identity to first.objects)
        assertEquals(people.bob.identity!!.device, first.device)
        assertTrue(first.reason.startsWith("denied: "), first.reason)
        assertNotNull(first.time)
        assertEquals(listOf(kept), second.objects)
        thrown<EchoException.PermissionDenied> { there.resubmit(first.entry) }
        val done = here.resubmit(first.entry)
        assertEquals(emptyList<SkippedResubmission>(), done.skipped)
        assertNotNull(done.committed.entry)
        assertTrue(lost in done.committed.heads)
        assertEquals(1L, here.get(lost)!!["lost"])
        thrown<EchoException.InvalidState> { here.resubmit(done.committed.entry!!) }
        thrown<EchoException.InvalidArgument> { here.resubmit("nonsense") }
        assertTrue(here.log().all { it.endorsedBy == null })
        assertEquals(2L, here.status().excluded)
    }

    @Test
    fun `the log names who built on what counts therefore`() = testPeople { people ->
        val (here, there) = people.here to people.there
        online(server, "Cem").use { cem ->
            val third = pair(here, cem)
            until { third.status().role == "editor" && there.members().size == 3 }
            people.ada.setOnline(false)
            val id = there.create(null, mapOf("n" to 1))
            until { third.get(id) != null }
            third.update(id, mapOf("n" to 2))
            here.setRole(people.b, "reader")
            people.ada.setOnline(true)
            until { here.get(id)?.get("n") == 2L }
            val endorsed = here.log().mapNotNull { it.endorsedBy }
            assertEquals(listOf(cem.identity!!.identity), endorsed)
        }
    }

    companion object {
        private lateinit var server: SignalingServer

        @BeforeAll
        @JvmStatic
        fun start() {
            server = SignalingServer()
        }

        @AfterAll
        @JvmStatic
        fun stop() {
            server.close()
        }
    }
}
