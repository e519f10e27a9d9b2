package dev.echodb.blocking

import dev.echodb.Client
import dev.echodb.ClientStatus
import dev.echodb.Contact
import dev.echodb.CredentialInfo
import dev.echodb.DeviceInfo
import dev.echodb.EchoException
import dev.echodb.Found
import dev.echodb.IceServer
import dev.echodb.IdentityInfo
import dev.echodb.IdentityListener
import dev.echodb.InvitationInfo
import dev.echodb.LogLevel
import dev.echodb.EncryptionMode
import dev.echodb.KeyProvider
import dev.echodb.LogSink
import dev.echodb.Query
import dev.echodb.SpaceInfo
import dev.echodb.Status
import dev.echodb.Subscription
import dev.echodb.VerifiedPresentation
import java.nio.file.Path
import java.time.Duration
import java.time.Instant

/**
 * [Client] for callers without coroutines, such as Java: calls wait on the calling thread, which
 * may be a virtual one. An interrupted wait throws [EchoException.Cancelled] and leaves the thread
 * interrupted; what was begun may take effect all the same, completely.
 *
 * Made by [open]; ended by [close], best by `try`-with-resources.
 *
 * @property coroutines The same client for coroutines.
 */
public class BlockingClient(public val coroutines: Client) : AutoCloseable {
    /** The identity; `null` if there is none. */
    public val identity: IdentityInfo? get() = coroutines.identity

    /** Connections and servers at this moment. */
    public fun status(): ClientStatus = coroutines.status()

    /** See [Client.createIdentity]. */
    public fun createIdentity(displayName: String): IdentityInfo = waiting { coroutines.createIdentity(displayName) }

    /** See [Client.createSpace]. */
    @JvmOverloads
    public fun createSpace(name: String? = null, properties: Map<String, Any?> = emptyMap()): BlockingSpace =
        BlockingSpace(waiting { coroutines.createSpace(name, properties) })

    /** See [Client.spaces]. */
    public fun spaces(): List<SpaceInfo> = waiting { coroutines.spaces() }

    /** See [Client.space]. */
    public fun space(id: String): BlockingSpace = BlockingSpace(waiting { coroutines.space(id) })

    /** See [Client.defaultSpace]. */
    public fun defaultSpace(): BlockingSpace = BlockingSpace(waiting { coroutines.defaultSpace() })

    /** See [Client.deleteSpace]. */
    public fun deleteSpace(id: String) {
        waiting { coroutines.deleteSpace(id) }
    }

    /** See [Client.query]; without [spaces], in all open ones. */
    @JvmOverloads
    public fun query(query: Query, spaces: List<String> = emptyList()): List<Found> =
        waiting { coroutines.query(query, spaces) }

    /** See [Client.setPassphrase]. */
    public fun setPassphrase(old: String?, new: String?) {
        waiting { coroutines.setPassphrase(old, new) }
    }

    /** See [Client.importArchive]. */
    public fun importArchive(path: Path): BlockingSpace = BlockingSpace(waiting { coroutines.importArchive(path) })

    /** See [Client.join]. */
    @JvmOverloads
    public fun join(code: String, timeout: Duration = Duration.ofMinutes(2)): BlockingInvitation =
        BlockingInvitation(waiting { coroutines.join(code, timeout.kotlin()) })

    /** See [Client.invitations]. */
    public fun invitations(): List<InvitationInfo> = waiting { coroutines.invitations() }

    /** See [Client.invitation]. */
    public fun invitation(id: String): BlockingInvitation = BlockingInvitation(waiting { coroutines.invitation(id) })

    /** See [Client.cancelInvitation]. */
    public fun cancelInvitation(id: String) {
        waiting { coroutines.cancelInvitation(id) }
    }

    /** See [Client.createDeviceInvitation]. */
    @JvmOverloads
    public fun createDeviceInvitation(
        expires: Duration = Duration.ofHours(1),
        includeSignaling: Boolean = true,
    ): BlockingInvitation =
        BlockingInvitation(waiting { coroutines.createDeviceInvitation(expires.kotlin(), includeSignaling) })

    /** See [Client.joinDevice]. */
    @JvmOverloads
    public fun joinDevice(
        code: String,
        deviceName: String? = null,
        timeout: Duration = Duration.ofMinutes(2),
    ): BlockingInvitation = BlockingInvitation(waiting { coroutines.joinDevice(code, deviceName, timeout.kotlin()) })

    /** See [Client.devices]. */
    public fun devices(): List<DeviceInfo> = waiting { coroutines.devices() }

    /** See [Client.renameDevice]. */
    public fun renameDevice(device: String, name: String) {
        waiting { coroutines.renameDevice(device, name) }
    }

    /** See [Client.revokeDevice]. */
    public fun revokeDevice(device: String) {
        waiting { coroutines.revokeDevice(device) }
    }

    /** See [Client.setProfile]. */
    public fun setProfile(displayName: String) {
        waiting { coroutines.setProfile(displayName) }
    }

    /** See [Client.restoreSpace]. */
    public fun restoreSpace(id: String) {
        waiting { coroutines.restoreSpace(id) }
    }

    /** See [Client.subscribeIdentity]. */
    public fun subscribeIdentity(listener: IdentityListener): Subscription = coroutines.subscribeIdentity(listener)

    /** See [Client.createRecoveryPhrase]. */
    public fun createRecoveryPhrase(): String = waiting { coroutines.createRecoveryPhrase() }

