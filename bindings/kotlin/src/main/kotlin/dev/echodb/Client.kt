package dev.echodb

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.nio.file.Path
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import dev.echodb.ffi.Client as NativeClient
import dev.echodb.ffi.ClientOptions as NativeOptions
import dev.echodb.ffi.IceServer as NativeIceServer
import dev.echodb.ffi.InviteOptions as NativeInviteOptions
import dev.echodb.ffi.JoinOptions as NativeJoinOptions
import dev.echodb.ffi.RecoverOptions as NativeRecoverOptions
import dev.echodb.ffi.openClient

/**
 * A STUN or TURN server (RFC 8489, RFC 8656).
 *
 * @property urls `stun:HOST:PORT`, `turn:HOST:PORT?transport=udp`.
 * @property username For TURN.
 * @property credential For TURN.
 */
public data class IceServer @JvmOverloads constructor(
    public val urls: List<String>,
    public val username: String = "",
    public val credential: String = "",
)

/**
 * An open profile: one identity, its spaces and its connections. Calls may come from any thread,
 * and from any coroutine: those that suspend do their work on the library's own threads, and none
 * of the others waits for the disk or the network.
 *
 * Made by [open]; ended by [shutdown], or by [close], for `use { }`. A client that is dropped
 * without is shut down when it is collected, or when the program ends.
 */
public class Client private constructor(private val native: NativeClient) : AutoCloseable {
    private val lifeline = Lifeline()

    /** The identity, if there is one. */
    public val identity: IdentityInfo? get() = translated { native.identity() }?.let(IdentityInfo::of)

    /** Connections and servers at this moment. */
    public fun status(): ClientStatus = ClientStatus.of(translated { native.status() })

    /**
     * Makes the identity, this device's keys, and the default space.
     *
     * @throws EchoException.AlreadyExists if the profile has one.
     */
    public suspend fun createIdentity(displayName: String): IdentityInfo =
        IdentityInfo.of(translated { native.createIdentity(displayName) })

    /**
     * Makes a space and opens it.
     *
     * @param name One of its properties.
     * @param properties Further ones.
     */
    public suspend fun createSpace(name: String? = null, properties: Map<String, Any?> = emptyMap()): Space {
        val json = dumpFields(if (name == null) properties else properties + ("name" to name))
        return space(translated { native.createSpace(json) })
    }

    /** The spaces of this profile, in the order they were made or joined. */
    public suspend fun spaces(): List<SpaceInfo> = translated { native.spaces() }.map(SpaceInfo::of)

    /**
     * A handle on a space, open or closed.
     *
     * @throws EchoException.NotFound if the profile has none of that id.
     */
    public suspend fun space(id: String): Space = space(translated { native.space(id) })

    /** The space that was made with the identity. */
    public suspend fun defaultSpace(): Space = space(translated { native.defaultSpace() })

    /**
     * Deletes this profile's copy of a space. Other members keep theirs. The default space cannot
     * be deleted.
     */
    public suspend fun deleteSpace(id: String) {
        translated { native.deleteSpace(id) }
    }

    /**
     * The objects that a query finds in several spaces, or in all open ones if [spaces] is empty, in
     * the query's order; its `limit` and `skip` count over all. Links are followed within each space.
     *
     * @throws EchoException.NotFound for a space that the profile lacks.
     * @throws EchoException.InvalidState for one that is closed.
     */
    public suspend fun query(query: Query, spaces: List<String> = emptyList()): List<Found> {
        val json = query.toJson()
        return Found.all(translated { native.query(spaces, json) })
    }

    /**
     * Brings in a space's archive and opens the space: as a new space of this profile, into the one
     * that is here, or in place of one whose file is lost or damaged (which is kept beside). The
     * archive is checked as a whole before anything is written.
     *
     * @throws EchoException.PermissionDenied if this profile's device is no member of the space.
     * @throws EchoException.Storage if the archive is damaged, or of a newer version.
     */
    public suspend fun importArchive(path: Path): Space = space(translated { native.importArchive(path.toString()) })

