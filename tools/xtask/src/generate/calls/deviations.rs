//! Where a language names something otherwise than the rule, and why.

use super::declared::Language::{self, C, Cpp, Kotlin, Python, Swift};

/// A name that is not what the rule says.
pub struct Deviation {
    /// The call, `Type::name`.
    pub call: &'static str,
    pub language: Language,
    /// What it is named instead.
    pub name: &'static str,
    /// What the sources say where they do not declare the name themselves, but inherit it.
    pub inherited: Option<&'static str>,
    /// Whether the rule's name is declared too, with another meaning.
    pub taken: bool,
    pub reason: &'static str,
}

const fn named(
    call: &'static str,
    language: Language,
    name: &'static str,
    reason: &'static str,
) -> Deviation {
    Deviation {
        call,
        language,
        name,
        inherited: None,
        taken: false,
        reason,
    }
}

const fn inherited(
    call: &'static str,
    language: Language,
    name: &'static str,
    from: &'static str,
    reason: &'static str,
) -> Deviation {
    Deviation {
        inherited: Some(from),
        ..named(call, language, name, reason)
    }
}

const fn taken(
    call: &'static str,
    language: Language,
    name: &'static str,
    reason: &'static str,
) -> Deviation {
    Deviation {
        taken: true,
        ..named(call, language, name, reason)
    }
}

const DELETE: &str = "`delete` is a word of the language";
const FINAL: &str = "the final states are those from this number on";
const WORD: &str = "the update's JSON has the state as a word";
const ENUMERATION: &str = "every enumeration of the language has it";
const STATUS: &str = "the status is as fine as the kind";
const TYPED: &str = "the one query gives typed objects, by this quick way";
const UPDATES: &str = "the updates are iterated over";
const BATCHES: &str = "the batches are iterated over";
const OWN_ID: &str = "the id is an argument that may be given";
const GIVEN: &str = "whoever fetches a blob has given its id";
/// Swift's alone.
const LABEL: &str = "a file is an argument that its label tells";
const PROVIDER: &str = "a structure of two functions, `load` and `store`";
const FUNCTION: &str = "what is called back is a function";

