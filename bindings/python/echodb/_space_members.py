"""The part of a space that is about people: invitations, members, what of theirs does not count."""

from __future__ import annotations

from typing import List

from . import _native
from ._errors import translated
from ._invitation import Invitation, begin
from ._members import (
    AccessExplanation,
    ExcludedEntry,
    Member,
    MemberEvents,
    Resubmission,
    from_excluded,
    from_member,
    from_resubmission,
    from_why,
    open_events,
)
from ._stream import Lifeline


class Space:
    """What :class:`echodb.Space` has of it; nobody else makes one."""

    def __init__(self, native: _native.Space, lifeline: Lifeline) -> None:
        self._native = native
        self._lifeline = lifeline

    async def invite(
        self,
        *,
        expires: int = 3600,
        max_uses: int = 1,
        delegated: bool = False,
        role: str = "editor",
        include_signaling: bool = True,
        history: bool = True,
    ) -> Invitation:
        """Opens an invitation; needs the role of admin or owner. It can be used once its state is
        ``CONNECTING``, while this client runs and is online. It is kept over a restart; see
        :meth:`Client.invitations`.

        Its code is good for ``expires`` seconds: 1 to 604,800 (a week), and up to 7,776,000 (90
        days) for several guests and for delegated invitations. It lets in ``max_uses`` guests, 1 to
        200: with more than one there is one code, and an authorization code for each guest (see
        :attr:`InvitationUpdate.guests`). They get the ``role``, which must be below the inviter's.
        The code carries the signalling servers unless told not to.

        Through a ``delegated`` one any member who is online may let the guests in, this client need
        not be. There is no authorization code then: whoever has the code is let in, so hand it over
        like a key. The role is at most editor, and ``max_uses`` is a number that members keep to as
        far as they know of each other's guests; 0 means any number.

        Without ``history`` guests are given the content keys from this call on alone: they hold the
        older entries, sealed, and see no object that was made before, nor what became of it since.
        :meth:`share_history` opens them later.

        Raises ``PermissionDenied`` for a role that one may not give, ``LimitExceeded`` while 16
        invitations are open, ``InvalidState`` offline, and ``InvalidArgument``."""
        with translated:
            options = _native.InviteOptions(
                expires_s=expires,
                max_uses=max_uses,
                delegated=delegated,
                role=role,
                include_signaling=include_signaling,
                history=history,
            )
        return await begin(lambda: self._native.invite(options), self._lifeline)

    async def members(self) -> List[Member]:
        """The members, rising by identity. Those who were removed or left are not among them."""
        with translated:
            return [from_member(member) for member in await self._native.members()]

    async def set_role(self, identity: str, role: str) -> None:
        """Gives a member another role: ``owner``, ``admin``, ``editor``, ``reader`` or ``relay``;
        one who was removed can be given one again. Takes the role of admin or above and a place
        above the member; the new role must be below the own, except that owners may make owners.
        One's own role can only be lowered. Does nothing if the member has that role.

        A lower role takes effect at once here, and on every other device as soon as it hears of
        it. Raises ``PermissionDenied``, ``NotFound`` for an identity that never joined, and
        ``InvalidArgument``."""
        with translated:
            await self._native.set_role(identity, role)

    async def remove_member(self, identity: str) -> None:
        """Ends a member's role. It gets nothing of this space any more: the next transaction of
        anybody is sealed under a new key. What it holds it can go on reading. Needs what
        :meth:`set_role` needs; does nothing for one who is no member any more."""
        with translated:
            await self._native.remove_member(identity)

    async def leave(self) -> None:
        """Ends this identity's own role. What is here of the space stays, to be read; nothing more
        comes. The space's top owner cannot leave, and hands over first: raises
        ``PermissionDenied``."""
        with translated:
            await self._native.leave()

    async def hand_over(self, identity: str) -> None:
        """Makes another member the space's top owner in this identity's place: the one of rank 1, who
        can neither be removed nor step down. One who is no owner yet becomes one first. This identity
        stays an owner below all others, and can then leave, step down or be removed. It cannot be
        taken back, except by the new top owner's handing over in turn; a space can be handed over 64
        times.

        Raises ``PermissionDenied`` for who is not the top owner, ``NotFound`` for one who is no
        member, ``InvalidArgument`` for this identity itself, and ``LimitExceeded``."""
        with translated:
            await self._native.hand_over(identity)

    async def rotate_key(self) -> None:
        """Makes a new content key for what is written from now on, sealed to every device that may
        read. Keys are made anew by themselves when somebody loses the right to read and about every
        30 days; call this when a device may have been read by others and is clean again. What was
        written before stays readable to those who could read it, and to those who had the old key.

        Takes the role of reader or above. Raises ``PermissionDenied`` and ``Storage``."""
        with translated:
            await self._native.rotate_key()

    async def share_history(self, identity: str) -> bool:
        """Gives a member who was invited without the history the keys of what was written before
        its time, as far as this device has them. What is sealed off for it opens as soon as it
        hears of that. It cannot be taken back. Whether there was anything that the member lacked.

        Takes the role of admin or above. Raises ``PermissionDenied``, ``NotFound`` for an identity
        that is no member who may read, ``InvalidArgument`` and ``Storage``."""
        with translated:
            return await self._native.share_history(identity)

    def member_events(self) -> MemberEvents:
        """What becomes of members, wherever it was done, from the first iteration on; ``async
        with`` begins earlier::

            async with space.member_events() as events:
                async for event in events:
                    print(event.text)
        """
        return open_events(self._native, self._lifeline)

    async def excluded(self) -> List[ExcludedEntry]:
        """The entries that do not count, in the order in which they came to this device."""
        with translated:
            return [from_excluded(entry) for entry in await self._native.excluded()]

    async def resubmit(self, entry: str) -> Resubmission:
        """Writes what an excluded entry would have changed as a transaction of this identity's
        own. Takes the role of admin or above.

        Where the version before the entry is part of an object's history, the change is made there
        and merges with what happened since. Where it is not, because the entry builds on others
        that are excluded, it is made to the object as it is now; what finds no place any more is
        left out and reported. Formatting of texts is not brought over. The entry stays excluded;
        submitting it twice adds to counters twice. Raises ``PermissionDenied``, ``NotFound``, and
        ``InvalidState`` for an entry that counts."""
        with translated:
            return from_resubmission(await self._native.resubmit(entry))

    async def why(self, subject: str, action: str) -> AccessExplanation:
        """Why an identity or a device may do something here, or may not. ``subject`` is the key of
        either, as :meth:`members` gives it; ``action`` is ``open`` (take part at all), ``read``,
        ``write``, ``invite`` or ``administer`` (give and take roles).

        For people: the sentences may change from version to version. Reads what is here, so the
        answer may differ on a device that has heard less or more. Raises ``InvalidArgument`` for
        what is no key or no action."""
        with translated:
            return from_why(await self._native.why(subject, action))
