"""The client: one profile, one identity, its spaces and its connections."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import TracebackType
from typing import (
    Any,
    AsyncContextManager,
    Awaitable,
    Dict,
    Generator,
    List,
    Optional,
    Sequence,
    Type,
    Union,
)

from . import _credentials, _native
from ._devices import DeviceInfo, IdentityChanges, from_device, open_changes
from ._encryption import EncryptionMode, KeyProvider, ProviderAdapter, native_mode
from ._errors import translated
from ._exit import open_clients
from ._invitation import Invitation, InvitationInfo, begin
from ._invitation import from_info as from_invitation
from ._log import LogSink, effective_level, native_level
from ._links import Follow
from ._members import Contact, from_contact
from ._query import OrderBy, Where, dump_query
from ._results import Found, from_found
from ._space import Space
from ._status import (
    ClientStatus,
    IdentityInfo,
    SpaceInfo,
    from_client_status,
    from_identity,
    from_info,
)
from ._stream import Lifeline
from ._values import Fields, Value, dump_fields, strings


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server (RFC 8489, RFC 8656)."""

    #: ``stun:HOST:PORT``, ``turn:HOST:PORT?transport=udp``.
    urls: Sequence[str]
    #: For TURN.
    username: str = ""
    #: For TURN.
    credential: str = ""


