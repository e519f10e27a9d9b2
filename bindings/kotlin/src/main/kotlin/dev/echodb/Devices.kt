package dev.echodb

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.transform
import java.time.Instant
import dev.echodb.ffi.Client as NativeClient
import dev.echodb.ffi.DeviceInfo as NativeDevice
import dev.echodb.ffi.IdentityChange as NativeChange
import dev.echodb.ffi.IdentityListener as NativeListener

/**
 * A device of the identity.
 *
 * @property device Its public key.
 * @property name Its name; empty if it was given none.
 * @property thisDevice Whether it is the one that asks.
 * @property connected Whether it is connected at this moment; the asking one always is.
 * @property added When it was added, by the clock of the device that added it; `null` if that is not
 *   known.
 * @property lastSeen When it was last in use, by its own clock and to about an hour; `null` if that
 *   is not known.
 * @property revoked Whether it was revoked. That cannot be undone.
 * @property recovered Whether it came by the recovery phrase: such a device is senior to all others.
 */
public data class DeviceInfo(
    public val device: String,
    public val name: String,
    public val thisDevice: Boolean,
    public val connected: Boolean,
    public val added: Instant?,
    public val lastSeen: Instant?,
    public val revoked: Boolean,
    public val recovered: Boolean,
) {
    internal companion object {
        fun of(info: NativeDevice): DeviceInfo =
            DeviceInfo(
                device = info.device,
                name = info.name,
                thisDevice = info.thisDevice,
                connected = info.connected,
                added = info.addedMs?.let(Instant::ofEpochMilli),
                lastSeen = info.lastSeenMs?.let(Instant::ofEpochMilli),
                revoked = info.revoked,
                recovered = info.recovered,
            )
    }
}

/** What changed about the identity. */
public enum class IdentityChange {
    /** A space that another device made or joined is listed here now; see [Client.spaces]. */
    SPACES,

    /**
     * A device was added, renamed or revoked, or there is a new recovery phrase; see
     * [Client.devices].
     */
    DEVICES,

    /** The display name was changed on another device; see [Client.identity]. */
    PROFILE,

    /** This device was revoked. Its copy of the data stays; what it would write is refused. */
    REVOKED,
    ;

    internal companion object {
        fun of(change: NativeChange): IdentityChange =
            when (change) {
                NativeChange.SPACES -> SPACES
                NativeChange.DEVICES -> DEVICES
                NativeChange.PROFILE -> PROFILE
                NativeChange.REVOKED -> REVOKED
            }
    }
}

/**
 * Hears of changes on the library's threads, one at a time, with no lock held. Several of one kind
 * may be told as one. One that throws is logged and kept.
 */
public fun interface IdentityListener {
    /** Something changed. */
    public fun changed(change: IdentityChange)
}

internal fun identityChangesOf(
    client: NativeClient,
    lifeline: Lifeline,
    onListening: suspend () -> Unit,
): Flow<IdentityChange> =
    // Each kind waits at most once.
    heard<Set<IdentityChange>>(lifeline, 1, { old, new -> old + new }, onListening) { put ->
        val adapter = IdentityAdapter { put(setOf(it)) }
        Subscription(translated { client.subscribeIdentity(adapter) })
    }.transform { changes -> changes.forEach { emit(it) } }

/** What the library calls; it lets go of the program's listener with the client. */
internal class IdentityAdapter(
    @Volatile private var listener: IdentityListener?,
) : NativeListener, Endable {
    override fun changed(change: NativeChange): Unit = guarded { listener?.changed(IdentityChange.of(change)) }

    override fun end() {
        listener = null
    }
}
