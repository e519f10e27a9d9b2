"""Pairing: one side shows a code, the other enters it, and a second, short code passes between
the people."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Awaitable, Callable, Optional, Tuple

from . import _native
from ._errors import InvalidState, translated
from ._stream import Lifeline, Mailbox, Stream
from ._values import clock_time

#: More than any invitation goes through.
_UPDATES = 64


class InvitationState(enum.Enum):
    """Where an invitation stands."""

    #: Made, not yet looking for the other side.
    INIT = 1
    #: Waiting for the other side, or reaching it.
    CONNECTING = 2
    #: The other side is there and the channel is encrypted, but not yet trusted.
    CONNECTED = 3
    #: The host shows the authorization code; the guest is to enter it.
    READY_FOR_AUTHENTICATION = 4
    #: The code is being checked.
    AUTHENTICATING = 5
    #: Done: the guest is a member.
    SUCCESS = 6
    #: One side cancelled.
    CANCELLED = 7
    #: The other side took too long.
    TIMEOUT = 8
    #: It failed; see the update's error.
    ERROR = 9
    #: The invitation's time is over, or its codes are used up.
    EXPIRED = 10

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.value >= InvitationState.SUCCESS.value


class InvitationType(enum.Enum):
    """How an invitation is hosted and used."""

    #: This client lets in one guest, who enters an authorization code.
    INTERACTIVE = 1
    #: This client lets in several guests, each with an authorization code of its own.
    MULTI_USE = 2
    #: Any member who is online lets in whoever has the code.
    DELEGATED = 3


class InvitationKind(enum.Enum):
    """What an invitation leads to."""

    #: Membership of a space.
    SPACE = 1
    #: A further device of the identity.
    DEVICE = 2


@dataclass(frozen=True)
class InvitationInfo:
    """One line of the list of invitations."""

    #: Names it, for :meth:`Client.cancel_invitation` and :meth:`Client.invitation`: 32 hexadecimal
    #: digits.
    id: str
    #: The space's id; ``None`` on the side of a guest who does not know it yet.
    space: Optional[str]
    #: What it leads to.
    kind: InvitationKind
    #: How it is hosted and used.
    invitation_type: InvitationType
    #: Whether we are the guest.
    joining: bool
    #: The role that guests get, at most; ``None`` on the guest's side.
    role: Optional[str]
    #: When it was made; ``None`` if another device made it.
    created: Optional[datetime]
    #: When it ends; on the guest's side, when it is given up.
    expires: datetime
    #: How many guests it may let in; ``None``: any number.
    max_uses: Optional[int]
    #: How many it let in, as far as is known here.
    uses: int
    #: Where it stands; ``INIT`` while it does not run: the client is offline, or its space closed.
    state: InvitationState
    #: The code, if its secret is here.
    code: Optional[str]
    #: The code as a link, likewise.
    url: Optional[str]


@dataclass(frozen=True)
class GuestUpdate:
    """One guest at a host's door."""

    #: Tells the guests of one invitation apart; rises with each.
    number: int
    #: How far it has come.
    state: InvitationState
    #: Its display name, once it has given one; not proven.
    name: Optional[str]
    #: The authorization code for this guest, six digits, while it is good.
    auth_code: Optional[str]
    #: As :attr:`InvitationUpdate.fingerprint`.
    fingerprint: Optional[str]


@dataclass(frozen=True)
class QrModules:
    """A QR code as its modules."""

    #: Modules of one side, 21 to 177.
    width: int
    #: ``width`` times ``width`` bytes, row by row from the top left: 1 dark, 0 light. A picture
    #: needs four light modules on each side around them.
    modules: bytes


@dataclass(frozen=True)
class InvitationUpdate:
    """An invitation at one moment."""

    #: Where it stands.
    state: InvitationState
    #: The host's authorization code, six digits, while it is good.
    auth_code: Optional[str]
    #: Authorization codes left before the invitation is closed. After each guest that was let in
    #: they are three again.
    attempts_left: int
    #: The other side's display name, once it has given one; not proven before success.
    peer_name: Optional[str]
    #: Four English words, the same on both screens unless somebody sits in between; once the
    #: authorization code is entered, right or wrong, and on from there. ``None`` for delegated
    #: invitations, where no two people look at screens.
    fingerprint: Optional[str]
    #: The host's guests at this moment, at most three; the other fields show the one that has come
    #: farthest.
    guests: Tuple[GuestUpdate, ...]
    #: How many guests were let in so far.
    uses: int
    #: The space's id, once it is known; the identity's key, if a device is being added.
    space: Optional[str]
    #: The status number of the failure, 0 if there is none.
    status: int
    #: What failed, if something did.
    error: Optional[str]


class InvitationUpdates(Stream[InvitationUpdate]):
    """The updates of an invitation, the present one first, the final one last."""

    async def __aenter__(self) -> InvitationUpdates:
        await super().__aenter__()
        return self


