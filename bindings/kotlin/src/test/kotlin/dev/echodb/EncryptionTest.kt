package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path

/** Encryption at rest: passphrases and key providers. */
class EncryptionTest {
    @TempDir
    lateinit var directory: Path

    private class Keys : KeyProvider {
        val stored = mutableMapOf<String, ByteArray>()
        var locked = false

        override fun loadKey(profile: String): ByteArray? {
            check(!locked) { "the keystore is locked" }
            return stored[profile]
        }

        override fun storeKey(profile: String, key: ByteArray) {
            stored[profile] = key
        }
    }

    private suspend fun open(
        passphrase: String? = null,
        keyProvider: KeyProvider? = null,
        encryption: EncryptionMode = EncryptionMode.AUTO,
    ): Client =
        Client.open(
            directory,
            online = false,
            passphrase = passphrase,
            keyProvider = keyProvider,
            encryption = encryption,
        )

    @Test
    fun `a passphrase is needed, changed and taken away`() =
        test {
            val identity =
                open(passphrase = "one").use {
                    assertEquals(Encryption.PASSPHRASE, it.status().encryption)
                    it.createIdentity("Ada")
                }
            val wrong = thrown<EchoException.PermissionDenied> { open(passphrase = "two") }
            assertEquals(Status.WRONG_PASSPHRASE, wrong.status)
            val missing = thrown<EchoException.Storage> { open() }
            assertEquals(Status.KEY_UNAVAILABLE, missing.status)
            open(passphrase = "one").use { it.setPassphrase("one", "two") }
            open(passphrase = "two").use {
                assertEquals(identity, it.identity)
                it.setPassphrase("two", null)
                assertEquals(Encryption.FILE_KEY, it.status().encryption)
            }
            open().close()
        }

    @Test
    fun `a key provider keeps the key`() =
        test {
            val keys = Keys()
            open(keyProvider = keys).use { assertEquals(Encryption.KEY_PROVIDER, it.status().encryption) }
            val (name, key) = keys.stored.entries.single()
            assertEquals(32 to 32, name.length to key.size)
            open(keyProvider = keys).close()
            keys.locked = true
            val locked = thrown<EchoException.Storage> { open(keyProvider = keys) }
            assertEquals(Status.KEY_UNAVAILABLE, locked.status)
            assertTrue("the keystore is locked" in locked.message!!, locked.message)
        }

    @Test
    fun `files are plain only when asked for`() =
        test {
            open(encryption = EncryptionMode.OFF).use { assertEquals(Encryption.PLAIN, it.status().encryption) }
            open().use { assertEquals(Encryption.FILE_KEY, it.status().encryption) }
            open(encryption = EncryptionMode.OFF).use { assertEquals(Encryption.FILE_KEY, it.status().encryption) }
        }
}
