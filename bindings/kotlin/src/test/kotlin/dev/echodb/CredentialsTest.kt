package dev.echodb

import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import java.time.Instant

/** What an identity shows, to whom, and how others verify it, over a real signalling server. */
class CredentialsTest {
    private val nonce = ByteArray(32) { 7 }
    private val audience = "https://notes.example"

    private suspend fun refused(status: Status, call: suspend () -> Unit) {
        assertEquals(status, thrown<EchoException.CredentialRefused> { call() }.status)
    }

    @Test
    fun `a role is presented and compared with what a space knows`() = test {
        online(server, "Ada").use { ada ->
            online(server, "Bob").use { bob ->
                val space = ada.createSpace("Notes")
                converge(space, pair(space, bob))
                val (a, b) = ada.identity!! to bob.identity!!
                val found = bob.credentials().associateBy { it.id }
                assertEquals(CredentialKind.IDENTITY, found.getValue("identity").kind)
                assertEquals(b.device, found.getValue("identity").device)
                val role = found.getValue(space.id)
                assertEquals(CredentialKind.MEMBERSHIP to "editor", role.kind to role.role)
                assertEquals(a.identity to "Ada", role.issuer to role.issuerName)
                assertTrue(role.checkedAgainstSpace && role.steps.isNotEmpty())

                val code = credentialCode(bob.exportCredential(space.id))
                val read = readCredential(code.toByteArray())
                assertEquals("editor" to b.identity, read.role to read.subject)
                assertFalse(read.checkedAgainstSpace)

                val shown = bob.presentCredentials(listOf("identity", space.id), nonce, audience)
                val who = verifyPresentation(shown, nonce, audience)
                assertEquals(b.identity to b.device, who.identity to who.device)
                assertEquals("Bob", who.name)
                assertEquals(listOf("identity", space.id), who.credentials.map { it.id })
                assertFalse(who.deviceChecked)
                assertTrue(ada.verifyPresentation(shown, nonce, audience).deviceChecked)
                refused(Status.WRONG_NONCE) { verifyPresentation(shown, ByteArray(32), audience) }
                refused(Status.WRONG_AUDIENCE) { verifyPresentation(shown, nonce, "x") }
                val changed = shown.copyOf().also { it[it.size - 1] = (it.last() + 1).toByte() }
                refused(Status.BAD_SIGNATURE) { verifyPresentation(changed, nonce, audience) }
                thrown<EchoException.InvalidArgument> { verifyPresentation(ByteArray(3), nonce, audience) }

                space.removeMember(b.identity)
                refused(Status.REVOKED) { ada.verifyPresentation(shown, nonce, audience) }
            }
        }
    }

    @Test
    fun `statements are issued, kept and forgotten`() = test {
        online(server, "Ada").use { ada ->
            online(server, "Bob").use { bob ->
                val end = Instant.ofEpochMilli(System.currentTimeMillis() + 3_600_000)
                val subject = bob.identity!!.identity
                val issued = ada.issueCredential(subject, "diploma", """{"course": "boats"}""", end)
                assertEquals("diploma" to """{"course":"boats"}""", issued.type to issued.claims)
                assertEquals(end, issued.expires)
                val bytes = ada.exportCredential(issued.id)
                assertEquals(issued, bob.importCredential(bytes))
                assertTrue(issued in bob.credentials())
                refused(Status.EXPIRED) { readCredential(bytes, end) }
                thrown<EchoException.InvalidArgument> { ada.issueCredential(subject, "x", "[]") }
                bob.removeCredential(issued.id)
                thrown<EchoException.NotFound> { bob.exportCredential(issued.id) }
            }
        }
    }

    companion object {
        private lateinit var server: SignalingServer

        @JvmStatic
        @BeforeAll
        fun start() {
            server = SignalingServer()
        }

        @JvmStatic
        @AfterAll
        fun stop() {
            server.close()
        }
    }
}
