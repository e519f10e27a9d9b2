package dev.echodb

import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Several devices of one identity, and its recovery by a phrase, over a real signalling server. */
class DevicesTest {
    /** Makes [guest] a device of the identity of [host]. */
    private suspend fun link(host: Client, guest: Client, name: String) {
        val hosting = host.createDeviceInvitation()
        assertTrue(hosting.code.startsWith("echodb-link-"), hosting.code)
        val identity = letIn(hosting, guest.joinDevice(hosting.code, deviceName = name))
        assertEquals(name, hosting.update().peerName)
        assertEquals(identity, guest.identity!!.identity)
        assertEquals(identity, host.identity!!.identity)
    }

    /** Waits until a space is listed and can be written to. */
    private suspend fun arrived(client: Client, id: String): Space {
        until { client.spaces().any { it.id == id } }
        val space = client.space(id)
        until { space.status().role != null }
        return space
    }

    private suspend fun Client.device(other: Client): DeviceInfo =
        devices().single { it.device == other.identity!!.device }

    @Test
    fun `a new device gets every space and both see what the other makes`() = test {
        online(server, "Ada").use { laptop ->
            online(server).use { phone ->
                val notes = laptop.createSpace("Notes")
                val note = notes.create(null, mapOf("text" to "old"))
                assertEquals(listOf(laptop.identity!!.device), laptop.devices().map { it.device })
                val changes = ConcurrentLinkedQueue<IdentityChange>()
                val subscription = laptop.subscribeIdentity(changes::add)
                link(laptop, phone, "Phone")
                val there = arrived(phone, notes.id)
                until { there.get(note) != null }
                assertEquals("old", there.get(note)!!["text"])
                assertEquals(laptop.defaultSpace().id, phone.defaultSpace().id)
                assertEquals(1, notes.members().size, "one identity")
                until { IdentityChange.DEVICES in changes }
                subscription.cancel()

                var made: Space? = null
                val change = laptop.identityChanges(onListening = { made = phone.createSpace("Trip") })
                    .first { it == IdentityChange.SPACES }
                assertEquals(IdentityChange.SPACES, change)
                converge(arrived(laptop, made!!.id), made)
                assertTrue(IdentityChange.SPACES !in changes, "nothing is told after the end")
            }
        }
    }

    @Test
    fun `devices are listed and named, and the profile is everywhere`() = test {
        online(server, "Ada").use { laptop ->
            online(server).use { phone ->
                link(laptop, phone, "Phone")
                val (first, second) = laptop.devices()
                assertTrue(first.thisDevice && first.connected && !first.revoked && !first.recovered)
                assertEquals(laptop.identity!!.device, first.device)
                assertEquals("Phone" to false, second.name to second.thisDevice)
                until { laptop.device(phone).let { it.connected && it.lastSeen != null } }
                assertNotNull(laptop.device(phone).added)
                laptop.renameDevice(second.device, "Old phone")
                until { phone.device(phone).name == "Old phone" }
                thrown<EchoException.NotFound> { laptop.renameDevice(laptop.identity!!.identity, "x") }
                thrown<EchoException.InvalidArgument> { laptop.renameDevice("nonsense", "x") }
                val change = laptop.identityChanges(onListening = { phone.setProfile("Ada L.") })
                    .first { it == IdentityChange.PROFILE }
                assertEquals(IdentityChange.PROFILE, change)
                until { laptop.identity!!.displayName == "Ada L." }
            }
        }
    }

    @Test
    fun `codes of one kind are refused as the other`() = test {
        online(server, "Ada").use { ada ->
            online(server, "Bob").use { bob ->
                online(server).use { blank ->
                    val joins = ada.createSpace("Notes").invite()
                    val links = ada.createDeviceInvitation(expires = 1.minutes, includeSignaling = false)
                    thrown<EchoException.InvitationRefused> { bob.join(links.code) }
                    thrown<EchoException.InvitationRefused> { blank.joinDevice(joins.code) }
                    thrown<EchoException.InvalidState> { bob.joinDevice(links.code) }
                    thrown<EchoException.InvalidState> { blank.createDeviceInvitation() }
                    thrown<EchoException.InvalidState> { blank.devices() }
                    links.cancel()
                    thrown<EchoException.Cancelled> { links.await() }
                    assertNull(blank.identity)
                }
            }
        }
    }

