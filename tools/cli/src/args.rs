//! The command line: what may be written, and what is sent to a serving process.

use crate::blob_args::BlobCommand;
pub use crate::change_args::{ChangeCommand, PlaceArgs};
use crate::check_args::{CheckArgs, RepairArgs};
pub use crate::credential_args::CredentialCommand;
pub use crate::device_args::{DeviceCommand, IdentityCommand};
use crate::failure::Result;
pub use crate::index_args::IndexCommand;
pub use crate::invite_args::{InvitationsCommand, InviteArgs};
use crate::member_args::MemberCommand;
use crate::passphrase::{PassphraseCommand, Secret};
pub use crate::query_args::{AggregateCommand, QueryCommand};
pub use crate::schema_args::SchemaCommand;
pub use crate::search_args::SearchCommand;
pub use crate::transfer_args::{ExportFormat, InputFormat, ObjectCommand, PlainImport};
use crate::wait_args::SyncWait;
use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
SPACE is a space's id, a prefix of it (4 characters or more) that no other space shares, a name \
that no other space has, or `default`. JSON is JSON text, or `-` to read it from standard input.

Exit codes:
  0  done
  1  failed for another reason than the following
  2  the command or an argument makes no sense
  3  the named thing does not exist
  4  refused: no permission, a wrong or used-up invitation code, a wrong passphrase,
     or a credential that does not verify
  5  the network failed, or time ran out
  6  the profile is locked, damaged or newer, its key is missing, or the disk refused";

/// Works with echo-db profiles: identities, spaces, objects, pairing.
#[derive(Debug, Parser)]
#[command(name = "echodb", version, after_long_help = EXIT_CODES, after_help = EXIT_CODES)]
pub struct Args {
    /// The profile's directory [default: $XDG_DATA_HOME/echodb, or ~/.local/share/echodb]
    #[arg(long, global = true, value_name = "DIR", env = "ECHODB_PROFILE")]
    pub profile: Option<PathBuf>,

    /// A signalling server, ws:// or wss://; may be repeated. There is none unless given, here or
    /// in $ECHODB_SIGNAL (separated by commas); without one, peers are not found. Not used while
    /// `serve` runs on the profile: then its servers count
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "ECHODB_SIGNAL",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub signal: Vec<String>,

    /// Reads the profile's passphrase, one line, from this file descriptor; else it is in
    /// $ECHODB_PASSPHRASE, or asked for on the terminal
    #[arg(long, global = true, value_name = "N")]
    pub passphrase_fd: Option<i32>,

