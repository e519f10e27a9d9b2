//! How long it takes to let somebody in.

use crate::Setting;
use crate::bare;
use crate::create::open_online;
use crate::peers::PATIENCE;
use crate::result::{Outcome, Row, millis};
use crate::sync::Signal;
use echodb::{InvitationState, InviteOptions, JoinOptions};
use std::time::Instant;

/// `pair`: from the call that makes the invitation until both sides say that the guest is a member,
/// the code passing from one to the other at once.
pub fn measure(setting: &Setting) -> Outcome<Row> {
    let signal = Signal::start()?;
    let folder = tempfile::tempdir()?;
    let host = open_online(folder.path(), &signal.url)?;
    host.create_identity("Host".into())?;
    let space = host.create_space("{}".into())?;
    let runs = if setting.quick { 3 } else { 20 };
    let (mut values, mut bounds) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let fresh = tempfile::tempdir()?;
        let guest = open_online(fresh.path(), &signal.url)?;
        guest.create_identity("Guest".into())?;
        let start = Instant::now();
        let hosting = space.invite(InviteOptions::default())?;
        let joining = guest.join(hosting.code(), JoinOptions::default())?;
        for side in [&hosting, &joining] {
            let mut state = side.update().state;
            while state != InvitationState::ReadyForAuthentication {
                state = side.wait_change(state, Some(PATIENCE))?.state;
            }
        }
        let code = hosting.update().auth_code.ok_or("no code is shown")?;
        joining.authenticate(code)?;
        joining.wait(Some(PATIENCE))?;
        hosting.wait(Some(PATIENCE))?;
        values.push(millis(start.elapsed()));
        guest.shutdown()?;
        bounds.push(bare::set_up()?);
    }
    host.shutdown()?;
    Ok(Row::new(
        "pair",
        "ms",
        &values,
        "setting up a bare data channel, without signalling",
        &bounds,
    ))
}
