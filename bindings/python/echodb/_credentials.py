"""Credentials: what an identity can show to whoever shares no space with it."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple, Union

from . import _native
from ._errors import InvalidArgument, translated
from ._values import clock_time, strings, to_millis

#: A credential or a presentation: its bytes, or its text.
Shown = Union[bytes, str]


class CredentialKind(enum.Enum):
    """What a credential says."""

    #: A device acts for an identity, which goes by a name.
    IDENTITY = 1
    #: An identity has a role in a space.
    MEMBERSHIP = 2
    #: An identity says something of another, or of itself.
    STATEMENT = 3


@dataclass(frozen=True)
class CredentialStep:
    """An entry that a membership rests on."""

    #: The id of the control entry.
    entry: str
    #: The identity that wrote it.
    by: str
    #: What it did, as an English sentence for people.
    text: str


@dataclass(frozen=True)
class CredentialInfo:
    """A credential whose signatures verify."""

    #: What the client that holds it exports and presents it by: ``identity``, the space's id for a
    #: membership, and a hash for a statement.
    id: str
    #: What it says.
    kind: CredentialKind
    #: The identity that it is about, and which alone can present it.
    subject: str
    #: The name which that gave itself; empty in a statement. It proves nothing.
    subject_name: str
    #: Whose word it is: of an identity its own, of a role whoever gave it, of a statement whoever made
    #: it.
    issuer: str
    #: The name which that gave itself; empty in a statement. It proves nothing.
    issuer_name: str
    #: The device that signed it; ``None`` for a membership, whose entries are signed one by one.
    device: Optional[str]
    #: What that device is called.
    device_name: Optional[str]
    #: The space of a membership.
    space: Optional[str]
    #: The role of a membership.
    role: Optional[str]
    #: The type of a statement, a name that its issuer and its readers agree on.
    type: Optional[str]
    #: What a statement claims.
    claims: Optional[Dict[str, Any]]
    #: When it was made, by the clock of the device that signed it.
    issued: Optional[datetime]
    #: Until when a statement holds; ``None``: without end.
    expires: Optional[datetime]
    #: The entries that a membership rests on, from the creation of the space to the role.
    steps: Tuple[CredentialStep, ...]
    #: Whether a space that is open here knows the subject, or a statement's issuer, and contradicts
    #: nothing. Without that, what was revoked or taken away since is unknown.
    checked_against_space: bool


@dataclass(frozen=True)
class VerifiedPresentation:
    """A presentation that answers the verifier's nonce and is meant for it."""

    #: The identity that presents.
    identity: str
    #: The name that it gives itself. It proves nothing.
    name: str
    #: Its device that presents.
    device: str
    #: What that device is called.
    device_name: str
    #: When, by that device's clock.
    presented: datetime
    #: What is shown; all of it is about the identity that presents.
    credentials: Tuple[CredentialInfo, ...]
    #: Whether a space that is open here knows the identity, and does not know the device as revoked.
    device_checked: bool


