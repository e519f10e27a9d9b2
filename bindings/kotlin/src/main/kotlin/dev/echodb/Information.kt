package dev.echodb

import dev.echodb.ffi.ClientStatus as NativeClientStatus
import dev.echodb.ffi.IdentityInfo as NativeIdentityInfo
import dev.echodb.ffi.QuarantinedEntry as NativeQuarantinedEntry
import dev.echodb.ffi.SpaceInfo as NativeSpaceInfo
import dev.echodb.ffi.SpaceState as NativeSpaceState
import dev.echodb.ffi.SpaceStatus as NativeSpaceStatus

// What is going on, truthfully: nothing here says "in sync" unless the other side confirmed it.

/** Whether a space is open. */
public enum class SpaceState {
    /** On disk only; not replicated until opened. */
    CLOSED,

    /** Being opened. */
    OPENING,

    /** Open. */
    READY,

    /** Its file could not be opened; the error is in the log and from [Space.open]. */
    FAILED,
    ;

    internal companion object {
        fun of(state: NativeSpaceState): SpaceState =
            when (state) {
                NativeSpaceState.CLOSED -> CLOSED
                NativeSpaceState.OPENING -> OPENING
                NativeSpaceState.READY -> READY
                NativeSpaceState.FAILED -> FAILED
            }
    }
}

/**
 * A space in a listing.
 *
 * @property id Its id, 52 characters.
 * @property name The `name` of its properties as last seen, empty if it has none.
 * @property isDefault Whether it was made with the identity.
 * @property state Its state.
 */
public data class SpaceInfo(
    public val id: String,
    public val name: String,
    public val isDefault: Boolean,
    public val state: SpaceState,
) {
    internal companion object {
        fun of(info: NativeSpaceInfo): SpaceInfo =
            SpaceInfo(info.id, info.name, info.isDefault, SpaceState.of(info.state))
    }
}

/**
 * Who the user of a client is.
 *
 * @property identity The identity's public key: the same on all devices.
 * @property device This device's public key.
 * @property displayName The name shown to others; not unique, not proven.
 */
public data class IdentityInfo(
    public val identity: String,
    public val device: String,
    public val displayName: String,
) {
    internal companion object {
        fun of(info: NativeIdentityInfo): IdentityInfo =
            IdentityInfo(info.identity, info.device, info.displayName)
    }
}

/**
 * A connection to a signalling server.
 *
 * @property url Its URL.
 * @property connected Whether it is connected now.
 * @property error The last failure, if it is not.
 */
public data class SignalingStatus(
    public val url: String,
    public val connected: Boolean,
    public val error: String?,
)

/**
 * A client as a whole.
 *
 * @property online Whether it looks for peers.
 * @property signaling Its signalling servers.
 * @property peers Authenticated peers connected now.
 * @property bytesSent Bytes sent to peers since the client was opened, before encryption.
 * @property bytesReceived Bytes received from peers likewise.
 * @property encryption What keeps the key of the profile's files.
 */
public data class ClientStatus(
    public val online: Boolean,
    public val signaling: List<SignalingStatus>,
    public val peers: Int,
    public val bytesSent: Long,
    public val bytesReceived: Long,
    public val encryption: Encryption,
) {
    internal companion object {
        fun of(status: NativeClientStatus): ClientStatus =
            ClientStatus(
                online = status.online,
                signaling = status.signaling.map { SignalingStatus(it.url, it.connected, it.error) },
                peers = status.peers.toInt(),
                bytesSent = status.bytesSent.toLong(),
                bytesReceived = status.bytesReceived.toLong(),
                encryption = Encryption.of(status.encryption),
            )
    }
}

/**
 * One connected peer, as far as one space is concerned.
 *
 * @property device The device's key.
 * @property identity The identity's key.
 * @property name The identity's display name.
 * @property unconfirmed Entries we hold that the peer has not confirmed.
 * @property missing Entries the peer says it holds and we lack.
 * @property inSync Whether both numbers are zero.
 */
public data class PeerStatus(
    public val device: String,
    public val identity: String,
    public val name: String,
    public val unconfirmed: Long,
    public val missing: Long,
    public val inSync: Boolean,
)

/**
 * One space: who has what, and what waits for what.
 *
 * @property state Its state.
 * @property peers Connected peers that share it.
 * @property objects Objects, deleted ones included.
 * @property entries Entries held.
 * @property quarantined Entries set aside as harmful or malformed; see [Space.quarantined].
 * @property excluded Entries that do not count; see [Space.excluded].
 * @property waitingForKey Entries that wait for a content key.
 * @property sealedOff Entries that are held and cannot be read, because they were written before this
 *   member's time, or build on what was: it was invited without the history. They wait for nothing
 *   that is to come.
 * @property waitingForDependency Entries that wait for one they depend on.
 * @property violations Objects that break the schema of their type; see [Space.violations].
 * @property role This identity's role; `null` once it was removed or has left, and while its
 *   admission has not arrived.
 * @property removed Whether this identity or this device was removed from the space, or has left it:
 *   what is here can be read, nothing can be written, and nothing more comes.
 * @property keyGeneration The generation of the content key that is written under: 1 is the first,
 *   each new key has a higher one. 0 while every key is known to somebody who may not read any more:
 *   the next write, of whomever, makes a new one.
 * @property checking Whether objects are yet to be checked because a schema came or changed: then
 *   [violations] is still moving.
 */
public data class SpaceStatus(
    public val state: SpaceState,
    public val peers: List<PeerStatus>,
    public val objects: Long,
    public val entries: Long,
    public val quarantined: Long,
    public val excluded: Long,
    public val waitingForKey: Long,
    public val sealedOff: Long,
    public val waitingForDependency: Long,
    public val violations: Long,
    public val role: String?,
    public val removed: Boolean,
    public val keyGeneration: Long,
    public val checking: Boolean,
) {
    internal companion object {
        fun of(status: NativeSpaceStatus): SpaceStatus =
            SpaceStatus(
                state = SpaceState.of(status.state),
                peers =
                    status.peers.map {
                        PeerStatus(
                            device = it.device,
                            identity = it.identity,
                            name = it.name,
                            unconfirmed = it.unconfirmed.toLong(),
                            missing = it.missing.toLong(),
                            inSync = it.inSync,
                        )
                    },
                objects = status.objects.toLong(),
                entries = status.entries.toLong(),
                quarantined = status.quarantined.toLong(),
                excluded = status.excluded.toLong(),
                waitingForKey = status.waitingForKey.toLong(),
                sealedOff = status.sealedOff.toLong(),
                waitingForDependency = status.waitingForDependency.toLong(),
                violations = status.violations.toLong(),
                role = status.role,
                removed = status.removed,
                keyGeneration = status.keyGeneration.toLong(),
                checking = status.checking,
            )
    }
}

/**
 * A remote entry that was set aside. It stays stored, sealed, and changes nothing.
 *
 * @property entry The entry.
 * @property device The device that wrote it.
 * @property reason Why: a stable code, a colon, and a sentence.
 */
public data class QuarantinedEntry(
    public val entry: String,
    public val device: String,
    public val reason: String,
) {
    internal companion object {
        fun of(entry: NativeQuarantinedEntry): QuarantinedEntry =
            QuarantinedEntry(entry.entry, entry.device, entry.reason)
    }
}