class Invitation:
    """Either side of an invitation in progress. It goes on until it has ended, is cancelled, or
    its client is closed, whether or not anything refers to it."""

    def __init__(self, native: _native.Invitation, lifeline: Lifeline) -> None:
        self._native = native
        self._lifeline = lifeline

    @property
    def id(self) -> str:
        """Names it: 32 hexadecimal digits, as in :meth:`Client.invitations`."""
        with translated:
            return self._native.id()

    @property
    def code(self) -> str:
        """The code to hand over, as text."""
        with translated:
            return self._native.code()

    @property
    def url(self) -> str:
        """The code as a URL, for links and QR codes."""
        with translated:
            return self._native.url()

    def qr_svg(self) -> str:
        """The URL as an SVG picture of a QR code, with a quiet zone of four modules, black on
        white; it scales to any size."""
        with translated:
            return self._native.qr_svg()

    def qr_modules(self) -> QrModules:
        """The URL as the modules of a QR code, without a quiet zone, to draw oneself."""
        with translated:
            found = self._native.qr_modules()
        return QrModules(found.width, found.modules)

    @property
    def auth_code(self) -> Optional[str]:
        """The six digits that the host tells the guest; ``None`` while there are none."""
        return self.update().auth_code

    @property
    def state(self) -> InvitationState:
        """Where it stands."""
        return self.update().state

    def update(self) -> InvitationUpdate:
        """Where it stands, in full."""
        with translated:
            return _from_native(self._native.update())

    def updates(self) -> InvitationUpdates:
        """What happens: ``async for update in invitation.updates():``, the present update first.
        Ends after a final state."""
        native = self._native

        async def attach(mailbox: Mailbox[InvitationUpdate]) -> _native.Subscription:
            with translated:
                return native.subscribe(_Listener(mailbox))

        return InvitationUpdates(
            attach,
            self._lifeline,
            _UPDATES,
            fold=lambda old, new: new,
            is_last=lambda update: update.state.is_final,
        )

    async def wait_until(self, state: InvitationState) -> InvitationUpdate:
        """Waits for a state: a guest for ``READY_FOR_AUTHENTICATION``, say, to ask for the code.
        Raises what ended the invitation otherwise."""
        return await self._first(lambda update: update.state is state)

    async def wait_auth_code(self) -> str:
        """Waits on the host's side for the guest, and returns the six digits to tell them. Raises
        what ended the invitation otherwise."""
        update = await self._first(lambda update: update.auth_code is not None)
        return update.auth_code or ""

    async def authenticate(self, auth_code: str) -> None:
        """Enters the authorization code on the guest's side; spaces and dashes are ignored. Raises
        ``InvalidArgument`` if it is not six digits and ``InvalidState`` if none is asked for;
        whether it is right shows in the updates."""
        with translated:
            self._native.authenticate(auth_code)

    async def wait(self) -> str:
        """Waits for the end and returns the space's id, or the identity's key if a device is added;
        raises what ended it otherwise. A wait that is given up leaves the invitation as it is; see
        :meth:`cancel`."""
        with translated:
            return await self._native.wait()

    async def _first(self, test: Callable[[InvitationUpdate], bool]) -> InvitationUpdate:
        async with self.updates() as updates:
            async for update in updates:
                if test(update):
                    return update
        await self.wait()
        raise InvalidState("the invitation has ended, or its client was closed")

    def cancel(self) -> None:
        """Cancels; the other side learns. Does nothing after the end."""
        with translated:
            self._native.cancel()


class _Listener(_native.InvitationListener):
    def __init__(self, mailbox: Mailbox[InvitationUpdate]) -> None:
        self._mailbox = mailbox

    def updated(self, update: _native.InvitationUpdate) -> None:
        self._mailbox.put(_from_native(update))


def _from_native(update: _native.InvitationUpdate) -> InvitationUpdate:
    return InvitationUpdate(
        state=InvitationState(update.state.value),
        auth_code=update.auth_code,
        attempts_left=update.attempts_left,
        peer_name=update.peer_name,
        fingerprint=update.fingerprint,
        guests=tuple(
            GuestUpdate(
                guest.number,
                InvitationState(guest.state.value),
                guest.name,
                guest.auth_code,
                guest.fingerprint,
            )
            for guest in update.guests
        ),
        uses=update.uses,
        space=update.space,
        status=update.status,
        error=update.error,
    )


def from_info(info: _native.InvitationInfo) -> InvitationInfo:
    """From the generated record."""
    return InvitationInfo(
        id=info.id,
        space=info.space,
        kind=InvitationKind(info.kind.value),
        invitation_type=InvitationType(info.invitation_type.value),
        joining=info.joining,
        role=info.role,
        created=clock_time(info.created_ms) if info.created_ms else None,
        expires=clock_time(info.expires_ms),
        max_uses=info.max_uses,
        uses=info.uses,
        state=InvitationState(info.state.value),
        code=info.code,
        url=info.url,
    )


async def begin(
    call: Callable[[], Awaitable[_native.Invitation]], lifeline: Lifeline
) -> Invitation:
    """Makes an invitation; one whose maker is cancelled meanwhile is cancelled too, for nobody
    would be left to do it."""
    making = asyncio.ensure_future(call())
    try:
        with translated:
            native = await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(_cancel_made)
        raise
    return Invitation(native, lifeline)


def _cancel_made(making: asyncio.Future[_native.Invitation]) -> None:
    if not making.cancelled() and making.exception() is None:
        making.result().cancel()