class Client(_credentials.Client):
    """An open profile; made by :meth:`open`. Use it as a context manager, or :meth:`close` it."""

    def __init__(self, native: _native.Client) -> None:
        self._native = native
        self._lifeline = Lifeline()

    @classmethod
    def open(
        cls,
        profile: Union[str, os.PathLike[str], None] = None,
        *,
        signaling: Sequence[str] = (),
        ice_servers: Sequence[IceServer] = (),
        bind: Sequence[str] = (),
        online: bool = True,
        log_level: Optional[int] = None,
        coalesce_ms: int = 20,
        cache_bytes: int = 32 * 1024 * 1024,
        passphrase: Optional[str] = None,
        key_provider: Optional[KeyProvider] = None,
        encryption: EncryptionMode = EncryptionMode.AUTO,
    ) -> Opening:
        """Opens a profile, making it if absent: ``async with Client.open(...) as client:`` or
        ``client = await Client.open(...)``.

        ``profile`` is a directory; ``None`` keeps everything in memory. ``signaling`` are the URLs
        of signalling servers, all used at once. ``bind`` are local addresses for peer connections
        (``IP:PORT``, port 0 for any); none means every address of the machine. ``log_level`` is
        one of :mod:`logging`; by default what the logger ``echodb`` is set to now. Text edits
        outside transactions are gathered for ``coalesce_ms``, 0 to 1000. Open spaces together use
        ``cache_bytes`` of memory for what they have read, 1 MiB to 64 GiB.

        The files are encrypted, unless ``encryption`` says otherwise: under ``passphrase`` (1 to
        1024 bytes) if there is one, else under the key that ``key_provider`` keeps, else under a
        key in a file beside them. Raises ``PermissionDenied`` with ``Status.WRONG_PASSPHRASE``, and
        ``Storage`` with ``Status.KEY_UNAVAILABLE`` when a passphrase or provider is needed.

        Raises ``InvalidState`` with ``Status.PROFILE_LOCKED`` while another client, in this
        process or another, has it open, and ``Storage`` when its files are damaged or newer; they
        are left untouched then.
        """
        level = effective_level() if log_level is None else log_level
        options = _native.ClientOptions(
            profile=None if profile is None else os.fspath(profile),
            signaling=strings(signaling),
            ice_servers=[
                _native.IceServer(
                    urls=strings(server.urls),
                    username=server.username,
                    credential=server.credential,
                )
                for server in ice_servers
            ],
            bind=strings(bind),
            online=online,
            log_level=native_level(level),
            coalesce_ms=coalesce_ms,
            cache_bytes=cache_bytes,
            passphrase=passphrase,
            key_provider=None if key_provider is None else ProviderAdapter(key_provider),
            encryption=native_mode(encryption),
        )
        return Opening(options)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Commits what is pending, closes connections and files, and releases the profile. Ends
        all iterations over changes and updates. Every later call on the client and its spaces
        raises ``InvalidState``. May be called again."""
        try:
            with translated:
                await self._native.shutdown()
            open_clients.discard(self._native)
        finally:
            self._lifeline.end()

    @property
    def identity(self) -> Optional[IdentityInfo]:
        """The identity, if there is one."""
        with translated:
            info = self._native.identity()
        return None if info is None else from_identity(info)

    async def create_identity(self, display_name: str) -> IdentityInfo:
        """Makes the identity, this device's keys, and the default space. Raises ``AlreadyExists``
        if the profile has one."""
        with translated:
            return from_identity(await self._native.create_identity(display_name))

    async def set_profile(self, display_name: str) -> None:
        """Sets the identity's display name, on all its devices and in all its spaces. It proves
        nothing. Raises ``InvalidState`` without identity."""
        with translated:
            await self._native.set_profile(display_name)

    def identity_changes(self) -> IdentityChanges:
        """What changes about the identity on other devices, from the first iteration on; ``async
        with`` begins earlier::

            async for changes in client.identity_changes():
                if echodb.IdentityChange.DEVICES in changes:
                    show(await client.devices())
        """
        return open_changes(self._native, self._lifeline)

    async def create_device_invitation(
        self, *, expires: int = 3600, include_signaling: bool = True
    ) -> Invitation:
        """Shows a code for a new device of this identity, good for ``expires`` seconds, at most a
        day. Enter it on the new device (:meth:`join_device`), then the authorization code, as with
        an invitation to a space. **Whoever is let in this way is you**: it sees every space and can
        write, invite and add devices. The invitation lets in one device and outlives the process
        like one to a space (:meth:`invitations`); its ``wait`` gives the identity's key.

        Raises ``InvalidState`` without identity or offline, and ``PermissionDenied`` on a device
        that was revoked."""
        with translated:
            options = _native.InviteOptions(expires_s=expires, include_signaling=include_signaling)
        return await begin(lambda: self._native.create_device_invitation(options), self._lifeline)

    async def join_device(
        self, code: str, *, device_name: Optional[str] = None, timeout: int = 120
    ) -> Invitation:
        """Uses a device code on a client without identity: it becomes a device of the identity
        whose device shows the code, and gets all of its spaces. It is called ``device_name``, at
        most 256 characters, and looks for the other one for ``timeout`` seconds.

        Raises ``InvalidState`` if there is an identity already: nobody can be talked into linking a
        device to somebody else. A code of another kind raises ``InvitationRefused``; the rest shows
        in the invitation."""
        with translated:
            options = _native.JoinOptions(timeout_s=timeout, device_name=device_name)
        return await begin(lambda: self._native.join_device(code, options), self._lifeline)

    async def devices(self) -> List[DeviceInfo]:
        """The identity's devices, those that act first and the most senior of them in front. Raises
        ``InvalidState`` without identity."""
        with translated:
            return [from_device(info) for info in await self._native.devices()]

    async def rename_device(self, device: str, name: str) -> None:
        """Names a device, for all devices of the identity. Raises ``NotFound`` for one that is not
        the identity's."""
        with translated:
            await self._native.rename_device(device, name)

    async def revoke_device(self, device: str) -> None:
        """Revokes a device for ever: in every space what it writes from now on is refused, content
        keys are renewed, and it gets nothing new. What it wrote before, as far as it has reached
        this device, stays. A device may revoke itself and those that were added after it; one that
        the recovery phrase brought back may revoke all. Raises ``PermissionDenied`` otherwise, and
        ``NotFound`` for a device that is not the identity's. Done already: does nothing."""
        with translated:
            await self._native.revoke_device(device)

    async def create_recovery_phrase(self) -> str:
        """Makes a new recovery phrase and gives its 24 words (BIP 39, English). **They are shown
        this one time and stored nowhere**: write them down. Whoever has them can become the
        identity. On a device that came by a phrase that one is void from now on; phrases made before
        on any other device stay in force and rank above it. Raises ``PermissionDenied`` unless this
        is the identity's most senior device, or one that the present phrase brought back."""
        with translated:
            return await self._native.create_recovery_phrase()

    async def replace_recovery_phrase(self, current: str) -> str:
        """Makes a new recovery phrase in place of ``current``, one of this identity that is in force,
        and gives its 24 words, this one time. From then on ``current`` is void, and so is every
        phrase that ranks below it. Any device of the identity may do so, connected or not: for when
        others may have read the words. Devices that ``current`` brought back stay. Raises
        ``InvalidArgument`` if the words are no phrase, ``PermissionDenied`` if the phrase is not in
        force for this identity, and ``LimitExceeded`` when it was done more than twenty times."""
        with translated:
            return await self._native.replace_recovery_phrase(current)

    async def recover_identity(
        self,
        phrase: str,
        *,
        device_name: Optional[str] = None,
        revoke_older: bool = False,
        timeout: int = 120,
    ) -> IdentityInfo:
        """Recovers the identity of a phrase on a client that has none. It takes any one device that
        holds the identity, online at the same signalling servers, and no server beside these. Waits
        until the identity is here, at most ``timeout`` seconds (1 to 86,400); its spaces follow, as
        on any new device. With ``revoke_older`` every device that the identity had before is
        revoked, in all spaces, once these have come: for when devices were stolen.

        Raises ``InvalidArgument`` if the words are no phrase, ``InvalidState`` if there is an
        identity already or the client is offline, ``PermissionDenied`` if the phrase is void since
        a newer one was made, and ``TimedOut`` if no device was found. With ``revoke_older``,
        ``TimedOut`` may also mean that the identity is recovered (:attr:`identity` is there) but
        its spaces have not all come, so that no device was revoked."""
        with translated:
            options = _native.RecoverOptions(
                device_name=device_name, revoke_older=revoke_older, timeout_s=timeout
            )
            return from_identity(await self._native.recover_identity(phrase, options))

    async def contacts(self) -> List[Contact]:
        """The identities that this one shares an open space with, rising by key, its own left out.
        Derived from the members of the spaces; nothing is stored."""
        with translated:
            return [from_contact(contact) for contact in await self._native.contacts()]

    async def create_space(
        self, name: Optional[str] = None, properties: Optional[Fields] = None
    ) -> Space:
        """Makes a space and opens it. ``name`` is one of its properties."""
        fields: Dict[str, Value] = dict(properties or {})
        if name is not None:
            fields["name"] = name
        json = dump_fields(fields)
        with translated:
            return self._space(await self._native.create_space(json))

    async def spaces(self) -> List[SpaceInfo]:
        """The spaces of this profile, in the order they were made or joined."""
        with translated:
            return [from_info(info) for info in await self._native.spaces()]

    async def space(self, id: str) -> Space:
        """A handle on a space, open or closed."""
        with translated:
            return self._space(await self._native.space(id))

    async def default_space(self) -> Space:
        """The space that was made with the identity."""
        with translated:
            return self._space(await self._native.default_space())

    async def delete_space(self, id: str) -> None:
        """Deletes this profile's copy of a space. Other members keep theirs. The default space
        cannot be deleted."""
        with translated:
            await self._native.delete_space(id)

    async def restore_space(self, id: str) -> None:
        """Lists a space again that was deleted on this device (:meth:`delete_space`): what it holds
        comes from whoever has it. Raises ``NotFound`` if the identity has no such space and
        ``AlreadyExists`` if it is here."""
        with translated:
            await self._native.restore_space(id)

    async def join(self, code: str, *, timeout: int = 120) -> Invitation:
        """Uses an invitation code (text or URL), looking for the host for ``timeout`` seconds. A
        malformed, foreign or expired code, and one for a space this profile is in already, raises
        at once; the rest shows in the invitation."""
        with translated:
            options = _native.JoinOptions(timeout_s=timeout)
        return await begin(lambda: self._native.join(code, options), self._lifeline)

    async def invitations(self) -> List[InvitationInfo]:
        """The invitations that are open: those of this profile, as host and as guest, in the order
        in which they were made, then those that other members have open in the spaces that are open
        here. They are kept over a restart, and run whenever the client is online and their space is
        open."""
        with translated:
            return [from_invitation(info) for info in await self._native.invitations()]

    async def invitation(self, id: str) -> Invitation:
        """A handle on a running invitation of this profile, as after a restart. Raises
        ``InvalidArgument`` if ``id`` is malformed, ``NotFound`` if there is no such invitation, and
        ``InvalidState`` while it does not run because the client is offline or the space closed."""
        with translated:
            return Invitation(await self._native.invitation(id), self._lifeline)

    async def cancel_invitation(self, id: str) -> None:
        """Ends an invitation for everybody: nobody comes in through it any more, and its code is
        worth nothing. An admin or owner may end those of other members too. On the guest's side it
        ends the attempt to join. Raises ``InvalidArgument`` if ``id`` is malformed, ``NotFound`` if
        there is no such invitation, and ``PermissionDenied`` if it is somebody else's and gives a
        role that is not below ours."""
        with translated:
            await self._native.cancel_invitation(id)

    async def import_archive(self, path: Union[str, os.PathLike[str]]) -> Space:
        """Brings in a space's archive and opens the space: as a new space of this profile, into
        the one that is here, or in place of one whose file is lost or damaged. Checked as a whole
        before anything is written. Raises ``PermissionDenied`` if this device is no member."""
        with translated:
            return self._space(await self._native.import_archive(os.fspath(path)))

    async def query(
        self,
        spaces: Sequence[str] = (),
        *,
        type: Optional[str] = None,
        where: Optional[Where] = None,
        order: Union[OrderBy, Sequence[OrderBy]] = (),
        limit: Optional[int] = None,
        skip: int = 0,
        follow: Sequence[Follow] = (),
    ) -> List[Found]:
        """The objects that a query finds in several spaces, or in all open ones if ``spaces`` is
        empty: in one order, ``limit`` and ``skip`` counting over all."""
        json = dump_query(type, where, order, limit, skip, follow)
        with translated:
            return from_found(await self._native.query(strings(spaces), json))

    async def set_online(self, online: bool) -> None:
        """Goes online or offline. Offline, all connections are closed and none is made or taken;
        everything else works."""
        with translated:
            await self._native.set_online(online)

    async def set_passphrase(self, old: Optional[str], new: Optional[str]) -> None:
        """Gives the profile a passphrase, changes it, or, without a new one, takes it away: then
        the key is with the key provider that the client was opened with, or else in a file. ``old``
        is the present one, if there is one. It takes about a second, and no file is written anew
        but the one that holds the profile's key; a crash leaves the one or the other passphrase.
        Whoever has a copy of that file from before can open the profile with the old one still.
        Raises ``PermissionDenied`` with ``Status.WRONG_PASSPHRASE``, and ``InvalidState`` when the
        profile is plain or in memory."""
        with translated:
            await self._native.set_passphrase(old, new)

    def status(self) -> ClientStatus:
        """Connections and servers at this moment."""
        with translated:
            return from_client_status(self._native.status())

    def _space(self, native: _native.Space) -> Space:
        return Space(native, self._lifeline)


class Opening(Awaitable[Client], AsyncContextManager[Client]):
    """A client about to be opened: await it, or enter it."""

    def __init__(self, options: _native.ClientOptions) -> None:
        self._options = options
        self._client: Optional[Client] = None

    def __await__(self) -> Generator[Any, None, Client]:
        return self._open().__await__()

    async def __aenter__(self) -> Client:
        self._client = await self._open()
        return self._client

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def _open(self) -> Client:
        with translated:
            native = await _native.open_client(self._options, LogSink())
        open_clients.add(native)
        return Client(native)