    /// How much memory may be used for what was read, in MiB. Not used while `serve` runs on the
    /// profile: then what it was given counts
    #[arg(
        long,
        global = true,
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(1..=65_536)
    )]
    pub cache: Option<u64>,

    /// Prints JSON, one value a line; errors too, on standard error
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A command, as parsed. Through the socket, the serving process gets exactly this.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// The user of this profile
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Adds, lists, names and revokes the identity's devices
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Shows, verifies and issues credentials of identities and their roles
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// The passphrase that the profile's files are encrypted under
    #[command(subcommand)]
    Passphrase(PassphraseCommand),
    /// Makes, lists, describes and deletes spaces
    #[command(subcommand)]
    Space(SpaceCommand),
    /// Invites someone into a space: shows a code to hand over, then a short authorization code
    /// to tell, and waits until the guest is a member
    Invite(InviteArgs),
    /// Lists or ends invitations that are open
    #[command(subcommand)]
    Invitations(InvitationsCommand),
    /// Joins a space with an invitation code or URL
    Join {
        /// The code or URL that `invite` showed
        code: String,
        /// The authorization code; without it, it is asked for
        #[arg(long, value_name = "CODE")]
        auth_code: Option<String>,
        /// How long to look for the host, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 120)]
        timeout: u64,
        /// How long to stay and replicate after joining, in seconds, at most
        #[arg(long, value_name = "SECONDS", default_value_t = 15)]
        sync_wait: u64,
    },
    /// Lists members, changes their roles, removes them, or leaves a space
    #[command(subcommand)]
    Member(MemberCommand),
    /// Makes a new content key for what is written in a space from now on
    RotateKey {
        /// The space
        space: String,
        /// The wait for others.
        #[command(flatten)]
        wait: SyncWait,
    },
    /// Gives a member who was invited with --no-history what was written before its time
    ShareHistory {
        /// The space
        space: String,
        /// The member: its key, a prefix of it, or its name
        member: String,
    },
    /// Adds an object and prints its id
    Add {
        /// The space
        space: String,
        /// The object's type
        #[arg(long = "type", value_name = "T")]
        type_name: Option<String>,
        /// The fields, a JSON object
        #[arg(value_name = "JSON")]
        fields: String,
    },
    /// Prints an object
    Get {
        /// The space
        space: String,
        /// The object
        id: String,
        /// As it was at this version: the hashes under `heads`, with commas between them
        #[arg(long, value_name = "VERSION")]
        at: Option<String>,
    },
    /// Lists a space's transactions, the newest first: who made them, when, and their messages
    Log {
        /// The space
        space: String,
        /// How many, at most 1000
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// Only those before this entry
        #[arg(long, value_name = "ENTRY")]
        before: Option<String>,
    },
    /// Lists the changes of an object, oldest first
    History {
        /// The space
        space: String,
        /// The object
        id: String,
    },
    /// Lists what differs between two versions of an object
    Diff {
        /// The space
        space: String,
        /// The object
        id: String,
        /// The earlier version, as for `get --at`; '' is before the object was made
        from: String,
        /// The later version; without it, that of now
        to: Option<String>,
    },
    /// Makes an object as it was at a version, by a new change
    Restore {
        /// The space
        space: String,
        /// The object
        id: String,
        /// The version, as for `get --at`
        version: String,
    },
    /// Undoes what this device last did in a space; what others have changed since is left alone
    Undo {
        /// The space
        space: String,
    },
    /// Undoes the last `undo`, if this device has written nothing since
    Redo {
        /// The space
        space: String,
    },
    /// Makes, lists and merges branches of objects
    #[command(subcommand)]
    Branch(BranchCommand),
    /// Sets fields of an object; the others stay
    Set {
        /// The space
        space: String,
        /// The object
        id: String,
        /// The fields, a JSON object
        #[arg(value_name = "JSON")]
        fields: String,
    },
    /// Makes several changes, to any objects, that take effect together or not at all, and prints
    /// the ids of the objects that it made
    Change(ChangeCommand),
    /// Lists the values that concurrent writes left in one place, the one that reads show last.
    /// Writing the place settles it
    Conflicts(PlaceArgs),
    /// Lists the marks on a text, in code points
    Marks(PlaceArgs),
    /// Deletes an object
    Rm {
        /// The space
        space: String,
        /// The object
        id: String,
    },
    /// Lists objects, oldest first
    Ls {
        /// The space
        space: String,
        /// Only objects of this type
        #[arg(long = "type", value_name = "T")]
        type_name: Option<String>,
    },
    /// Lists the objects that a filter or query, in JSON, finds
    Query(QueryCommand),
    /// Counts, adds up or compares the objects that a query finds, whole or by groups
    Aggregate(AggregateCommand),
    /// Finds objects by the words in their texts, the best first
    Search(SearchCommand),
    /// Lists, makes and drops indexes, which make queries of a field fast
    Index {
        /// The space
        space: String,
        /// What to do
        #[command(subcommand)]
        command: IndexCommand,
    },
    /// Prints a text field, and edits it first when asked to
    Text {
        /// The space
        space: String,
        /// The object
        id: String,
        /// The field, or a JSON Pointer
        field: String,
        /// Puts this in
        #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
        insert: Option<String>,
        /// Where to edit, in code points from the start; without it, at the end
        #[arg(long, value_name = "N")]
        at: Option<u64>,
        /// Takes this many code points out
        #[arg(long, value_name = "N", requires = "at")]
        delete: Option<u64>,
    },
    /// Prints changes as they happen, one a line, until interrupted
    Watch {
        /// The space
        space: String,
        /// Only changes of objects that match
        #[arg(long, value_name = "FILTER-JSON")]
        filter: Option<String>,
        /// Prints what this filter or query finds, and then what changes in that list, with places
        /// in it
        #[arg(long, value_name = "QUERY-JSON", conflicts_with = "filter")]
        query: Option<String>,
        /// The shortest time between two batches of changes in the list, in milliseconds
        #[arg(long, value_name = "MS", requires = "query", default_value_t = 16)]
        interval: u32,
    },
    /// Tells why somebody may do something in a space, or may not: the operations that led to it
    Why {
        /// The space
        space: String,
        /// open, read, write, invite or administer
        action: String,
        /// The key of an identity or of a device; without it, this identity
        subject: Option<String>,
    },
    /// Prints a digest of all objects: equal digests mean equal objects and histories
    Digest {
        /// The space
        space: String,
    },
    /// Writes all objects as JSON lines, or the whole space with its history as an archive
    Export {
        /// The space
        space: String,
        /// What is written
        #[arg(long, value_enum, default_value_t = ExportFormat::Json)]
        format: ExportFormat,
        /// The file; without it, standard output (an archive needs one)
        file: Option<PathBuf>,
        #[arg(skip)]
        #[doc(hidden)]
        place: Option<PathBuf>,
    },
    /// Reads what `export` wrote as JSON lines, or plain JSON, JSON lines or CSV. A malformed file
    /// changes nothing. Archives are read by `space import`
    Import {
        /// The space
        space: String,
        /// The file; without it, standard input
        file: Option<PathBuf>,
        /// How plain data becomes objects.
        #[command(flatten)]
        plain: PlainImport,
        #[arg(skip)]
        #[doc(hidden)]
        place: Option<PathBuf>,
    },
    /// Schemas of a space's types, and what breaks them
    Schema {
        /// The space
        space: String,
        /// What to do
        #[command(subcommand)]
        command: SchemaCommand,
    },
    /// Checks an archive: that it is whole, and signed by members throughout. Takes no profile
    Verify {
        /// The file
        file: PathBuf,
    },
    /// One object as an Automerge file
    #[command(subcommand)]
    Object(ObjectCommand),
    /// Stores, fetches and collects blobs: larger values, named by their content
    #[command(subcommand)]
    Blob(BlobCommand),
    /// Tells how the profile, or a space, is connected
    Status {
        /// The space
        space: Option<String>,
    },
    /// Stays online until interrupted. Other commands on this profile go through it meanwhile
    Serve,
}

