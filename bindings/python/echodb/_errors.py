"""What failed calls raise."""

from __future__ import annotations

import enum
from types import TracebackType
from typing import ClassVar, Dict, Optional, Type

from . import _native


class Status(enum.IntEnum):
    """The status numbers of the C ABI: finer than the exception classes, and never renumbered."""

    INVALID_ARGUMENT = 1
    NOT_FOUND = 2
    ALREADY_EXISTS = 3
    INVALID_STATE = 4
    PROFILE_LOCKED = 5
    CORRUPT = 6
    UNSUPPORTED_VERSION = 7
    STORAGE = 8
    NETWORK = 9
    PROTOCOL = 10
    PERMISSION_DENIED = 11
    LIMIT_EXCEEDED = 12
    CANCELLED = 13
    TIMED_OUT = 14
    INVITATION_REFUSED = 15
    CALLBACK = 16
    INTERNAL = 17
    CONFLICT = 18
    SCHEMA_VIOLATION = 19
    WRONG_PASSPHRASE = 20
    KEY_UNAVAILABLE = 21
    WRONG_NONCE = 22
    WRONG_AUDIENCE = 23
    BAD_SIGNATURE = 24
    NOT_CERTIFIED = 25
    EXPIRED = 26
    CHAIN_BROKEN = 27
    REVOKED = 28


class EchoError(Exception):
    """The base of everything that this package raises on its own account.

    ``str(error)`` says what was wrong with which input and what to do, for people.
    """

    _default: ClassVar[Status] = Status.INTERNAL

    def __init__(
        self, detail: str, *, status: Optional[int] = None, retryable: bool = False
    ) -> None:
        super().__init__(detail)
        #: The sentence for people.
        self.detail: str = detail
        #: What a program acts on; see :class:`Status`.
        self.status: int = _status(self._default if status is None else status)
        #: Whether the same call may succeed later without being changed.
        self.retryable: bool = retryable

    def __str__(self) -> str:
        return self.detail


class InvalidArgument(EchoError, ValueError):
    """An argument is malformed, out of range, not allowed here, or against a schema."""

    _default = Status.INVALID_ARGUMENT


class NotFound(EchoError, LookupError):
    """The named thing does not exist."""

    _default = Status.NOT_FOUND


class AlreadyExists(EchoError):
    """What was to be created exists already."""

    _default = Status.ALREADY_EXISTS


class InvalidState(EchoError):
    """The call does not fit the present state: of an object that has changed, too, or of a
    profile that another process holds."""

    _default = Status.INVALID_STATE


class Storage(EchoError):
    """The disk refused, stored bytes are damaged or of a newer version, or their key is missing."""

    _default = Status.STORAGE


class Network(EchoError):
    """A server or peer could not be reached, or broke the protocol."""

    _default = Status.NETWORK


class PermissionDenied(EchoError):
    """The identity lacks the role that this needs, or the passphrase is wrong."""

    _default = Status.PERMISSION_DENIED


class LimitExceeded(EchoError):
    """A documented limit would be exceeded."""

    _default = Status.LIMIT_EXCEEDED


class Cancelled(EchoError):
    """The operation was cancelled by one of its sides. Not ``asyncio.CancelledError``."""

    _default = Status.CANCELLED


class TimedOut(EchoError):
    """The operation ran out of time."""

    _default = Status.TIMED_OUT


class InvitationRefused(EchoError):
    """An invitation code is wrong, was used up, or has expired."""

    _default = Status.INVITATION_REFUSED


class CredentialRefused(EchoError):
    """A credential or a presentation does not verify; the status says what is wrong with it."""

    _default = Status.BAD_SIGNATURE


class Unexpected(EchoError):
    """A callback failed, or a defect of the library was contained."""


_CLASSES: Dict[str, Type[EchoError]] = {
    cls.__name__: cls
    for cls in (
        InvalidArgument,
        NotFound,
        AlreadyExists,
        InvalidState,
        Storage,
        Network,
        PermissionDenied,
        LimitExceeded,
        Cancelled,
        TimedOut,
        InvitationRefused,
        CredentialRefused,
        Unexpected,
    )
}


def _status(number: int) -> int:
    try:
        return Status(number)
    except ValueError:
        # A newer library may have more numbers than this package has names.
        return number


def from_native(error: BaseException) -> Optional[EchoError]:
    """The public form of an error of the generated module; ``None`` for anything else."""
    if isinstance(error, _native.EchoError):
        cls = _CLASSES.get(type(error).__name__, Unexpected)
        return cls(error.detail, status=error.status, retryable=error.retryable)  # type: ignore[attr-defined]
    if isinstance(error, _native.InternalError):
        return Unexpected(str(error), status=Status.INTERNAL)
    if isinstance(error, UnicodeEncodeError):
        return InvalidArgument(f"text must be valid Unicode: {error.reason}")
    if isinstance(error, (ValueError, OverflowError)):
        return InvalidArgument(str(error))
    return None


class _Translation:
    """``with translated:`` around every call into the generated module. Holds no state, so one
    instance serves all calls, also several awaited at once."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        public = None if error is None else from_native(error)
        if public is not None:
            raise public from None


translated = _Translation()