pub const DEVIATIONS: &[Deviation] = &[
    // C.
    named(
        "library_version",
        C,
        "echodb_version",
        "the prefix says whose",
    ),
    named(
        "EchoError::detail",
        C,
        "echodb_error_message",
        "the word that C programs expect",
    ),
    named("EchoError::kind", C, "echodb_error_status", STATUS),
    named(
        "Space::query_json",
        C,
        "echodb_space_query",
        "every answer is JSON",
    ),
    named(
        "InvitationState::is_final",
        C,
        "ECHODB_INVITATION_SUCCESS",
        FINAL,
    ),
    named("InvitationState::name", C, "echodb_invitation_update", WORD),
    named(
        "ChangeListener::changed",
        C,
        "echodb_change_callback",
        FUNCTION,
    ),
    named(
        "InvitationListener::updated",
        C,
        "echodb_invitation_callback",
        FUNCTION,
    ),
    named("LiveListener::updated", C, "echodb_live_callback", FUNCTION),
    named(
        "BlobListener::progressed",
        C,
        "echodb_blob_callback",
        FUNCTION,
    ),
    named(
        "BlobFetchState::name",
        C,
        "echodb_blob_fetch_progress",
        WORD,
    ),
    named("BlobFetch::id", C, "echodb_space_fetch_blob", GIVEN),
    named(
        "MemberListener::changed",
        C,
        "echodb_member_callback",
        FUNCTION,
    ),
    named(
        "IdentityListener::changed",
        C,
        "echodb_identity_callback",
        FUNCTION,
    ),
    named("LogSink::log", C, "echodb_log_callback", FUNCTION),
    named(
        "KeyProvider::load_key",
        C,
        "echodb_key_load_callback",
        FUNCTION,
    ),
    named(
        "KeyProvider::store_key",
        C,
        "echodb_key_store_callback",
        FUNCTION,
    ),
    named(
        "Migration::migrate",
        C,
        "echodb_migration_callback",
        FUNCTION,
    ),
    // C++.
    named(
        "library_version",
        Cpp,
        "version",
        "the namespace says whose",
    ),
    inherited(
        "EchoError::detail",
        Cpp,
        "Error::what",
        "class Error : public std::runtime_error",
        "as every exception of the standard library has it",
    ),
    named("EchoError::kind", Cpp, "Error::status", STATUS),
    taken(
        "Space::get",
        Cpp,
        "Space::get_object",
        "`get` gives the handle, as smart pointers do",
    ),
    named("Space::delete", Cpp, "Space::delete_object", DELETE),
    named(
        "Transaction::delete",
        Cpp,
        "Transaction::delete_object",
        DELETE,
    ),
    named(
        "Space::query_json",
        Cpp,
        "Space::query",
        "every answer is JSON",
    ),
    named(
        "Space::text",
        Cpp,
        "Space::text_at",
        "it takes a path, which the name says",
    ),
    named(
        "InvitationState::is_final",
        Cpp,
        "ECHODB_INVITATION_SUCCESS",
        FINAL,
    ),
    named("InvitationState::name", Cpp, "Invitation::update", WORD),
    named("ChangeListener::changed", Cpp, "ChangeListener", FUNCTION),
    named(
        "InvitationListener::updated",
        Cpp,
        "InvitationListener",
        FUNCTION,
    ),
    named("LiveListener::updated", Cpp, "LiveListener", FUNCTION),
    named("BlobListener::progressed", Cpp, "BlobListener", FUNCTION),
    named("BlobFetchState::name", Cpp, "BlobFetch::progress", WORD),
    named("BlobFetch::id", Cpp, "Space::fetch_blob", GIVEN),
    named("MemberListener::changed", Cpp, "MemberListener", FUNCTION),
    named(
        "IdentityListener::changed",
        Cpp,
        "IdentityListener",
        FUNCTION,
    ),
    named("LogSink::log", Cpp, "LogListener", FUNCTION),
    named("KeyProvider::load_key", Cpp, "KeyProvider", PROVIDER),
    named("KeyProvider::store_key", Cpp, "KeyProvider", PROVIDER),
    named("Migration::migrate", Cpp, "Migration", FUNCTION),
    // Python.
    named(
        "library_version",
        Python,
        "__version__",
        "where Python programs look for it",
    ),
    named(
        "Client::shutdown",
        Python,
        "Client.close",
        "what resources have, and `async with` calls",
    ),
    named("EchoError::kind", Python, "EchoError.status", STATUS),
    named("Space::query_json", Python, "Space.query", TYPED),
    named(
        "Invitation::wait_change",
        Python,
        "Invitation.wait_until",
        "a wait says what for",
    ),
    named(
        "Invitation::subscribe",
        Python,
        "Invitation.updates",
        UPDATES,
    ),
    inherited(
        "InvitationState::name",
        Python,
        "InvitationState.name",
        "class InvitationState(enum.Enum)",
        ENUMERATION,
    ),
    named(
        "Transaction::create_with_id",
        Python,
        "Transaction.create",
        OWN_ID,
    ),
    named(
        "ChangeListener::changed",
        Python,
        "ChangeCallback",
        FUNCTION,
    ),
    named(
        "InvitationListener::updated",
        Python,
        "InvitationUpdates",
        UPDATES,
    ),
    named(
        "Client::subscribe_identity",
        Python,
        "Client.identity_changes",
        UPDATES,
    ),
    named(
        "IdentityListener::changed",
        Python,
        "IdentityChanges",
        UPDATES,
    ),
    named(
        "Space::subscribe_members",
        Python,
        "Space.member_events",
        UPDATES,
    ),
    named("MemberListener::changed", Python, "MemberEvents", UPDATES),
    named("LiveListener::updated", Python, "LiveQuery", BATCHES),
    named("Migration::migrate", Python, "MigrationStep", FUNCTION),
    named("BlobListener::progressed", Python, "BlobUpdates", UPDATES),
    named("BlobFetch::subscribe", Python, "BlobFetch.updates", UPDATES),
    inherited(
        "BlobFetchState::name",
        Python,
        "BlobFetchState.name",
        "class BlobFetchState(enum.Enum)",
        ENUMERATION,
    ),
    inherited(
        "LogSink::log",
        Python,
        "logging.getLogger(\"echodb\")",
        "logging.getLogger(f\"echodb.{record.target}\")",
        "the standard library's logging takes the records",
    ),
    // Kotlin.
    inherited(
        "EchoError::detail",
        Kotlin,
        "EchoException.message",
        ") : RuntimeException(message)",
        "as every exception of the language has it",
    ),
    named("EchoError::kind", Kotlin, "EchoException.status", STATUS),
    named(
        "Invitation::wait",
        Kotlin,
        "Invitation.await",
        "what suspending waits are called",
    ),
    named(
        "Invitation::wait_change",
        Kotlin,
        "Invitation.awaitState",
        "a wait says what for",
    ),
    inherited(
        "InvitationState::name",
        Kotlin,
        "InvitationState.name",
        "public enum class InvitationState",
        ENUMERATION,
    ),
    named(
        "Transaction::create_with_id",
        Kotlin,
        "Transaction.create",
        OWN_ID,
    ),
    inherited(
        "BlobFetchState::name",
        Kotlin,
        "BlobFetchState.name",
        "public enum class BlobFetchState",
        ENUMERATION,
    ),
    named(
        "BlobFetch::wait",
        Kotlin,
        "BlobFetch.await",
        "what suspending waits are called",
    ),
    // Swift.
    named(
        "EchoError::retryable",
        Swift,
        "EchoError.isRetryable",
        "what truths are called",
    ),
    named(
        "Invitation::wait_change",
        Swift,
        "Invitation.updates",
        UPDATES,
    ),
    inherited(
        "InvitationState::name",
        Swift,
        "String(describing:)",
        "public enum InvitationState",
        ENUMERATION,
    ),
    named(
        "Transaction::create_with_id",
        Swift,
        "Transaction.create",
        OWN_ID,
    ),
    named(
        "ChangeListener::changed",
        Swift,
        "Space.subscribe",
        "a listener is a closure",
    ),
    named(
        "InvitationListener::updated",
        Swift,
        "Invitation.subscribe",
        "a listener is a closure",
    ),
    named(
        "LiveListener::updated",
        Swift,
        "Space.live",
        "a listener is a closure",
    ),
    named(
        "BlobListener::progressed",
        Swift,
        "BlobFetch.subscribe",
        "a listener is a closure",
    ),
    named(
        "MemberListener::changed",
        Swift,
        "Space.subscribeMembers",
        "a listener is a closure",
    ),
    named(
        "IdentityListener::changed",
        Swift,
        "Client.subscribeIdentity",
        "a listener is a closure",
    ),
    named("LogSink::log", Swift, "LogHandler", "a sink is a closure"),
    inherited(
        "BlobFetchState::name",
        Swift,
        "String(describing:)",
        "public enum BlobFetchState",
        ENUMERATION,
    ),
    named(
        "Migration::migrate",
        Swift,
        "Space.migrate",
        "a listener is a closure",
    ),
    named(
        "Space::get_at",
        Swift,
        "Space.get",
        "the version is an argument with a label",
    ),
    named("Space::put_blob_file", Swift, "Space.putBlob", LABEL),
    named("Space::blob_to_file", Swift, "Space.writeBlob", LABEL),
    named("Space::export_json_file", Swift, "Space.exportJSON", LABEL),
    named("Space::import_json_file", Swift, "Space.importJSON", LABEL),
    named("Space::import_file", Swift, "Space.importData", LABEL),
];

