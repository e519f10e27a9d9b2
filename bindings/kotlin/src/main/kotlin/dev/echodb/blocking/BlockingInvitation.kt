package dev.echodb.blocking

import dev.echodb.Invitation
import dev.echodb.InvitationListener
import dev.echodb.InvitationState
import dev.echodb.InvitationUpdate
import dev.echodb.QrModules
import dev.echodb.Subscription

/**
 * [Invitation] for callers without coroutines; see [BlockingClient].
 *
 * @property coroutines The same invitation for coroutines.
 */
public class BlockingInvitation(public val coroutines: Invitation) {
    /** The code to hand over, as text. */
    public val code: String get() = coroutines.code

    /** The code as a URL, for links and QR codes. */
    public val url: String get() = coroutines.url

    /** Names it: 32 hexadecimal digits, as in the list of invitations. */
    public val id: String get() = coroutines.id

    /** See [Invitation.qrSvg]. */
    public fun qrSvg(): String = coroutines.qrSvg()

    /** See [Invitation.qrModules]. */
    public fun qrModules(): QrModules = coroutines.qrModules()

    /** The six digits that the host tells the guest; `null` while there are none. */
    public val authCode: String? get() = coroutines.authCode

    /** Where it stands. */
    public val state: InvitationState get() = coroutines.state

    /** Where it stands, in full. */
    public fun update(): InvitationUpdate = coroutines.update()

    /** See [Invitation.subscribe]. */
    public fun subscribe(listener: InvitationListener): Subscription = coroutines.subscribe(listener)

    /** See [Invitation.awaitState]. */
    public fun awaitState(state: InvitationState): InvitationUpdate = waiting { coroutines.awaitState(state) }

    /** See [Invitation.awaitAuthCode]. */
    public fun awaitAuthCode(): String = waiting { coroutines.awaitAuthCode() }

    /** See [Invitation.authenticate]. */
    public fun authenticate(authCode: String) {
        coroutines.authenticate(authCode)
    }

    /** See [Invitation.await]. */
    public fun await(): String = waiting { coroutines.await() }

    /** See [Invitation.cancel]. */
    public fun cancel() {
        coroutines.cancel()
    }
}
