@file:JvmName("Credentials")

package dev.echodb.blocking

import dev.echodb.CredentialInfo
import dev.echodb.VerifiedPresentation
import java.time.Instant

/** See [dev.echodb.readCredential]. */
@JvmOverloads
public fun readCredential(credential: ByteArray, now: Instant? = null): CredentialInfo =
    waiting { dev.echodb.readCredential(credential, now) }

/** See [dev.echodb.verifyPresentation]. */
@JvmOverloads
public fun verifyPresentation(
    presentation: ByteArray,
    nonce: ByteArray,
    audience: String,
    now: Instant? = null,
): VerifiedPresentation = waiting { dev.echodb.verifyPresentation(presentation, nonce, audience, now) }

/** See [dev.echodb.credentialCode]. */
public fun credentialCode(bytes: ByteArray): String = dev.echodb.credentialCode(bytes)
