//! What a running command talks to: the front process, directly or through the socket.

use crate::event::Event;
use crate::failure::Result;

/// Where a command's results go and its input comes from. Either the terminal of this process,
/// or that of the process at the other end of the socket.
pub trait Output {
    /// Prints one thing. Fails when nobody reads any more; the command should end then.
    fn emit(&mut self, event: Event) -> Result<()>;

    /// Everything of the command's input file, or of standard input. More than `limit` bytes
    /// are an error.
    fn read(&mut self, limit: usize) -> Result<Vec<u8>>;

    /// Asks for the authorization code. Does not wait: each line that the user enters arrives as
    /// [`crate::control::Note::Answer`].
    fn ask(&mut self, again: bool) -> Result<()>;
}