    /**
     * Uses an invitation code (text or URL). A malformed, foreign or expired code, and one for a
     * space this profile is in already, fails at once; the rest shows in the invitation.
     *
     * @param timeout How long to look for the host, in whole seconds, one second to a week.
     */
    public suspend fun join(code: String, timeout: Duration = 120.seconds): Invitation {
        val options = NativeJoinOptions(timeoutS = seconds(timeout))
        return Invitation.begin(lifeline) { native.join(code, options) }
    }

    /**
     * The invitations that are open: those of this profile, as host and as guest, in the order in which
     * they were made, then those that other members have open in the spaces that are open here. They are
     * kept over a restart, and run whenever the client is online and their space is open.
     */
    public suspend fun invitations(): List<InvitationInfo> =
        translated { native.invitations() }.map(InvitationInfo::of)

    /**
     * A handle on a running invitation of this profile, as after a restart.
     *
     * @param id As [InvitationInfo.id] has it.
     * @throws EchoException.NotFound if there is no such invitation.
     * @throws EchoException.InvalidState while it does not run because the client is offline or the
     *   space closed.
     */
    public suspend fun invitation(id: String): Invitation =
        Invitation(translated { native.invitation(id) }, lifeline)

    /**
     * Ends an invitation for everybody: nobody comes in through it any more, and its code is worth
     * nothing. An admin or owner may end those of other members too. On the guest's side it ends the
     * attempt to join.
     *
     * @throws EchoException.NotFound if there is no such invitation.
     * @throws EchoException.PermissionDenied if it is somebody else's and gives a role that is not below
     *   this identity's.
     */
    public suspend fun cancelInvitation(id: String) {
        translated { native.cancelInvitation(id) }
    }

    /**
     * Shows a code for a new device of this identity. Enter it on the new device ([joinDevice]); then
     * its user enters the authorization code, as with an invitation to a space. **Whoever is let in
     * this way is you**: it sees every space and can write, invite and add devices. The invitation lets
     * in one device and outlives the process like one to a space ([invitations]); [Invitation.await]
     * gives the identity's key.
     *
     * @param expires How long the code is good for, in whole seconds, one second to a day.
     * @param includeSignaling Whether the code carries the signalling servers, so that the new device
     *   needs no setting.
     * @throws EchoException.InvalidState without identity, or offline.
     * @throws EchoException.PermissionDenied on a device that was revoked.
     */
    public suspend fun createDeviceInvitation(
        expires: Duration = 1.hours,
        includeSignaling: Boolean = true,
    ): Invitation {
        val options = NativeInviteOptions(expiresS = seconds(expires), includeSignaling = includeSignaling)
        return Invitation.begin(lifeline) { native.createDeviceInvitation(options) }
    }

    /**
     * Uses a device code (text or URL) on a client without identity: it becomes a device of the
     * identity whose device shows the code, and gets all of its spaces. What goes wrong later shows in
     * the invitation.
     *
     * @param deviceName What this device is called, at most 256 characters.
     * @param timeout How long to look for the other device, in whole seconds, one second to a week.
     * @throws EchoException.InvalidState if there is an identity already: nobody can be talked into
     *   linking a device to somebody else.
     * @throws EchoException.InvitationRefused for a code of another kind.
     */
    public suspend fun joinDevice(
        code: String,
        deviceName: String? = null,
        timeout: Duration = 120.seconds,
    ): Invitation {
        val options = NativeJoinOptions(seconds(timeout), deviceName)
        return Invitation.begin(lifeline) { native.joinDevice(code, options) }
    }

    /**
     * The identity's devices, those that act first and the most senior of them in front.
     *
     * @throws EchoException.InvalidState without identity.
     */
    public suspend fun devices(): List<DeviceInfo> = translated { native.devices() }.map(DeviceInfo::of)

    /**
     * Names a device, for all devices of the identity.
     *
     * @throws EchoException.NotFound for a device that is not the identity's.
     */
    public suspend fun renameDevice(device: String, name: String) {
        translated { native.renameDevice(device, name) }
    }

    /**
     * Revokes a device for ever: in every space what it writes from now on is refused, content keys are
     * renewed, and it gets nothing new. What it wrote before, as far as it has reached this device,
     * stays. Done already: does nothing.
     *
     * @throws EchoException.PermissionDenied unless it is this device itself, or one that was added
     *   after it; a device that the recovery phrase brought back may revoke all.
     * @throws EchoException.NotFound for a device that is not the identity's.
     */
    public suspend fun revokeDevice(device: String) {
        translated { native.revokeDevice(device) }
    }