/// A record's field that is named or shaped otherwise, or an enumeration's variant.
pub struct Shape {
    /// `Type::field`.
    pub item: &'static str,
    pub languages: &'static [Language],
    /// What it is instead; relative to the type in the language.
    pub name: &'static str,
    pub reason: &'static str,
}

const fn shaped(
    item: &'static str,
    languages: &'static [Language],
    name: &'static str,
    reason: &'static str,
) -> Shape {
    Shape {
        item,
        languages,
        name,
        reason,
    }
}

const THREE: &[Language] = &[Python, Kotlin, Swift];
const A_TIME: &str = "a point in time, in the language's own type";
/// Kotlin's alone.
const OBJECT: &str = "`object` is a word of the language";
const SHORT: &str = "within its type the short name says enough";

pub const SHAPES: &[Shape] = &[
    shaped("ObjectRecord::type_name", THREE, "type", SHORT),
    shaped("ObjectRecord::created_ms", THREE, "created", A_TIME),
    shaped("ObjectRecord::updated_ms", THREE, "updated", A_TIME),
    shaped("ChangeInfo::time_ms", THREE, "time", A_TIME),
    shaped("InvitationInfo::created_ms", &[Swift], "created", A_TIME),
    shaped("InvitationInfo::expires_ms", &[Swift], "expires", A_TIME),
    shaped("LogRecord::time_ms", &[Kotlin, Swift], "time", A_TIME),
    shaped("Member::joined_ms", THREE, "joined", A_TIME),
    shaped("ExcludedEntry::time_ms", THREE, "time", A_TIME),
    shaped("DeviceInfo::added_ms", THREE, "added", A_TIME),
    shaped("CredentialInfo::type_name", THREE, "type", SHORT),
    shaped("CredentialInfo::issued_ms", THREE, "issued", A_TIME),
    shaped("CredentialInfo::expires_ms", THREE, "expires", A_TIME),
    shaped(
        "VerifiedPresentation::presented_ms",
        THREE,
        "presented",
        A_TIME,
    ),
    shaped("DeviceInfo::last_seen_ms", &[Python], "last_seen", A_TIME),
    shaped("InvitationInfo::created_ms", &[Python], "created", A_TIME),
    shaped("InvitationInfo::expires_ms", &[Python], "expires", A_TIME),
    shaped(
        "DeviceInfo::last_seen_ms",
        &[Kotlin, Swift],
        "lastSeen",
        A_TIME,
    ),
    shaped("InvitationInfo::created_ms", &[Kotlin], "created", A_TIME),
    shaped("InvitationInfo::expires_ms", &[Kotlin], "expires", A_TIME),
    shaped("Change::type_name", THREE, "type", SHORT),
    shaped(
        "Committed::objects",
        THREE,
        "heads",
        "a map from each object's id to its version",
    ),
    shaped(
        "Resubmission::committed",
        &[C, Cpp],
        "entry",
        "the answer is that of a commit, with what was skipped",
    ),
    shaped(
        "InvitationState::Init",
        &[Swift],
        "initial",
        "`init` is a word of the language",
    ),
    shaped("SchemaInfo::type_name", THREE, "type", SHORT),
    shaped(
        "SchemaInfo::conflict",
        &[Swift],
        "hasConflict",
        "what truths are called",
    ),
    shaped("SkippedUndo::object", &[Kotlin], "id", OBJECT),
    shaped("SkippedResubmission::object", &[Kotlin], "id", OBJECT),
    shaped("Violation::type_name", THREE, "type", SHORT),
    shaped(
        "Undone::committed",
        &[C, Cpp],
        "entry",
        "what was written stands beside the other keys",
    ),
    shaped("TransactionInfo::time_ms", THREE, "time", A_TIME),
    shaped(
        "TransactionInfo::versions",
        THREE,
        "versions",
        "a map from each object's id to its version",
    ),
    shaped("BranchInfo::created_ms", THREE, "created", A_TIME),
    shaped("BranchInfo::updated_ms", THREE, "updated", A_TIME),
    shaped("IndexInfo::type_name", THREE, "type", SHORT),
    shaped("ImportOptions::type_name", THREE, "type", SHORT),
    shaped(
        "ImportOptions::header",
        &[Swift],
        "hasHeader",
        "what truths are called",
    ),
    shaped(
        "ExplanationStep::counts",
        &[Swift],
        "counts",
        "what truths are called",
    ),
    shaped(
        "LogLevel::Warn",
        &[Swift],
        "warning",
        "Swift does not clip words",
    ),
];

/// What a type of the facade is called, where it is not the same word.
pub const TYPES: &[(&str, Language, &str)] = &[
    ("ObjectRecord", Python, "Object"),
    ("ObjectRecord", Kotlin, "EchoObject"),
    ("ObjectRecord", Swift, "Object"),
    ("IceServer", Swift, "ICEServer"),
    ("Explanation", Python, "AccessExplanation"),
    ("Explanation", Kotlin, "AccessExplanation"),
    ("Explanation", Swift, "AccessExplanation"),
];
