package dev.echodb

import dev.echodb.ffi.Encryption as NativeEncryption
import dev.echodb.ffi.EncryptionMode as NativeMode
import dev.echodb.ffi.KeyProvider as NativeProvider

/** Whether a profile's files are encrypted. */
public enum class EncryptionMode {
    /**
     * They are: under the passphrase if one is given, else under the key provider's key if there is a
     * provider, else under a key in a file beside them. A profile that was made plain is encrypted
     * when it is opened.
     */
    AUTO,

    /** A new profile is plain, and a plain one stays so. One that is encrypted stays that too. */
    OFF,
    ;

    internal fun native(): NativeMode =
        when (this) {
            AUTO -> NativeMode.AUTO
            OFF -> NativeMode.OFF
        }
}

/** What keeps the key of a profile's files. */
public enum class Encryption {
    /** There are no files: the profile is in memory. */
    MEMORY,

    /** Nothing: the files are plain. */
    PLAIN,

    /** A file beside them, which only its owner may read. */
    FILE_KEY,

    /** A passphrase. */
    PASSPHRASE,

    /** The program's key provider. */
    KEY_PROVIDER,
    ;

    internal companion object {
        fun of(kept: NativeEncryption): Encryption =
            when (kept) {
                NativeEncryption.MEMORY -> MEMORY
                NativeEncryption.PLAIN -> PLAIN
                NativeEncryption.FILE_KEY -> FILE_KEY
                NativeEncryption.PASSPHRASE -> PASSPHRASE
                NativeEncryption.KEY_PROVIDER -> KEY_PROVIDER
            }
    }
}

/**
 * Keeps a key for a profile in a place of the system's that is safer than its files, such as
 * Android's keystore. Called on threads of the library, with no lock held, when a profile is opened.
 * What it throws makes opening throw [EchoException.Storage] with [Status.KEY_UNAVAILABLE].
 */
public interface KeyProvider {
    /**
     * The key that was stored for this profile (32 hexadecimal digits that tell profiles apart), or
     * `null` if none was.
     */
    public fun loadKey(profile: String): ByteArray?

    /**
     * Stores the key of this profile, 32 bytes, in the place of an earlier one; it is to last before
     * this returns. Losing it loses the profile.
     */
    public fun storeKey(profile: String, key: ByteArray)
}

/** What the library calls. */
internal class ProviderAdapter(private val provider: KeyProvider) : NativeProvider {
    override fun loadKey(profile: String): ByteArray? = guarded { provider.loadKey(profile) }

    override fun storeKey(profile: String, key: ByteArray): Unit = guarded { provider.storeKey(profile, key) }
}