    /** See [Client.replaceRecoveryPhrase]. */
    public fun replaceRecoveryPhrase(current: String): String = waiting { coroutines.replaceRecoveryPhrase(current) }

    /** See [Client.recoverIdentity]. */
    @JvmOverloads
    public fun recoverIdentity(
        phrase: String,
        deviceName: String? = null,
        revokeOlder: Boolean = false,
        timeout: Duration = Duration.ofMinutes(2),
    ): IdentityInfo = waiting { coroutines.recoverIdentity(phrase, deviceName, revokeOlder, timeout.kotlin()) }

    /** See [Client.contacts]. */
    public fun contacts(): List<Contact> = waiting { coroutines.contacts() }

    /** See [Client.credentials]. */
    public fun credentials(): List<CredentialInfo> = waiting { coroutines.credentials() }

    /** See [Client.exportCredential]. */
    public fun exportCredential(id: String): ByteArray = waiting { coroutines.exportCredential(id) }

    /** See [Client.presentCredentials]. */
    public fun presentCredentials(credentials: List<String>, nonce: ByteArray, audience: String): ByteArray =
        waiting { coroutines.presentCredentials(credentials, nonce, audience) }

    /** See [Client.verifyPresentation]. */
    @JvmOverloads
    public fun verifyPresentation(
        presentation: ByteArray,
        nonce: ByteArray,
        audience: String,
        now: Instant? = null,
    ): VerifiedPresentation = waiting { coroutines.verifyPresentation(presentation, nonce, audience, now) }

    /** See [Client.issueCredential]. */
    @JvmOverloads
    public fun issueCredential(
        subject: String,
        type: String,
        claims: String,
        expires: Instant? = null,
    ): CredentialInfo = waiting { coroutines.issueCredential(subject, type, claims, expires) }

    /** See [Client.importCredential]. */
    public fun importCredential(credential: ByteArray): CredentialInfo =
        waiting { coroutines.importCredential(credential) }

    /** See [Client.removeCredential]. */
    public fun removeCredential(id: String) {
        waiting { coroutines.removeCredential(id) }
    }

    /** See [Client.setOnline]. */
    public fun setOnline(online: Boolean) {
        waiting { coroutines.setOnline(online) }
    }

    /** See [Client.shutdown]. Goes on to its end when the thread is interrupted. */
    public fun shutdown() {
        coroutines.close()
    }

    /** The same as [shutdown]. */
    override fun close() {
        coroutines.close()
    }

    /** What a client is opened with; see [Client.open] for what is meant and what it is by default. */
    public class Builder internal constructor() {
        private var profile: Path? = null
        private var signaling: List<String> = emptyList()
        private var iceServers: List<IceServer> = emptyList()
        private var bind: List<String> = emptyList()
        private var online = true
        private var coalesce: Duration = Duration.ofMillis(20)
        private var cacheBytes = 32L * 1024 * 1024
        private var logLevel = LogLevel.WARN
        private var log: LogSink? = null
        private var passphrase: String? = null
        private var keyProvider: KeyProvider? = null
        private var encryption = EncryptionMode.AUTO

        /** The profile's directory; `null` keeps everything in memory. */
        public fun profile(directory: Path?): Builder = apply { profile = directory }

        /** URLs of signalling servers. */
        public fun signaling(vararg urls: String): Builder = apply { signaling = urls.toList() }

        /** STUN and TURN servers. */
        public fun iceServers(vararg servers: IceServer): Builder = apply { iceServers = servers.toList() }

        /** Local addresses for peer connections. */
        public fun bind(vararg addresses: String): Builder = apply { bind = addresses.toList() }

        /** Whether to look for peers from the start. */
        public fun online(online: Boolean): Builder = apply { this.online = online }

        /** How long text edits outside transactions are gathered into one entry. */
        public fun coalesce(time: Duration): Builder = apply { coalesce = time }

        /** How many bytes of memory open spaces may use together for what they have read. */
        public fun cacheBytes(bytes: Long): Builder = apply { cacheBytes = bytes }

        /** What the log sink hears. */
        public fun logLevel(level: LogLevel): Builder = apply { logLevel = level }

        /** Where the log goes. */
        public fun log(sink: LogSink): Builder = apply { log = sink }

        /** The passphrase of the profile's files. */
        public fun passphrase(passphrase: String?): Builder = apply { this.passphrase = passphrase }

        /** Who keeps a key for the profile. */
        public fun keyProvider(provider: KeyProvider?): Builder = apply { keyProvider = provider }

        /** Whether the profile's files are encrypted. */
        public fun encryption(mode: EncryptionMode): Builder = apply { encryption = mode }

        /**
         * Opens the client.
         *
         * @throws EchoException.InvalidState with [Status.PROFILE_LOCKED] while another client has
         *   the profile open.
         * @throws EchoException.Storage when its files are damaged or newer.
         */
        public fun open(): BlockingClient =
            BlockingClient(
                waiting {
                    Client.open(
                        profile, signaling, iceServers, bind, online,
                        coalesce.kotlin(), cacheBytes, logLevel, log ?: LogSink.system(),
                        passphrase, keyProvider, encryption,
                    )
                },
            )
    }

    public companion object {
        /** Opens a profile, or a client in memory, with everything else as it is by default. */
        @JvmStatic
        @JvmOverloads
        public fun open(profile: Path? = null): BlockingClient = builder().profile(profile).open()

        /** Opens a client with options: `BlockingClient.builder().online(false).open()`. */
        @JvmStatic
        public fun builder(): Builder = Builder()
    }
}
