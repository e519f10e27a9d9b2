"""Members of a space: who they are, what becomes of them, what of theirs does not count."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Optional, Tuple

from . import _native
from ._errors import translated
from ._stream import Lifeline, Mailbox, Stream
from ._transaction import Committed, from_committed
from ._values import clock_time

#: More than a reader who reads leaves waiting: a space has at most 200 members.
_EVENTS = 4096


@dataclass(frozen=True)
class MemberDevice:
    """A device of a member."""

    #: The device's key.
    device: str
    #: The name it goes by, empty if it has none.
    name: str
    #: Whether it was revoked: it does not act for the member any more.
    revoked: bool


@dataclass(frozen=True)
class Member:
    """A member of a space."""

    #: The identity's key.
    identity: str
    #: The name it gave itself.
    display_name: str
    #: ``owner``, ``admin``, ``editor``, ``reader`` or ``relay``.
    role: str
    #: The keys of its devices that act for it.
    devices: Tuple[str, ...]
    #: 1 for whom nobody stands above, otherwise one more than the number of members who do. Of
    #: owners the one who has been it longer stands above; other members of one role are equals.
    rank: int
    #: When this device first heard of it as a member, by this device's clock: for display, other
    #: devices have other times. ``None`` if that was not noted.
    joined: Optional[datetime]
    #: All its devices, revoked ones included, rising by key.
    device_details: Tuple[MemberDevice, ...]


class MemberEventKind(enum.Enum):
    """What became of a member."""

    #: It joined, or joined again.
    JOINED = 1
    #: Its role is another one.
    ROLE_CHANGED = 2
    #: Somebody else ended its role.
    REMOVED = 3
    #: It ended its role itself.
    LEFT = 4
    #: It has a role again because the removal that had ended it counts no longer: whoever removed
    #: it was removed at the same time, by somebody who stands higher. Remove it again if that is
    #: not wanted.
    BACK = 5
    #: It has a further device.
    DEVICE_ADDED = 6
    #: A device of it does not count any more.
    DEVICE_REVOKED = 7
    #: It is the space's top owner now, whom nobody can remove.
    HANDED_OVER = 8
    #: The reader was so slow that events before this one were dropped: list the members again. The
    #: identity and its name are empty.
    MISSED = 9


@dataclass(frozen=True)
class MemberEvent:
    """A change of a space's members."""

    #: The space's id.
    space: str
    #: What happened.
    kind: MemberEventKind
    #: To whom: an identity's key. It may be this client's own identity.
    identity: str
    #: The name it gave itself.
    display_name: str
    #: The role it has now; ``None`` for one who is no member.
    role: Optional[str]
    #: The role it had before; ``None`` for one who was no member.
    previous_role: Optional[str]
    #: The device's key, of events about a device.
    device: Optional[str]
    #: The identity that did it; of ``BACK`` the one whose removal counts no longer. For display:
    #: several may have done the same at the same time.
    by: Optional[str]
    #: The name that one gave itself.
    by_name: Optional[str]
    #: All of this as a sentence in English, for logs.
    text: str


class MemberEvents(Stream[MemberEvent]):
    """What becomes of the members of a space: ``async for event in space.member_events():``. Of a
    reader who leaves thousands of events waiting the newest are dropped, and a last one, ``MISSED``,
    says so."""

    async def __aenter__(self) -> MemberEvents:
        await super().__aenter__()
        return self


@dataclass(frozen=True)
class ContactSpace:
    """A space that a contact is a member of."""

    #: The space's id.
    space: str
    #: The space's name, empty if it has none.
    space_name: str
    #: The name that the contact gave itself there.
    display_name: str
    #: The contact's role there.
    role: str


@dataclass(frozen=True)
class Contact:
    """An identity that shares a space with this one."""

    #: The identity's key.
    identity: str
    #: The name it gave itself in the first of the spaces where it has one.
    display_name: str
    #: The open spaces in which it is a member, in the order of the profile's list.
    spaces: Tuple[ContactSpace, ...]


@dataclass(frozen=True)
class ExcludedEntry:
    """An entry that does not count: written by a member who was denied, or by one who might not
    write, or built on such. It stays stored, sealed, and counts again if the denial does not."""

    #: The entry.
    entry: str
    #: The device that wrote it.
    device: str
    #: Whose device that is.
    identity: str
    #: When, by its author's clock: a claim, not a fact. ``None`` while its content key is not here.
    time: Optional[datetime]
    #: Why it does not count: a stable code (``denied``, ``void``, ``not_permitted``,
    #: ``builds_on_excluded``),
    #: a colon, and a sentence.
    reason: str
    #: The objects that it would change, in id order; empty while its content key is not here.
    objects: Tuple[str, ...]


