"""Pairing: one side shows a code, the other enters it, and a second, short code passes between
the people."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass
from typing import Awaitable, Callable, Optional

from . import _native
from ._errors import InvalidState, translated
from ._stream import Lifeline, Mailbox, Stream

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


@dataclass(frozen=True)
class InvitationUpdate:
    """An invitation at one moment."""

    #: Where it stands.
    state: InvitationState
    #: The host's authorization code, six digits, while it is good.
    auth_code: Optional[str]
    #: Authorization codes left before the invitation is closed.
    attempts_left: int
    #: The other side's display name, once it has given one; not proven before success.
    peer_name: Optional[str]
    #: The space's id, once it is known.
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
    def code(self) -> str:
        """The code to hand over, as text."""
        with translated:
            return self._native.code()

    @property
    def url(self) -> str:
        """The code as a URL, for links and QR codes."""
        with translated:
            return self._native.url()

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
        """Waits for the end and returns the space's id; raises what ended it otherwise. A wait
        that is given up leaves the invitation as it is; see :meth:`cancel`."""
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
        space=update.space,
        status=update.status,
        error=update.error,
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