class Client:
    """What :class:`echodb.Client` has of it; nobody else makes one."""

    def __init__(self, native: _native.Client) -> None:
        self._native = native

    async def credentials(self) -> Tuple[CredentialInfo, ...]:
        """What the identity can show: its own card first, then its role in each space, then the
        statements about it and those that it issued. Closed spaces are read for as long as it takes."""
        with translated:
            return tuple(from_credential(info) for info in await self._native.credentials())

    async def export_credential(self, id: str) -> bytes:
        """A credential as bytes, which anybody can verify with :func:`read_credential`;
        :func:`credential_code` makes text of them. A membership shows who created the space, and who
        let whom in up to this identity, with names and keys, and nobody else. Raises ``NotFound`` for
        an id that is not in :meth:`credentials`."""
        with translated:
            return await self._native.export_credential(id)

    async def present_credentials(
        self, credentials: Sequence[str], *, nonce: bytes, audience: str
    ) -> bytes:
        """Presents credentials about this identity, by their ids, to one audience and in answer to its
        nonce: 16 to 64 random bytes that the verifier made and uses once. The audience is a name of the
        verifier that both sides know, up to 256 characters. Without credentials it shows which identity
        and device are here. At most 16.

        Raises ``NotFound``, ``CredentialRefused`` for what is expired, ``InvalidArgument`` for what is
        about somebody else, and ``PermissionDenied`` on a device that was revoked."""
        with translated:
            ids = strings(credentials)
            return await self._native.present_credentials(ids, bytes(nonce), audience)

    async def verify_presentation(
        self, presentation: Shown, *, nonce: bytes, audience: str, now: Optional[datetime] = None
    ) -> VerifiedPresentation:
        """As :func:`verify_presentation`, and compares with what the spaces that are open here know:
        raises ``CredentialRefused`` with ``Status.REVOKED`` when one knows that the presenting or a
        signing device was revoked, or that the role shown is not held any more."""
        with translated:
            return from_presentation(
                await self._native.verify_presentation(
                    _bytes(presentation), bytes(nonce), audience, _moment(now)
                )
            )

    async def issue_credential(
        self,
        subject: str,
        type: str,
        claims: Mapping[str, Any],
        *,
        expires: Optional[datetime] = None,
    ) -> CredentialInfo:
        """Says something of an identity, or of one's own: a type (1 to 256 characters), claims (what
        ``json`` takes, at most 16 KiB, with no numbers but 64-bit integers), and until when it holds.
        It is kept for all devices of this identity; export it, and have its subject import it."""
        try:
            text = json.dumps(claims, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(f"claims are what JSON can hold: {error}") from None
        with translated:
            return from_credential(
                await self._native.issue_credential(subject, type, text, _moment(expires))
            )

    async def import_credential(self, credential: Shown) -> CredentialInfo:
        """Keeps a statement about this identity, for all of its devices. Raises as
        :func:`read_credential` does, and ``InvalidArgument`` for what is not about this identity and
        not by it."""
        with translated:
            return from_credential(await self._native.import_credential(_bytes(credential)))

    async def remove_credential(self, id: str) -> None:
        """Forgets a statement, on all devices of this identity. That does not take it back: whoever has
        it can still show it. Raises ``NotFound``."""
        with translated:
            await self._native.remove_credential(id)


async def read_credential(credential: Shown, *, now: Optional[datetime] = None) -> CredentialInfo:
    """Reads a credential and verifies it, with nothing else: no client, no network. ``now`` is the
    moment at which it is to hold, the present one if there is none.

    It cannot tell what happened after the credential was made: whether the device was revoked, or the
    role taken. And a credential that was copied proves nothing of who shows it; that takes a
    presentation.

    Raises ``InvalidArgument`` for what is no credential, ``Storage`` for one of a newer version,
    ``LimitExceeded``, and ``CredentialRefused`` with the status ``NOT_CERTIFIED``, ``BAD_SIGNATURE``,
    ``CHAIN_BROKEN`` or ``EXPIRED``."""
    with translated:
        return from_credential(await _native.read_credential(_bytes(credential), _moment(now)))


async def verify_presentation(
    presentation: Shown, *, nonce: bytes, audience: str, now: Optional[datetime] = None
) -> VerifiedPresentation:
    """Verifies a presentation, with nothing else: no client, no network. ``nonce`` and ``audience`` are
    those that the verifier asked with; use every nonce once.

    Raises as :func:`read_credential` does, and ``CredentialRefused`` with the status ``WRONG_NONCE`` or
    ``WRONG_AUDIENCE``."""
    with translated:
        return from_presentation(
            await _native.verify_presentation(
                _bytes(presentation), bytes(nonce), audience, _moment(now)
            )
        )


def credential_code(shown: bytes) -> str:
    """The text of a credential or a presentation, for whatever carries no bytes. Wherever these are
    read, the text can stand for the bytes."""
    with translated:
        return _native.credential_code(bytes(shown))


def _bytes(shown: Shown) -> bytes:
    return shown.encode() if isinstance(shown, str) else bytes(shown)


def _moment(time: Optional[datetime]) -> Optional[int]:
    return None if time is None else to_millis(time)


def _time(ms: Optional[int]) -> Optional[datetime]:
    return None if ms is None else clock_time(ms)


def from_credential(info: _native.CredentialInfo) -> CredentialInfo:
    """From the generated record."""
    steps = (CredentialStep(step.entry, step.by, step.text) for step in info.steps)
    return CredentialInfo(
        id=info.id,
        kind=CredentialKind(info.kind.value),
        subject=info.subject,
        subject_name=info.subject_name,
        issuer=info.issuer,
        issuer_name=info.issuer_name,
        device=info.device,
        device_name=info.device_name,
        space=info.space,
        role=info.role,
        type=info.type_name,
        claims=None if info.claims is None else json.loads(info.claims),
        issued=_time(info.issued_ms),
        expires=_time(info.expires_ms),
        steps=tuple(steps),
        checked_against_space=info.checked_against_space,
    )


def from_presentation(found: _native.VerifiedPresentation) -> VerifiedPresentation:
    """From the generated record."""
    return VerifiedPresentation(
        identity=found.identity,
        name=found.name,
        device=found.device,
        device_name=found.device_name,
        presented=clock_time(found.presented_ms),
        credentials=tuple(from_credential(info) for info in found.credentials),
        device_checked=found.device_checked,
    )