@dataclass(frozen=True)
class SkippedResubmission:
    """Something that a resubmission left out."""

    #: The object.
    object: str
    #: Why, a sentence for people.
    reason: str


@dataclass(frozen=True)
class Resubmission:
    """What :meth:`Space.resubmit` did."""

    #: What was written; without an entry if everything had to be left out, or is there already.
    committed: Committed
    #: What was left out.
    skipped: Tuple[SkippedResubmission, ...]


@dataclass(frozen=True)
class ExplanationStep:
    """An operation that an explanation names."""

    #: The id of the control entry that holds it.
    entry: str
    #: What it did, as an English sentence; of one that does not count also why not. Members are
    #: called by the names that they gave themselves and the first eight characters of their keys.
    text: str
    #: Whether it counts: whoever stands higher voids what the denied do at the same time.
    counts: bool


@dataclass(frozen=True)
class AccessExplanation:
    """Why somebody may do something in a space, or may not. See :meth:`Space.why`."""

    #: Whether it may, as far as this device has heard.
    allowed: bool
    #: The answer in one English sentence.
    summary: str
    #: The operations that led to it, in an order in which they can have happened: who invited
    #: whom, which role came when, what denied it. Each builds on what is above, or is concurrent
    #: with it.
    steps: Tuple[ExplanationStep, ...]


def open_events(space: _native.Space, lifeline: Lifeline) -> MemberEvents:
    """A stream of what becomes of a space's members."""

    async def attach(mailbox: Mailbox[MemberEvent]) -> _native.Subscription:
        with translated:
            return await space.subscribe_members(_Listener(mailbox))

    return MemberEvents(attach, lifeline, _EVENTS, fold=_missed)


def _missed(old: MemberEvent, _: MemberEvent) -> MemberEvent:
    """What stands for both events, which are dropped."""
    text = "some events were missed: list the members again"
    return MemberEvent(old.space, MemberEventKind.MISSED, "", "", None, None, None, None, None, text)


class _Listener(_native.MemberListener):
    def __init__(self, mailbox: Mailbox[MemberEvent]) -> None:
        self._mailbox = mailbox

    def changed(self, event: _native.MemberEvent) -> None:
        self._mailbox.put(
            MemberEvent(
                space=event.space,
                kind=MemberEventKind(event.kind.value),
                identity=event.identity,
                display_name=event.display_name,
                role=event.role,
                previous_role=event.previous_role,
                device=event.device,
                by=event.by,
                by_name=event.by_name,
                text=event.text,
            )
        )


def from_member(member: _native.Member) -> Member:
    """From the generated record."""
    return Member(
        identity=member.identity,
        display_name=member.display_name,
        role=member.role,
        devices=tuple(member.devices),
        rank=member.rank,
        joined=None if member.joined_ms is None else clock_time(member.joined_ms),
        device_details=tuple(
            MemberDevice(each.device, each.name, each.revoked) for each in member.device_details
        ),
    )


def from_contact(contact: _native.Contact) -> Contact:
    """From the generated record."""
    return Contact(
        contact.identity,
        contact.display_name,
        tuple(
            ContactSpace(each.space, each.space_name, each.display_name, each.role)
            for each in contact.spaces
        ),
    )


def from_excluded(entry: _native.ExcludedEntry) -> ExcludedEntry:
    """From the generated record."""
    return ExcludedEntry(
        entry=entry.entry,
        device=entry.device,
        identity=entry.identity,
        time=None if entry.time_ms is None else clock_time(entry.time_ms),
        reason=entry.reason,
        objects=tuple(entry.objects),
    )


def from_resubmission(done: _native.Resubmission) -> Resubmission:
    """From the generated record."""
    skipped = tuple(SkippedResubmission(each.object, each.reason) for each in done.skipped)
    return Resubmission(from_committed(done.committed), skipped)


def from_why(found: _native.Explanation) -> AccessExplanation:
    """From the generated record."""
    steps = tuple(ExplanationStep(each.entry, each.text, each.counts) for each in found.steps)
    return AccessExplanation(found.allowed, found.summary, steps)