/// What may be done about branches.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchCommand {
    /// Makes a branch of an object and prints its id: it is read, edited and deleted like an object
    Add {
        /// The space
        space: String,
        /// The object
        id: String,
        /// The branch's name
        name: String,
    },
    /// Lists the branches of an object
    Ls {
        /// The space
        space: String,
        /// The object
        id: String,
    },
    /// Brings what was done to a branch into its original
    Merge {
        /// The space
        space: String,
        /// The branch's id
        branch: String,
    },
}

/// What may be done about spaces.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpaceCommand {
    /// Makes a space
    Create {
        /// Its name
        name: Option<String>,
    },
    /// Lists the spaces of this profile
    List,
    /// Prints a space's properties and members
    Info {
        /// The space
        space: String,
    },
    /// Checks what is stored of a space; fails if something is wrong
    Check(CheckArgs),
    /// Makes a space's file again from its entries
    Repair(RepairArgs),
    /// Brings in an archive that `export --format archive` wrote: a space that this profile's device
    /// is a member of
    Import {
        /// The file
        file: PathBuf,
        #[arg(skip)]
        #[doc(hidden)]
        place: Option<PathBuf>,
    },
    /// Deletes this profile's copy of a space; other members keep theirs
    Delete {
        /// The space
        space: String,
    },
}

impl Command {
    /// Whether it needs peers when it runs on its own.
    pub fn is_online(&self) -> bool {
        SyncWait::of(self).is_some()
            || matches!(
                self,
                Command::Identity(IdentityCommand::Recover { .. })
                    | Command::Device(_)
                    | Command::Invite(_)
                    | Command::Join { .. }
                    | Command::Watch { .. }
                    | Command::Blob(BlobCommand::Fetch { .. })
                    | Command::Serve
            )
    }