    @Test
    fun `a revoked device keeps its copy and writes nothing more`() = test {
        online(server, "Ada").use { laptop ->
            online(server).use { phone ->
                val shared = laptop.createSpace("Shared")
                link(laptop, phone, "Phone")
                val there = arrived(phone, shared.id)
                val kept = there.create(null, mapOf("kept" to 1))
                converge(shared, there)
                thrown<EchoException.PermissionDenied> { phone.revokeDevice(laptop.identity!!.device) }
                thrown<EchoException.NotFound> { laptop.revokeDevice(laptop.identity!!.identity) }
                val told = phone.identityChanges(onListening = { laptop.revokeDevice(phone.identity!!.device) })
                    .first { it == IdentityChange.REVOKED }
                assertEquals(IdentityChange.REVOKED, told)
                until { there.status().removed }
                thrown<EchoException.PermissionDenied> { there.create(null, mapOf("n" to 1)) }
                assertNotNull(there.get(kept))
                assertTrue(laptop.device(phone).revoked && !laptop.device(laptop).revoked)
                val details = shared.members().single().deviceDetails
                assertEquals(setOf("Phone" to true), details.filter { it.revoked }.map { it.name to true }.toSet())
            }
        }
    }

    @Test
    fun `a space deleted on a device comes back when it is restored`() = test {
        online(server, "Ada").use { laptop ->
            online(server).use { phone ->
                val space = laptop.createSpace("Notes")
                val note = space.create(null, mapOf("n" to 1))
                link(laptop, phone, "Phone")
                arrived(phone, space.id)
                thrown<EchoException.AlreadyExists> { phone.restoreSpace(space.id) }
                phone.deleteSpace(space.id)
                assertFalse(phone.spaces().any { it.id == space.id })
                phone.restoreSpace(space.id)
                val again = arrived(phone, space.id)
                until { again.get(note) != null }
                online(server, "Bob").use { bob ->
                    thrown<EchoException.NotFound> { bob.restoreSpace(space.id) }
                }
            }
        }
    }

    @Test
    fun `a phrase brings the identity back and older devices are revoked`() = test {
        online(server, "Ada").use { laptop ->
            online(server).use { new ->
                val space = laptop.createSpace("Notes")
                val note = space.create(null, mapOf("n" to 1))
                val read = laptop.createRecoveryPhrase()
                val phrase = laptop.replaceRecoveryPhrase(read)
                assertEquals(24, phrase.split(' ').size)
                assertNotEquals(read, phrase)
                thrown<EchoException.PermissionDenied> { laptop.replaceRecoveryPhrase(read) }
                thrown<EchoException.InvalidArgument> { laptop.replaceRecoveryPhrase("zoo $phrase") }
                // One that the device made does not put the older one out of force.
                assertNotEquals(phrase, laptop.createRecoveryPhrase())
                thrown<EchoException.InvalidArgument> { new.recoverIdentity(phrase.replaceFirst(" ", " zoo ")) }
                thrown<EchoException.InvalidArgument> { new.recoverIdentity(phrase, timeout = 0.seconds) }
                thrown<EchoException.InvalidState> { laptop.recoverIdentity(phrase) }
                val missed = thrown<EchoException.TimedOut> { new.recoverIdentity("abandon ".repeat(23) + "art", timeout = 2.seconds) }
                assertEquals(Status.TIMED_OUT, missed.status)
                val identity = new.recoverIdentity(phrase, deviceName = "New", revokeOlder = true, timeout = 50.seconds)
                assertEquals(laptop.identity!!.identity to "Ada", identity.identity to identity.displayName)
                assertEquals(identity, new.identity)
                val there = arrived(new, space.id)
                until { there.get(note) != null }
                until { new.device(laptop).revoked }
                assertTrue(new.device(new).let { it.recovered && it.name == "New" })
                until { space.status().removed }
                thrown<EchoException.PermissionDenied> { laptop.createRecoveryPhrase() }
                assertNotEquals(phrase, new.createRecoveryPhrase())
            }
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
