package dev.echodb

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import dev.echodb.ffi.Invitation as NativeInvitation
import dev.echodb.ffi.InvitationListener as NativeListener
import dev.echodb.ffi.InvitationState as NativeState
import dev.echodb.ffi.InvitationUpdate as NativeUpdate

/**
 * Where an invitation stands.
 *
 * @property isFinal Whether nothing more will happen.
 */
public enum class InvitationState(public val isFinal: Boolean) {
    /** Made, not yet looking for the other side. */
    INIT(false),

    /** Waiting for the other side, or reaching it. */
    CONNECTING(false),

    /** The other side is there and the channel is encrypted, but not yet trusted. */
    CONNECTED(false),

    /** The host shows the authorization code; the guest is to enter it. */
    READY_FOR_AUTHENTICATION(false),

    /** The code is being checked. */
    AUTHENTICATING(false),

    /** Done: the guest is a member. */
    SUCCESS(true),

    /** One side cancelled. */
    CANCELLED(true),

    /** The other side took too long. */
    TIMEOUT(true),

    /** It failed; see the update's error. */
    ERROR(true),

    /** The invitation's time is over, or its codes are used up. */
    EXPIRED(true),
    ;

    internal companion object {
        fun of(state: NativeState): InvitationState =
            when (state) {
                NativeState.INIT -> INIT
                NativeState.CONNECTING -> CONNECTING
                NativeState.CONNECTED -> CONNECTED
                NativeState.READY_FOR_AUTHENTICATION -> READY_FOR_AUTHENTICATION
                NativeState.AUTHENTICATING -> AUTHENTICATING
                NativeState.SUCCESS -> SUCCESS
                NativeState.CANCELLED -> CANCELLED
                NativeState.TIMEOUT -> TIMEOUT
                NativeState.ERROR -> ERROR
                NativeState.EXPIRED -> EXPIRED
            }
    }
}

/**
 * An invitation at one moment.
 *
 * @property state Where it stands.
 * @property authCode The host's authorization code, six digits, while it is good.
 * @property attemptsLeft Authorization codes left before the invitation is closed. After each guest
 *   that was let in they are three again.
 * @property peerName The other side's display name, once it has given one; not proven before
 *   success.
 * @property fingerprint Four English words, the same on both screens unless somebody sits in between;
 *   once the authorization code is entered, right or wrong, and on from there. `null` for delegated
 *   invitations, where no two people look at screens.
 * @property guests The host's guests at this moment, at most three; the other properties show the one
 *   that has come farthest.
 * @property uses How many guests were let in so far.
 * @property space The space's id, once it is known; the identity, if a device is being added.
 * @property status What failed, for programs; `null` if nothing did.
 * @property error What failed, for people; `null` if nothing did.
 */
public data class InvitationUpdate(
    public val state: InvitationState,
    public val authCode: String?,
    public val attemptsLeft: Int,
    public val peerName: String?,
    public val fingerprint: String?,
    public val guests: List<GuestUpdate>,
    public val uses: Int,
    public val space: String?,
    public val status: Status?,
    public val error: String?,
) {
    internal companion object {
        fun of(update: NativeUpdate): InvitationUpdate =
            InvitationUpdate(
                state = InvitationState.of(update.state),
                authCode = update.authCode,
                attemptsLeft = update.attemptsLeft.toInt(),
                peerName = update.peerName,
                fingerprint = update.fingerprint,
                guests = update.guests.map(GuestUpdate::of),
                uses = update.uses.toInt(),
                space = update.space,
                status = Status.of(update.status),
                error = update.error,
            )
    }
}

/**
 * Receives updates on the library's threads, one at a time, the present one first. One that throws
 * is logged and kept.
 */
public fun interface InvitationListener {
    /** The invitation moved on. */
    public fun updated(update: InvitationUpdate)
}

/**
 * Either side of an invitation in progress. It goes on until it has ended, is cancelled, or its
 * client is shut down, whether or not anything refers to it.
 */
