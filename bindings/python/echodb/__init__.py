"""A peer-to-peer, local-first graph database.

A :class:`Client` holds an identity and its :class:`Space` s; a space holds objects, which merge
with what other members write, online or later::

    async with echodb.Client.open("notes.profile") as client:
        await client.create_identity("Ada")
        space = await client.create_space("Notes")
        await space.create("Note", {"text": echodb.Text("hello"), "done": False})
        for note in await space.query(where=echodb.field("done") == False):
            print(note["text"])
"""

from ._changes import (
    Change,
    ChangeBatch,
    ChangeCallback,
    ChangeKind,
    ChangeOrigin,
    ChangeStream,
    Subscription,
)
from ._client import Client, IceServer, Opening
from ._encryption import Encryption, EncryptionMode, KeyProvider
from ._errors import (
    AlreadyExists,
    Cancelled,
    EchoError,
    InvalidArgument,
    InvalidState,
    InvitationRefused,
    LimitExceeded,
    Network,
    NotFound,
    PermissionDenied,
    Status,
    Storage,
    TimedOut,
    Unexpected,
)
from ._invitation import Invitation, InvitationState, InvitationUpdate, InvitationUpdates
from ._native import library_version as _library_version
from ._objects import ChangeInfo, Object
from ._query import (
    BY_ID,
    BY_TYPE,
    Clock,
    Field,
    Filter,
    Order,
    OrderBy,
    Where,
    branches,
    child_of,
    created,
    deleted,
    field,
    of_type,
    relations,
    tagged,
    updated,
    with_id,
    with_key,
)
from ._live import (
    LiveBatch,
    LiveChange,
    LiveChangeKind,
    LiveQuery,
)
from ._blobs import (
    BlobFetch,
    BlobFetchState,
    BlobInfo,
    BlobProgress,
    BlobUpdates,
    BlobWriter,
    CollectedBlobs,
)
from ._transfer import (
    ArchiveInfo,
    ColumnKind,
    ImportColumn,
    ImportFormat,
    ImportOptions,
    ImportReport,
    OnError,
    SkippedRow,
    verify_archive,
)
from ._results import (
    AggregateRow,
    Explanation,
    Found,
    Measure,
    QueryPage,
)
from ._links import (
    Follow,
    Link,
    ancestor,
    child,
    descendant,
    parent,
    referred_by,
    refers_to,
    related,
    source,
    source_of,
    target,
    target_of,
)
from ._check import (
    CheckFinding,
    CheckFindingKind,
    CheckReport,
    LostEntry,
    RepairReport,
)
from ._schemas import (
    MigrationFailure,
    MigrationReport,
    MigrationStep,
    Schema,
    SchemaInfo,
    Violation,
)
from ._history import (
    BranchInfo,
    SkippedUndo,
    TransactionInfo,
    Undone,
)
from ._search import (
    IndexInfo,
    SearchHit,
    Snippet,
)
from ._space import Space
from ._status import (
    ClientStatus,
    IdentityInfo,
    Member,
    PeerStatus,
    QuarantinedEntry,
    SignalingStatus,
    SpaceInfo,
    SpaceState,
    SpaceStatus,
)
from ._texts import MarkExpand, TextMark
from ._transaction import Committed, Transaction
from ._values import Blob, Counter, Fields, Ref, Text, Timestamp, Value

#: The library's version, ``MAJOR.MINOR.PATCH``.
__version__: str = _library_version()

__all__ = [
    "BY_ID",
    "BY_TYPE",
    "AggregateRow",
    "AlreadyExists",
    "ArchiveInfo",
    "Blob",
    "BlobFetch",
    "BlobFetchState",
    "BlobInfo",
    "BlobProgress",
    "BlobUpdates",
    "BlobWriter",
    "BranchInfo",
    "Cancelled",
    "Change",
    "ChangeBatch",
    "ChangeCallback",
    "ChangeInfo",
    "ChangeKind",
    "ChangeOrigin",
    "ChangeStream",
    "Client",
    "ClientStatus",
    "Clock",
    "CollectedBlobs",
    "ColumnKind",
    "Committed",
    "Counter",
    "EchoError",
    "Encryption",
    "EncryptionMode",
    "Explanation",
    "Field",
    "Fields",
    "Filter",
    "Follow",
    "Found",
    "IceServer",
    "IdentityInfo",
    "ImportColumn",
    "ImportFormat",
    "ImportOptions",
    "ImportReport",
    "IndexInfo",
    "InvalidArgument",
    "InvalidState",
    "Invitation",
    "InvitationRefused",
    "InvitationState",
    "InvitationUpdate",
    "InvitationUpdates",
    "KeyProvider",
    "LimitExceeded",
    "Link",
    "LiveBatch",
    "LiveChange",
    "LiveChangeKind",
    "LiveQuery",
    "MarkExpand",
    "Measure",
    "Member",
    "MigrationFailure",
    "MigrationReport",
    "MigrationStep",
    "Network",
    "NotFound",
    "Object",
    "OnError",
    "Opening",
    "Order",
    "OrderBy",
    "PeerStatus",
    "PermissionDenied",
    "QuarantinedEntry",
    "QueryPage",
    "Ref",
    "Schema",
    "SchemaInfo",
    "SearchHit",
    "SignalingStatus",
    "SkippedRow",
    "SkippedUndo",
    "Snippet",
    "Space",
    "SpaceInfo",
    "SpaceState",
    "SpaceStatus",
    "Status",
    "Storage",
    "Subscription",
    "Text",
    "TextMark",
    "TimedOut",
    "Timestamp",
    "Transaction",
    "TransactionInfo",
    "Undone",
    "Unexpected",
    "Value",
    "CheckFinding",
    "CheckFindingKind",
    "CheckReport",
    "LostEntry",
    "RepairReport",
    "Violation",
    "Where",
    "ancestor",
    "branches",
    "child",
    "child_of",
    "created",
    "deleted",
    "descendant",
    "field",
    "of_type",
    "parent",
    "referred_by",
    "refers_to",
    "related",
    "relations",
    "source",
    "source_of",
    "tagged",
    "target",
    "target_of",
    "updated",
    "verify_archive",
    "with_id",
    "with_key",
]

# What users see in messages and help is where they import it from.
for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
del _name