    /** Sets the identity's display name, on all its devices and in all its spaces. It proves nothing. */
    public suspend fun setProfile(displayName: String) {
        translated { native.setProfile(displayName) }
    }

    /**
     * Lists a space again that was deleted on this device ([deleteSpace]): what it holds comes from
     * whoever has it.
     *
     * @throws EchoException.NotFound if the identity has no such space.
     * @throws EchoException.AlreadyExists if it is here.
     */
    public suspend fun restoreSpace(id: String) {
        translated { native.restoreSpace(id) }
    }

    /**
     * What changes about the identity, for each collector from when it begins to collect. Cancelling
     * the collector ends the listening; [shutdown] ends the flow. Several changes of one kind may be
     * told as one.
     *
     * @param onListening Called when the listening has begun, before the first change is emitted.
     */
    public fun identityChanges(onListening: suspend () -> Unit = {}): Flow<IdentityChange> =
        identityChangesOf(native, lifeline, onListening)

    /** Calls the listener whenever something about the identity changes, on the library's threads. */
    public fun subscribeIdentity(listener: IdentityListener): Subscription {
        val adapter = lifeline.add(IdentityAdapter(listener))
        return Subscription(translated { native.subscribeIdentity(adapter) })
    }

    /**
     * Makes a new recovery phrase and gives its 24 words (BIP 39, English). **They are shown this one
     * time and stored nowhere**: write them down. Whoever has them can become the identity. Phrases
     * made before on other devices than one that came by a phrase stay in force and rank above it.
     *
     * @throws EchoException.PermissionDenied unless this is the identity's most senior device, or one
     *   that the present phrase brought back.
     */
    public suspend fun createRecoveryPhrase(): String = translated { native.createRecoveryPhrase() }

    /**
     * Makes a new recovery phrase in place of [current], one of this identity that is in force, and gives
     * its 24 words, this one time. From then on [current] is void, and so is every phrase that ranks
     * below it. Any device of the identity may do so, connected or not: for when others may have read
     * the words. Devices that [current] brought back stay.
     *
     * @throws EchoException.InvalidArgument if the words are no phrase.
     * @throws EchoException.PermissionDenied if the phrase is not in force for this identity.
     * @throws EchoException.LimitExceeded when it was done more than twenty times.
     */
    public suspend fun replaceRecoveryPhrase(current: String): String =
        translated { native.replaceRecoveryPhrase(current) }

    /**
     * Recovers the identity of a phrase on a client that has none. It takes any one device that holds
     * the identity, online at the same signalling servers. Waits until the identity is here; its spaces
     * follow, as on any new device.
     *
     * @param deviceName What this device is called, at most 256 characters.
     * @param revokeOlder Whether every device that the identity had before is revoked, in all spaces,
     *   once the spaces have come: for when devices were stolen.
     * @param timeout How long it may take in all, in whole seconds, one second to a day.
     * @throws EchoException.InvalidArgument if the words are no phrase.
     * @throws EchoException.InvalidState if there is an identity already or the client is offline.
     * @throws EchoException.PermissionDenied if the phrase is void since a newer one was made.
     * @throws EchoException.TimedOut if no device was found. With [revokeOlder] also if the identity is
     *   recovered ([identity] is there) but its spaces have not all come: then no device was revoked.
     */
    public suspend fun recoverIdentity(
        phrase: String,
        deviceName: String? = null,
        revokeOlder: Boolean = false,
        timeout: Duration = 120.seconds,
    ): IdentityInfo {
        val options = NativeRecoverOptions(deviceName, revokeOlder, seconds(timeout))
        return IdentityInfo.of(translated { native.recoverIdentity(phrase, options) })
    }

    /**
     * The identities that this one shares an open space with, rising by key, its own left out. Derived
     * from the members of the spaces; nothing is stored.
     */
    public suspend fun contacts(): List<Contact> = translated { native.contacts() }.map(Contact::of)

    /**
     * What the identity can show: its own card first, then its role in each space, then the statements
     * about it and those that it issued. Closed spaces are read for as long as it takes.
     */
    public suspend fun credentials(): List<CredentialInfo> = translated { native.credentials() }.map(CredentialInfo::of)

