"""The end of the interpreter. From a certain point of it on, a thread of the library that calls
into Python is killed in the middle of its work, and takes the process down; so nothing of the
library that could call may be left by then."""

from __future__ import annotations

import asyncio
import atexit
import gc
import threading
import time
import weakref
from typing import List, NoReturn

from . import _native
from ._errors import InvalidState

#: Clients that nobody has closed.
open_clients: weakref.WeakSet[_native.Client] = weakref.WeakSet()

_HANDLES = (
    _native.Client,
    _native.Space,
    _native.Transaction,
    _native.Invitation,
    _native.Subscription,
)
#: What the library may still call: it takes each out when it drops its side.
_CALLBACKS = (
    _native._UniffiFfiConverterTypeChangeListener._handle_map,
    _native._UniffiFfiConverterTypeInvitationListener._handle_map,
    _native._UniffiFfiConverterTypeMemberListener._handle_map,
    _native._UniffiFfiConverterTypeIdentityListener._handle_map,
    _native._UniffiFfiConverterTypeLogSink._handle_map,
    _native._UniffiContinuationHandleMap,
)
#: Longer than any work that the library ends in order.
_PATIENCE = 5.0


@atexit.register
def _settle() -> None:
    for client in list(open_clients):
        try:
            # Commits what is pending.
            asyncio.run(client.shutdown())
        except Exception:
            continue
    _release_handles()
    deadline = time.monotonic() + _PATIENCE
    calm = 0
    # Twice, because the last callback still has to return.
    while calm < 2 and time.monotonic() < deadline:
        calm = calm + 1 if all(len(callbacks) == 0 for callbacks in _CALLBACKS) else 0
        time.sleep(0.005)


def _release_handles() -> None:
    left: List[object] = [each for each in gc.get_objects() if type(each) in _HANDLES]
    for each in left:
        # Threads that nobody waits for may go on calling.
        each._uniffi_clone_handle = _refuse  # type: ignore[attr-defined]
    if threading.active_count() > 1:
        # One may be in the middle of such a call.
        time.sleep(0.01)
    for each in left:
        # As when Python drops it, which would be too late for globals.
        each.__del__()  # type: ignore[attr-defined]
        each.__dict__.pop("_handle", None)


def _refuse() -> NoReturn:
    raise InvalidState("the interpreter is ending, and the library with it")