public class Invitation internal constructor(
    private val native: NativeInvitation,
    private val lifeline: Lifeline,
) {
    /** The code to hand over, as text. */
    public val code: String get() = translated { native.code() }

    /** The code as a URL, for links and QR codes. */
    public val url: String get() = translated { native.url() }

    /** Names it: 32 hexadecimal digits, as in the list of invitations ([Client.invitations]). */
    public val id: String get() = translated { native.id() }

    /**
     * The URL as an SVG picture of a QR code, with a quiet zone of four modules, black on white; it
     * scales to any size.
     */
    public fun qrSvg(): String = translated { native.qrSvg() }

    /** The URL as the modules of a QR code, without a quiet zone. */
    public fun qrModules(): QrModules = QrModules.of(translated { native.qrModules() })

    /** The six digits that the host tells the guest; `null` while there are none. */
    public val authCode: String? get() = update().authCode

    /** Where it stands. */
    public val state: InvitationState get() = update().state

    /** Where it stands, in full. */
    public fun update(): InvitationUpdate = InvitationUpdate.of(translated { native.update() })

    /**
     * What happens, the present update first, for each collector by itself. Ends after a final
     * state, and with the client.
     */
    public fun updates(): Flow<InvitationUpdate> =
        flow {
            // Only the present state counts to a collector that is slow.
            val mailbox = Mailbox<InvitationUpdate>(WAITING_UPDATES) { _, new -> new }
            lifeline.add(mailbox)
            try {
                subscribe(mailbox::put).use {
                    do {
                        val update = mailbox.take() ?: break
                        emit(update)
                    } while (!update.state.isFinal)
                }
            } finally {
                lifeline.remove(mailbox)
            }
        }

    /** Calls the listener with the present update and then with every further one. */
    public fun subscribe(listener: InvitationListener): Subscription =
        lifeline.add(ListenerAdapter(listener)).let { Subscription(translated { native.subscribe(it) }) }

    /**
     * Waits for a state: a guest for [InvitationState.READY_FOR_AUTHENTICATION], say, to ask for
     * the code.
     *
     * @throws EchoException what ended the invitation before that.
     */
    public suspend fun awaitState(state: InvitationState): InvitationUpdate = first { it.state == state }

    /**
     * Waits on the host's side for the guest, and returns the six digits to tell them.
     *
     * @throws EchoException what ended the invitation before that.
     */
    public suspend fun awaitAuthCode(): String = first { it.authCode != null }.authCode.orEmpty()

    /**
     * Enters the authorization code on the guest's side; spaces and dashes are ignored. Whether it
     * is right shows in the updates.
     *
     * @throws EchoException.InvalidArgument if it is not six digits.
     * @throws EchoException.InvalidState if none is asked for.
     */
    public fun authenticate(authCode: String) {
        translated { native.authenticate(authCode) }
    }

    /**
     * Waits for the end and returns the space's id, or the identity's key if a device was added. A wait that is given up leaves the invitation
     * as it is; see [cancel].
     *
     * @throws EchoException what ended it otherwise.
     */
    public suspend fun await(): String = translated { native.wait() }

    /** Cancels; the other side learns. Does nothing after the end. */
    public fun cancel() {
        translated { native.cancel() }
    }

    private suspend fun first(test: (InvitationUpdate) -> Boolean): InvitationUpdate {
        updates().firstOrNull(test)?.let { return it }
        await()
        throw EchoException.InvalidState("the invitation has ended, or its client was shut down")
    }

    private class ListenerAdapter(
        @Volatile private var listener: InvitationListener?,
    ) : NativeListener, Endable {
        override fun updated(update: NativeUpdate): Unit = guarded { listener?.updated(InvitationUpdate.of(update)) }

        override fun end() {
            listener = null
        }
    }

    internal companion object {
        /** More than any invitation goes through. */
        private const val WAITING_UPDATES = 64

        /**
         * Makes an invitation; one whose maker is cancelled meanwhile is cancelled too, for nobody
         * would be left to do it.
         */
        suspend fun begin(lifeline: Lifeline, call: suspend () -> NativeInvitation): Invitation {
            val native = withContext(NonCancellable) { translated { call() } }
            try {
                currentCoroutineContext().ensureActive()
            } catch (cancelled: CancellationException) {
                native.cancel()
                native.destroy()
                throw cancelled
            }
            return Invitation(native, lifeline)
        }
    }
}