    /**
     * A credential as bytes, which anybody can verify with [readCredential]; [credentialCode] makes
     * text of them. A membership shows who created the space, and who let whom in up to this identity,
     * with names and keys, and nobody else.
     *
     * @throws EchoException.NotFound for an id that is not in [credentials].
     */
    public suspend fun exportCredential(id: String): ByteArray = translated { native.exportCredential(id) }

    /**
     * Presents credentials about this identity, by their ids, to one audience and in answer to its
     * nonce. Without credentials it shows which identity and device are here.
     *
     * @param credentials At most 16.
     * @param nonce 16 to 64 random bytes that the verifier made and uses once.
     * @param audience A name of the verifier that both sides know, up to 256 characters.
     * @throws EchoException.NotFound for an id that is not in [credentials].
     * @throws EchoException.CredentialRefused for what is expired.
     * @throws EchoException.InvalidArgument for what is about somebody else.
     * @throws EchoException.PermissionDenied on a device that was revoked.
     */
    public suspend fun presentCredentials(credentials: List<String>, nonce: ByteArray, audience: String): ByteArray =
        translated { native.presentCredentials(credentials, nonce, audience) }

    /**
     * As the function [dev.echodb.verifyPresentation], and compares with what the spaces that are open here know.
     *
     * @throws EchoException.CredentialRefused also with [Status.REVOKED], when one knows that the
     *   presenting or a signing device was revoked, or that the role shown is not held any more.
     */
    public suspend fun verifyPresentation(
        presentation: ByteArray,
        nonce: ByteArray,
        audience: String,
        now: Instant? = null,
    ): VerifiedPresentation {
        val moment = now?.toEpochMilli()
        return VerifiedPresentation.of(translated { native.verifyPresentation(presentation, nonce, audience, moment) })
    }

    /**
     * Says something of an identity, or of one's own. It is kept for all devices of this identity;
     * export it, and have its subject import it.
     *
     * @param type 1 to 256 characters.
     * @param claims A JSON object of at most 16 KiB whose numbers are 64-bit integers.
     * @param expires Until when it holds; `null`: without end.
     * @throws EchoException.PermissionDenied on a device that was revoked.
     */
    public suspend fun issueCredential(
        subject: String,
        type: String,
        claims: String,
        expires: Instant? = null,
    ): CredentialInfo =
        CredentialInfo.of(translated { native.issueCredential(subject, type, claims, expires?.toEpochMilli()) })

    /**
     * Keeps a statement about this identity, for all of its devices.
     *
     * @throws EchoException.CredentialRefused as [readCredential] does.
     * @throws EchoException.InvalidArgument for what is not about this identity and not by it.
     */
    public suspend fun importCredential(credential: ByteArray): CredentialInfo =
        CredentialInfo.of(translated { native.importCredential(credential) })

    /**
     * Forgets a statement, on all devices of this identity. That does not take it back: whoever has it
     * can still show it.
     *
     * @throws EchoException.NotFound if there is none.
     */
    public suspend fun removeCredential(id: String) {
        translated { native.removeCredential(id) }
    }

    /**
     * Goes online or offline. Offline, all connections are closed and none is made or taken;
     * everything else works.
     */
    public suspend fun setOnline(online: Boolean) {
        translated { native.setOnline(online) }
    }

    /**
     * Gives the profile a passphrase, changes it, or, without a new one, takes it away: then the key
     * is with the key provider that the client was opened with, or else in a file. It takes about a
     * second, and no file is written anew but the one that holds the profile's key; a crash leaves the
     * one or the other passphrase. Whoever has a copy of that file from before can open the profile
     * with the old one still.
     *
     * @param old The present one, if there is one.
     * @param new 1 to 1024 bytes of UTF-8, or `null`.
     * @throws EchoException.PermissionDenied with [Status.WRONG_PASSPHRASE].
     * @throws EchoException.InvalidState if the profile is plain or in memory.
     */
    public suspend fun setPassphrase(old: String?, new: String?) {
        translated { native.setPassphrase(old, new) }
    }

