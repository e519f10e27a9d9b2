package dev.echodb

import java.time.Instant
import dev.echodb.ffi.CredentialInfo as NativeCredential
import dev.echodb.ffi.CredentialKind as NativeKind
import dev.echodb.ffi.CredentialStep as NativeStep
import dev.echodb.ffi.VerifiedPresentation as NativePresentation
import dev.echodb.ffi.credentialCode as nativeCode
import dev.echodb.ffi.readCredential as nativeRead
import dev.echodb.ffi.verifyPresentation as nativeVerify

/** What a credential says. */
public enum class CredentialKind {
    /** A device acts for an identity, which goes by a name. */
    IDENTITY,

    /** An identity has a role in a space. */
    MEMBERSHIP,

    /** An identity says something of another, or of itself. */
    STATEMENT,
    ;

    internal companion object {
        fun of(kind: NativeKind): CredentialKind =
            when (kind) {
                NativeKind.IDENTITY -> IDENTITY
                NativeKind.MEMBERSHIP -> MEMBERSHIP
                NativeKind.STATEMENT -> STATEMENT
            }
    }
}

/**
 * An entry that a membership rests on.
 *
 * @property entry The id of the control entry.
 * @property by The identity that wrote it.
 * @property text What it did, as an English sentence for people.
 */
public data class CredentialStep(
    public val entry: String,
    public val by: String,
    public val text: String,
) {
    internal companion object {
        fun of(step: NativeStep): CredentialStep = CredentialStep(step.entry, step.by, step.text)
    }
}

/**
 * A credential whose signatures verify.
 *
 * @property id What the client that holds it exports and presents it by: `identity`, the space's id
 *   for a membership, and a hash for a statement.
 * @property kind What it says.
 * @property subject The identity that it is about, and which alone can present it.
 * @property subjectName The name which that gave itself; empty in a statement. It proves nothing.
 * @property issuer Whose word it is: of an identity its own, of a role whoever gave it, of a statement
 *   whoever made it.
 * @property issuerName The name which that gave itself; empty in a statement. It proves nothing.
 * @property device The device that signed it; `null` for a membership, whose entries are signed one
 *   by one.
 * @property deviceName What that device is called.
 * @property space The space of a membership.
 * @property role The role of a membership: `owner`, `admin`, `editor`, `reader` or `relay`.
 * @property type The type of a statement, a name that its issuer and its readers agree on.
 * @property claims What a statement claims, a JSON object as text.
 * @property issued When it was made, by the clock of the device that signed it.
 * @property expires Until when a statement holds; `null`: without end.
 * @property steps The entries that a membership rests on, from the creation of the space to the role.
 * @property checkedAgainstSpace Whether a space that is open here knows the subject, or a statement's
 *   issuer, and contradicts nothing. Without that, what was revoked or taken away since is unknown.
 */
public data class CredentialInfo(
    public val id: String,
    public val kind: CredentialKind,
    public val subject: String,
    public val subjectName: String,
    public val issuer: String,
    public val issuerName: String,
    public val device: String?,
    public val deviceName: String?,
    public val space: String?,
    public val role: String?,
    public val type: String?,
    public val claims: String?,
    public val issued: Instant?,
    public val expires: Instant?,
    public val steps: List<CredentialStep>,
    public val checkedAgainstSpace: Boolean,
) {
    internal companion object {
        fun of(info: NativeCredential): CredentialInfo =
            CredentialInfo(
                id = info.id,
                kind = CredentialKind.of(info.kind),
                subject = info.subject,
                subjectName = info.subjectName,
                issuer = info.issuer,
                issuerName = info.issuerName,
                device = info.device,
                deviceName = info.deviceName,
                space = info.space,
                role = info.role,
                type = info.typeName,
                claims = info.claims,
                issued = info.issuedMs?.let(Instant::ofEpochMilli),
                expires = info.expiresMs?.let(Instant::ofEpochMilli),
                steps = info.steps.map(CredentialStep::of),
                checkedAgainstSpace = info.checkedAgainstSpace,
            )
    }
}

/**
 * A presentation that answers the verifier's nonce and is meant for it.
 *
 * @property identity The identity that presents.
 * @property name The name that it gives itself. It proves nothing.
 * @property device Its device that presents.
 * @property deviceName What that device is called.
 * @property presented When, by that device's clock.
 * @property credentials What is shown; all of it is about the identity that presents.
 * @property deviceChecked Whether a space that is open here knows the identity, and does not know the
 *   device as revoked.
 */
public data class VerifiedPresentation(
    public val identity: String,
    public val name: String,
    public val device: String,
    public val deviceName: String,
    public val presented: Instant,
    public val credentials: List<CredentialInfo>,
    public val deviceChecked: Boolean,
) {
    internal companion object {
        fun of(found: NativePresentation): VerifiedPresentation =
            VerifiedPresentation(
                identity = found.identity,
                name = found.name,
                device = found.device,
                deviceName = found.deviceName,
                presented = Instant.ofEpochMilli(found.presentedMs),
                credentials = found.credentials.map(CredentialInfo::of),
                deviceChecked = found.deviceChecked,
            )
    }
}

/**
 * Reads a credential and verifies it, with nothing else: no client, no network. Wherever bytes of a
 * credential or a presentation are taken, those of its text (UTF-8) can stand for them.
 *
 * It cannot tell what happened after the credential was made: whether the device was revoked, or the
 * role taken. And a credential that was copied proves nothing of who shows it; that takes a
 * presentation.
 *
 * @param now The moment at which it is to hold; `null` is the present.
 * @throws EchoException.InvalidArgument for what is no credential.
 * @throws EchoException.Storage for one of a newer version.
 * @throws EchoException.CredentialRefused with [Status.NOT_CERTIFIED], [Status.BAD_SIGNATURE],
 *   [Status.CHAIN_BROKEN] or [Status.EXPIRED].
 */
public suspend fun readCredential(credential: ByteArray, now: Instant? = null): CredentialInfo =
    CredentialInfo.of(translated { nativeRead(credential, now?.toEpochMilli()) })

/**
 * Verifies a presentation, with nothing else: no client, no network. [nonce] and [audience] are those
 * that the verifier asked with; use every nonce once. [Client.verifyPresentation] also compares with
 * the spaces that are open.
 *
 * @param now The moment at which it is to hold; `null` is the present.
 * @throws EchoException.CredentialRefused as [readCredential] does, and with [Status.WRONG_NONCE] or
 *   [Status.WRONG_AUDIENCE].
 */
public suspend fun verifyPresentation(
    presentation: ByteArray,
    nonce: ByteArray,
    audience: String,
    now: Instant? = null,
): VerifiedPresentation =
    VerifiedPresentation.of(translated { nativeVerify(presentation, nonce, audience, now?.toEpochMilli()) })

/**
 * The text of a credential or a presentation, for whatever carries no bytes.
 *
 * @throws EchoException.InvalidArgument for anything else.
 */
public fun credentialCode(bytes: ByteArray): String = translated { nativeCode(bytes) }
