package dev.echodb

import kotlinx.coroutines.CancellationException
import java.nio.charset.CharacterCodingException
import dev.echodb.ffi.EchoException as NativeException
import dev.echodb.ffi.InternalException as NativeDefect

/**
 * What a program acts on when a call fails: finer than the classes of [EchoException], the same in
 * every language that the library speaks.
 *
 * @property number The number in the C library; never changed.
 */
public enum class Status(public val number: Int) {
    /** An argument is malformed, out of range, or not allowed here. */
    INVALID_ARGUMENT(1),

    /** The named thing does not exist. */
    NOT_FOUND(2),

    /** What was to be created exists already. */
    ALREADY_EXISTS(3),

    /** The call does not fit the present state. */
    INVALID_STATE(4),

    /** Another client, in this process or another, has the profile open. */
    PROFILE_LOCKED(5),

    /** Stored bytes are damaged; they are left as they are. */
    CORRUPT(6),

    /** Stored bytes are of a newer version of the library. */
    UNSUPPORTED_VERSION(7),

    /** The disk refused. */
    STORAGE(8),

    /** A server or peer could not be reached. */
    NETWORK(9),

    /** A server or peer broke the protocol. */
    PROTOCOL(10),

    /** The identity lacks the role that this needs. */
    PERMISSION_DENIED(11),

    /** A documented limit would be exceeded. */
    LIMIT_EXCEEDED(12),

    /** The operation was cancelled by one of its sides. */
    CANCELLED(13),

    /** The operation ran out of time. */
    TIMED_OUT(14),

    /** An invitation code is wrong, was used up, or has expired. */
    INVITATION_REFUSED(15),

    /** A listener of the program failed. */
    CALLBACK(16),

    /** A defect of the library was contained. */
    INTERNAL(17),

    /** An object is not at the version that the transaction was made for. */
    CONFLICT(18),

    /** A value does not fit the schema of its object's type. */
    SCHEMA_VIOLATION(19),

    /** This is not the profile's passphrase. */
    WRONG_PASSPHRASE(20),

    /** The profile's files are encrypted, and their key cannot be had. */
    KEY_UNAVAILABLE(21),

    /** A presentation answers another nonce. */
    WRONG_NONCE(22),

    /** A presentation is meant for another audience. */
    WRONG_AUDIENCE(23),

    /** A credential or presentation was changed, or not signed by whom it names. */
    BAD_SIGNATURE(24),

    /** Nothing certifies that a device acts for its identity. */
    NOT_CERTIFIED(25),

    /** A credential's time is over. */
    EXPIRED(26),

    /** The entries that a membership shows do not lead to its role. */
    CHAIN_BROKEN(27),

    /** A space that is open here knows the device as revoked, or the role as not held any more. */
    REVOKED(28),
    ;

    internal companion object {
        /** The status of a number; `null` for 0, which is none. */
        fun of(number: Int): Status? =
            if (number == 0) null else entries.find { it.number == number } ?: INTERNAL
    }
}

/**
 * What a failed call throws. The message says what was wrong with which input and what to do, for
 * people.
 *
 * @property status What a program acts on.
 * @property retryable Whether the same call may succeed later without being changed.
 */