    /**
     * Commits what is pending, closes connections and files, and releases the profile. Ends all
     * flows and subscriptions. Every later call on the client and its spaces throws
     * [EchoException.InvalidState]; this one may be made again. Goes on to its end when the
     * coroutine is cancelled.
     */
    public suspend fun shutdown() {
        if (native.uniffiIsDestroyed) return
        try {
            withContext(NonCancellable) { translated { native.shutdown() } }
            OpenClients.remove(native)
            // Frees memory now that the collector does not see.
            native.destroy()
        } finally {
            lifeline.end()
        }
    }

    /** As [shutdown], on the calling thread, which waits. */
    override fun close() {
        uninterrupted { runBlocking { shutdown() } }
    }

    private fun space(native: dev.echodb.ffi.Space): Space = Space(native, lifeline)

    public companion object {
        /**
         * Opens a profile, making it if absent.
         *
         * @param profile Its directory; `null` keeps everything in memory.
         * @param signaling URLs of signalling servers, all used at once.
         * @param iceServers STUN and TURN servers.
         * @param bind Local addresses for peer connections, `IP:PORT` with port 0 for any; none
         *   means every address of the machine, loopback included.
         * @param online Whether to look for peers from the start; see [setOnline].
         * @param coalesce How long text edits outside transactions are gathered into one entry, 0
         *   to 1 second.
         * @param cacheBytes How many bytes of memory open spaces may use together for what they have
         *   read: 1 MiB to 64 GiB.
         * @param logLevel What the log sink hears.
         * @param log Where the log goes.
         * @param passphrase The passphrase of the profile's files, 1 to 1024 bytes of UTF-8. A new
         *   profile, and one that was plain, gets it; see [setPassphrase].
         * @param keyProvider Who keeps a key for the profile; used where there is no passphrase.
         * @param encryption Whether the profile's files are encrypted.
         * @throws EchoException.PermissionDenied with [Status.WRONG_PASSPHRASE].
         * @throws EchoException.InvalidState with [Status.PROFILE_LOCKED] while another client, in
         *   this process or another, has it open.
         * @throws EchoException.Storage when its files are damaged or newer; they are left
         *   untouched. With [Status.KEY_UNAVAILABLE] when a passphrase or provider is needed.
         */
        public suspend fun open(
            profile: Path? = null,
            signaling: List<String> = emptyList(),
            iceServers: List<IceServer> = emptyList(),
            bind: List<String> = emptyList(),
            online: Boolean = true,
            coalesce: Duration = 20.milliseconds,
            cacheBytes: Long = 32L * 1024 * 1024,
            logLevel: LogLevel = LogLevel.WARN,
            log: LogSink = LogSink.system(),
            passphrase: String? = null,
            keyProvider: KeyProvider? = null,
            encryption: EncryptionMode = EncryptionMode.AUTO,
        ): Client {
            prepareLibrary()
            val options =
                NativeOptions(
                    profile = profile?.toString(),
                    signaling = signaling,
                    iceServers = iceServers.map { NativeIceServer(it.urls, it.username, it.credential) },
                    bind = bind,
                    online = online,
                    logLevel = logLevel.native(),
                    coalesceMs = milliseconds(coalesce),
                    // A negative number is past every bound.
                    cacheBytes = cacheBytes.toULong(),
                    passphrase = passphrase,
                    keyProvider = keyProvider?.let(::ProviderAdapter),
                    encryption = encryption.native(),
                )
            val sink = if (logLevel == LogLevel.OFF) null else SinkAdapter(log)
            val native = translated { openClient(options, sink) }
            OpenClients.add(native)
            return Client(native)
        }
    }
}

/** Whole seconds for the generated bindings, which leave the bounds to the library. */
internal fun seconds(duration: Duration): ULong {
    if (duration.isNegative()) throw EchoException.InvalidArgument("a duration is not negative: $duration")
    return duration.inWholeSeconds.toULong()
}

private fun milliseconds(duration: Duration): UInt {
    val millis = duration.inWholeMilliseconds
    if (millis !in 0..UInt.MAX_VALUE.toLong()) {
        throw EchoException.InvalidArgument("text edits are gathered for 0 to 1000 ms, not $millis")
    }
    return millis.toUInt()
}

/** Runs something that may not be given up to its end; an interruption is kept for later. */
internal inline fun uninterrupted(work: () -> Unit) {
    val interrupted = Thread.interrupted()
    try {
        work()
    } finally {
        if (interrupted) Thread.currentThread().interrupt()
    }
}