    /// Whether it goes on until the user ends it, or has something to tell others when the user
    /// does. Any other is simply ended by Ctrl-C.
    pub fn ends_on_request(&self) -> bool {
        SyncWait::before(self).is_some()
            || matches!(self, Command::Device(command) if command.waits())
            || matches!(
                self,
                Command::Invite(_)
                    | Command::Join { .. }
                    | Command::Watch { .. }
                    | Command::Blob(BlobCommand::Fetch { .. })
            )
    }

    /// Asks for what only the process at the terminal can; `passphrase` is the profile's, if it was
    /// given.
    pub fn fill(&mut self, passphrase: Option<&Secret>) -> Result<()> {
        match self {
            Command::Passphrase(command) => command.fill(passphrase),
            _ => Ok(()),
        }
    }

    /// Makes names of files mean the same in another process.
    pub fn absolute(mut self) -> Self {
        if let Command::Blob(command) = &mut self
            && let Some(file) = command.file_mut()
            && let Ok(absolute) = std::path::absolute(&*file)
        {
            *file = absolute;
        }
        self
    }

    /// The file whose bytes it reads, if not standard input.
    pub fn input_file(&self) -> Option<&PathBuf> {
        match self {
            Command::Import { file, .. } => file.as_ref(),
            Command::Object(ObjectCommand::Import { file, .. }) => file.as_ref(),
            _ => None,
        }
    }

    /// The file that its lines go to, if not standard output, and if the command does not write it
    /// itself.
    pub fn output_file(&self) -> Option<&PathBuf> {
        match self {
            Command::Export { file, place, .. } if place.is_none() => file.as_ref(),
            _ => None,
        }
    }

    /// Says where regular files are, for a process that may have another working directory. Pipes
    /// and devices stay with this one.
    pub fn find_files(&mut self) {
        let regular = |path: &PathBuf| {
            let special = std::fs::metadata(path).is_ok_and(|found| !found.is_file());
            std::path::absolute(path).ok().filter(|_| !special)
        };
        match self {
            Command::Export { file, place, .. } => *place = file.as_ref().and_then(regular),
            Command::Import { file, place, .. } => {
                *place = file.as_ref().filter(|f| f.is_file()).and_then(regular);
            }
            Command::Space(SpaceCommand::Import { file, place })
            | Command::Object(ObjectCommand::Export { file, place, .. }) => {
                *place = std::path::absolute(file).ok();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declaration_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn commands_cross_the_socket_unchanged() {
        for line in [
            vec!["echodb", "identity", "create", "--name", "Ann"],
            vec![
                "echodb", "text", "default", "x", "body", "--insert", "-", "--at", "3",
            ],
            vec!["echodb", "join", "code", "--auth-code", "123456"],
            vec!["echodb", "--json", "add", "default", "{}"],
            vec!["echodb", "set", "default", "x", "{}", "--json"],
            vec![
                "echodb",
                "schema",
                "default",
                "register",
                "T",
                "{}",
                "--version",
                "2",
            ],
            vec!["echodb", "schema", "default", "violations"],
            vec![
                "echodb",
                "watch",
                "default",
                "--query",
                "{}",
                "--interval",
                "5",
            ],
            vec!["echodb", "serve"],
            vec!["echodb", "query", "default", "{}", "--page", "2"],
            vec!["echodb", "query", "--space", "a", "--space", "b", "{}"],
            vec!["echodb", "change", "default", "[]"],
            vec!["echodb", "conflicts", "default", "x", "/a/0"],
            vec!["echodb", "search", "default", "a", "--skip", "3"],
            vec![
                "echodb", "import", "default", "a.csv", "--format", "csv", "--column", "a=text",
            ],
            vec!["echodb", "object", "export", "default", "x", "file"],
            vec!["echodb", "blob", "put", "default", "/a/file"],
            vec!["echodb", "blob", "fetch", "default", "x", "--timeout", "5"],
        ] {
            let command = Args::try_parse_from(line).unwrap().command;
            let text = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command);
        }
    }
}