public sealed class EchoException(
    message: String,
    public val status: Status,
    public val retryable: Boolean,
) : RuntimeException(message) {
    /** An argument is malformed, out of range, not allowed here, or against a schema. */
    public class InvalidArgument internal constructor(
        message: String,
        status: Status = Status.INVALID_ARGUMENT,
        retryable: Boolean = false,
    ) : EchoException(message, status, retryable)

    /** The named thing does not exist. */
    public class NotFound internal constructor(message: String, status: Status, retryable: Boolean) :
        EchoException(message, status, retryable)

    /** What was to be created exists already. */
    public class AlreadyExists internal constructor(message: String, status: Status, retryable: Boolean) :
        EchoException(message, status, retryable)

    /** The call does not fit the present state: of an object that has changed, too, or of a profile
     * that another client holds. */
    public class InvalidState internal constructor(
        message: String,
        status: Status = Status.INVALID_STATE,
        retryable: Boolean = false,
    ) : EchoException(message, status, retryable)

    /** The disk refused, stored bytes are damaged or of a newer version, or their key is missing. */
    public class Storage internal constructor(message: String, status: Status, retryable: Boolean) :
        EchoException(message, status, retryable)

    /** A server or peer could not be reached, or broke the protocol. */
    public class Network internal constructor(message: String, status: Status, retryable: Boolean) :
        EchoException(message, status, retryable)

    /** The identity lacks the role that this needs, or the passphrase is wrong. */
    public class PermissionDenied internal constructor(message: String, status: Status, retryable: Boolean) :
        EchoException(message, status, retryable)

    /** A documented limit would be exceeded. */
    public class LimitExceeded internal constructor(
        message: String,
        status: Status = Status.LIMIT_EXCEEDED,
        retryable: Boolean = false,
    ) : EchoException(message, status, retryable)

    /**
     * The operation was cancelled by one of its sides. Not the `CancellationException` of
     * coroutines.
     */
    public class Cancelled internal constructor(
        message: String,
        status: Status = Status.CANCELLED,
        retryable: Boolean = false,
    ) : EchoException(message, status, retryable)

    /** The operation ran out of time. */
    public class TimedOut internal constructor(message: String, status: Status, retryable: Boolean) :
        EchoException(message, status, retryable)

    /** An invitation code is wrong, was used up, or has expired. */
    public class InvitationRefused internal constructor(message: String, status: Status, retryable: Boolean) :
        EchoException(message, status, retryable)

    /** A credential or a presentation does not verify; the status says what is wrong with it. */
    public class CredentialRefused internal constructor(message: String, status: Status, retryable: Boolean) :
        EchoException(message, status, retryable)

    /** A listener failed, or a defect of the library was contained. */
    public class Unexpected internal constructor(
        message: String,
        status: Status = Status.INTERNAL,
        retryable: Boolean = false,
    ) : EchoException(message, status, retryable)
}

/** Around every call into the generated bindings, and nothing else: throws what programs know. */
internal inline fun <T> translated(call: () -> T): T =
    try {
        call()
    } catch (failure: Exception) {
        throw publicForm(failure)
    }

/** The public form of an exception of the generated bindings; any other as it is. */
internal fun publicForm(failure: Exception): Exception =
    when (failure) {
        is CancellationException -> failure
        is NativeException -> publicForm(failure)
        is NativeDefect -> EchoException.Unexpected(failure.message.orEmpty())
        is CharacterCodingException ->
            EchoException.InvalidArgument("text must be valid Unicode: it has half a surrogate pair")
        // The generated objects throw no other.
        is IllegalStateException ->
            EchoException.InvalidState("this was closed already: ${failure.message}")
        else -> failure
    }

private fun publicForm(error: NativeException): EchoException =
    when (error) {
        is NativeException.InvalidArgument ->
            EchoException.InvalidArgument(error.detail, status(error.status), error.retryable)
        is NativeException.NotFound ->
            EchoException.NotFound(error.detail, status(error.status), error.retryable)
        is NativeException.AlreadyExists ->
            EchoException.AlreadyExists(error.detail, status(error.status), error.retryable)
        is NativeException.InvalidState ->
            EchoException.InvalidState(error.detail, status(error.status), error.retryable)
        is NativeException.Storage ->
            EchoException.Storage(error.detail, status(error.status), error.retryable)
        is NativeException.Network ->
            EchoException.Network(error.detail, status(error.status), error.retryable)
        is NativeException.PermissionDenied ->
            EchoException.PermissionDenied(error.detail, status(error.status), error.retryable)
        is NativeException.LimitExceeded ->
            EchoException.LimitExceeded(error.detail, status(error.status), error.retryable)
        is NativeException.Cancelled ->
            EchoException.Cancelled(error.detail, status(error.status), error.retryable)
        is NativeException.TimedOut ->
            EchoException.TimedOut(error.detail, status(error.status), error.retryable)
        is NativeException.InvitationRefused ->
            EchoException.InvitationRefused(error.detail, status(error.status), error.retryable)
        is NativeException.CredentialRefused ->
            EchoException.CredentialRefused(error.detail, status(error.status), error.retryable)
        is NativeException.Unexpected ->
            EchoException.Unexpected(error.detail, status(error.status), error.retryable)
    }

private fun status(number: Int): Status = Status.of(number) ?: Status.INTERNAL
