package dev.echodb

import kotlinx.coroutines.CoroutineScope
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import java.time.Instant
import kotlin.time.Duration.Companion.days

/** Invitations for several guests, by any member, their list, and how they are shown. */
class InvitationsTest {
    private fun testHost(block: suspend CoroutineScope.(Client, Space) -> Unit) = test {
        online(server, "Ada").use { block(it, it.createSpace("Notes")) }
    }

    @Test
    fun `several guests come in by one code`() = testHost { _, space ->
        val host = space.invite(maxUses = 2, role = "reader", expires = 30.days)
        for ((number, name) in listOf("Bob", "Cem").withIndex()) {
            online(server, name).use { guest ->
                val joining = guest.join(host.code)
                joining.awaitState(InvitationState.READY_FOR_AUTHENTICATION)
                until { host.update().guests.any { it.name == name && it.authCode != null } }
                val shown = host.update().guests.single { it.name == name }
                assertTrue(shown.number > 0 && !shown.state.isFinal, shown.toString())
                joining.authenticate(shown.authCode!!)
                assertEquals(space.id, joining.await())
                assertEquals(4, joining.update().fingerprint!!.split(' ', '-').size)
                until { host.update().uses == number + 1 }
                until { guest.space(space.id).status().role == "reader" }
            }
        }
        assertEquals(space.id, host.await())
        assertEquals(3, space.members().size)
    }

    @Test
    fun `any member lets in who has a delegated code`() = testHost { ada, space ->
        online(server, "Bob").use { bob ->
            online(server, "Cem").use { cem ->
                val there = pair(space, bob)
                val code = space.invite(delegated = true, maxUses = 0).code
                until { bob.invitations().any { it.invitationType == InvitationType.DELEGATED } }
                converge(space, there)
                ada.setOnline(false)
                val joining = cem.join(code)
                assertEquals(space.id, joining.await())
                assertNull(joining.update().fingerprint)
                until { there.members().size == 3 }
            }
        }
    }

    @Test
    fun `guests without the history read what comes`() = testHost { _, space ->
        val old = space.create(null, mapOf("old" to 1))
        online(server, "Bob").use { bob ->
            val joining = bob.join(space.invite(delegated = true, history = false).code)
            val there = bob.space(joining.await())
            val new = space.create(null, mapOf("new" to 1))
            until { there.get(new) != null }
            assertNull(there.get(old))
            val status = there.status()
            assertTrue(status.sealedOff > 0 && status.waitingForKey == 0L, status.toString())
            val identity = bob.identity!!.identity
            thrown<EchoException.PermissionDenied> { there.shareHistory(identity) }
            assertTrue(space.shareHistory(identity))
            assertFalse(space.shareHistory(identity))
            converge(space, there)
            assertEquals(1L, there.get(old)!!["old"])
            assertEquals(0L, there.status().sealedOff)
        }
    }

    @Test
    fun `invitations are listed, taken up and ended`() = testHost { ada, space ->
        val host = space.invite(maxUses = 5)
        val info = ada.invitations().single()
        assertEquals(host.id to space.id, info.id to info.space)
        assertEquals(listOf(host.code, host.url), listOf(info.code, info.url))
        assertEquals(InvitationKind.SPACE to InvitationType.MULTI_USE, info.kind to info.invitationType)
        assertEquals(listOf(5, 0, "editor", false), listOf(info.maxUses, info.uses, info.role, info.joining))
        assertTrue(info.expires > info.created!! && info.created > Instant.now().minusSeconds(3600))
        assertEquals(host.code, ada.invitation(info.id).code)
        ada.cancelInvitation(info.id)
        thrown<EchoException.Cancelled> { host.await() }
        until { ada.invitations().isEmpty() }
        thrown<EchoException.NotFound> { ada.invitation(info.id) }
        thrown<EchoException.NotFound> { ada.cancelInvitation(info.id) }
        thrown<EchoException.InvalidArgument> { ada.cancelInvitation("nonsense") }
        val device = ada.createDeviceInvitation()
        val listed = ada.invitations().single()
        assertEquals(InvitationKind.DEVICE, listed.kind)
        assertEquals(device.code, listed.code)
        ada.cancelInvitation(listed.id)
        thrown<EchoException.Cancelled> { device.await() }
        until { ada.invitations().isEmpty() }
    }

    @Test
    fun `options that do not fit are refused`() = testHost { _, space ->
        for (uses in listOf(-1, 0, 201)) {
            thrown<EchoException.InvalidArgument> { space.invite(maxUses = uses) }
        }
        thrown<EchoException.InvalidArgument> { space.invite(expires = 8.days) }
        thrown<EchoException.InvalidArgument> { space.invite(role = "king") }
        thrown<EchoException.PermissionDenied> { space.invite(role = "owner") }
        thrown<EchoException> { space.invite(delegated = true, role = "admin") }
    }

    @Test
    fun `a code is shown as a picture`() = testHost { _, space ->
        val host = space.invite()
        assertTrue(Regex("[0-9a-f]{32}").matches(host.id), host.id)
        assertTrue(host.qrSvg().let { "<svg" in it && it.trimEnd().endsWith("</svg>") })
        val modules = host.qrModules()
        assertTrue(modules.width in 21..177 && modules.width % 4 == 1)
        assertEquals(modules.width * modules.width, modules.modules.size)
        // The corner of a finder pattern: dark, with a light ring within.
        assertTrue((0..6).all { modules.isDark(0, it) } && !modules.isDark(1, 1))
        thrown<EchoException.InvalidArgument> { modules.isDark(0, modules.width) }
        assertEquals(emptyList<GuestUpdate>(), host.update().guests)
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
