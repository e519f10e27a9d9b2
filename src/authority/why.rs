//! Why somebody may do something here, or may not: the chain of operations, in words.

use super::deed::{Deed, Ground};
use super::denials::Target;
use super::resolution::Cause;
use super::resolver::Authority;
use crate::model::{DeviceKey, EntryId, Error, IdentityKey, Result, Role};
use std::collections::BTreeSet;

/// Members whose own admission is told after the subject's: who invited whom, up to the creator.
const HOSTS: usize = 16;
/// Steps of one member that are told: the newest.
const STEPS: usize = 64;

/// What somebody might do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take part at all: hold the space's entries and pass them on.
    Open,
    /// Read objects.
    Read,
    /// Write objects.
    Write,
    /// Open invitations.
    Invite,
    /// Give and take roles.
    Administer,
}

impl Action {
    /// From its name. Fails with `InvalidArgument` on any other.
    pub fn parse(name: &str) -> Result<Action> {
        let all = [
            Action::Open,
            Action::Read,
            Action::Write,
            Action::Invite,
            Action::Administer,
        ];
        let found = all.into_iter().find(|action| action.name() == name);
        found.ok_or_else(|| {
            Error::invalid(format!(
                "{name:?} is not an action: there are open, read, write, invite and administer"
            ))
        })
    }

    fn name(self) -> &'static str {
        match self {
            Action::Open => "open",
            Action::Read => "read",
            Action::Write => "write",
            Action::Invite => "invite",
            Action::Administer => "administer",
        }
    }

    fn needs(self) -> Role {
        match self {
            Action::Open => Role::Relay,
            Action::Read => Role::Reader,
            Action::Write => Role::Editor,
            Action::Invite | Action::Administer => Role::Admin,
        }
    }
}

/// An operation that led to what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The control entry.
    pub entry: EntryId,
    /// What it did, and if it does not count, why.
    pub text: String,
    /// Whether it counts.
    pub counts: bool,
}

/// Why somebody may do something, or may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether it may.
    pub allowed: bool,
    /// The answer in a sentence.
    pub summary: String,
    /// What led to it, in an order in which it can have happened.
    pub steps: Vec<Step>,
}

impl Authority {
    /// Whether some member ever had a device of this key.
    pub fn knows_device(&self, device: &DeviceKey) -> bool {
        self.facts.devices.contains_key(device)
    }

    /// Why an identity, or a device, may do something here or may not.
    pub fn why(&self, subject: &Target, action: Action) -> Explanation {
        let view = self.view(None);
        let mut entries = BTreeSet::new();
        let (role, fault) = match subject {
            Target::Identity(identity) => {
                self.steps_of(identity, &mut entries);
                let fault = match self.facts.roles.contains_key(identity) {
                    true => "it has no role in the space",
                    false => "it never joined the space",
                };
                (view.role(identity), fault)
            }
            Target::Device(device) => {
                let facts = self.facts.devices.get(device);
                let added = facts.into_iter().flat_map(|facts| facts.added.iter());
                for dated in added {
                    entries.insert(dated.at);
                    self.steps_of(&dated.fact.certificate.identity, &mut entries);
                }
                let revoked = facts.is_some_and(|f| f.revoked.iter().any(|at| view.sees(*at)));
                entries.extend(facts.into_iter().flat_map(|facts| facts.revoked.iter()));
                let fault = match (facts, view.identities_of(device).is_empty()) {
                    (None, _) => "no member has this device",
                    (Some(_), false) => "its identity has no role in the space",
                    (Some(_), true) if revoked => "it was revoked",
                    (Some(_), true) => "what admitted it does not count",
                };
                (view.role_of_device(device).map(|(_, role)| role), fault)
            }
        };
        let allowed = role >= Some(action.needs());
        let (name, takes) = (self.called(subject), action.needs().name());
        let summary = match role {
            None => format!("{name} may not {}: {fault}.", action.name()),
            Some(role) => {
                let may = if allowed { "may" } else { "may not" };
                let held = role.name();
                format!(
                    "{name} {may} {}: it acts as {held}, and that takes {takes}.",
                    action.name()
                )
            }
        };
        let mut steps: Vec<usize> = entries.into_iter().collect();
        steps.sort_by_key(|at| self.graph.age(*at));
        let steps = steps.into_iter().filter_map(|at| self.step(at)).collect();
        Explanation {
            allowed,
            summary,
            steps,
        }
    }

    /// What decided an identity's role, and who let it in and on what, up to the creator. What
    /// undid any of it is told too.
    fn steps_of(&self, identity: &IdentityKey, entries: &mut BTreeSet<usize>) {
        let mut hosts = vec![*identity];
        let mut told = BTreeSet::new();
        while let Some(identity) = hosts.pop() {
            if !told.insert(identity) || told.len() > HOSTS {
                continue;
            }
            let facts = self.facts.roles.get(&identity);
            let facts: Vec<usize> = facts
                .into_iter()
                .flat_map(|f| f.iter().map(|d| d.at))
                .collect();
            for at in facts.into_iter().rev().take(STEPS) {
                entries.insert(at);
                if let Some((node, deed)) = self.graph.deed(at) {
                    if let Ground::Invitation(key, _) = &deed.ground {
                        let opened = self.facts.invitations.get(key);
                        entries.extend(
                            opened
                                .iter()
                                .flat_map(|f| f.opened.iter().map(|(at, _)| *at)),
                        );
                        entries.extend(opened.iter().flat_map(|f| f.closed.iter()));
                    }
                    hosts.extend(self.inviter(&node.id).flatten());
                }
                let undone = self.graph.node(at).and_then(|node| self.undoing(&node.id));
                entries.extend(undone.and_then(|undone| self.graph.number(&undone.entry)));
            }
        }
    }

    fn step(&self, at: usize) -> Option<Step> {
        let (node, deed) = self.graph.deed(at)?;
        let counts = self.is_alive(at);
        let mut text = self.deed_in_words(at, deed);
        if !counts {
            text.push_str(", but that does not count: ");
            text.push_str(&self.fault_in_words(at));
        }
        text.push('.');
        Some(Step {
            entry: node.id,
            text,
            counts,
        })
    }

    fn deed_in_words(&self, at: usize, deed: &Deed) -> String {
        let author = self.called(&Target::Identity(deed.identity));
        let role = self.role_set_by(at);
        match (&deed.ground, &deed.denies) {
            (Ground::Invitation(key, role), _) => {
                let opened = self.facts.invitations.get(key);
                let first = opened.and_then(|facts| facts.opened.first());
                let host = first.and_then(|(at, _)| self.graph.deed(*at));
                let host = host.map_or("somebody".into(), |(_, deed)| {
                    self.called(&Target::Identity(deed.identity))
                });
                let role = role.name();
                format!("{author} joined as {role} by an invitation that {host} opened")
            }
            (_, Some((Target::Device(device), _))) => {
                let device = self.called(&Target::Device(*device));
                format!("{author} revoked {device}")
            }
            _ if deed.raises.is_some() => {
                let heir = deed.raises.map(Target::Identity);
                let heir = heir.map(|heir| self.called(&heir)).unwrap_or_default();
                format!("{author} made {heir} top owner")
            }
            (Ground::House | Ground::Recovery, _) => {
                let by = self.called(&Target::Device(deed.device));
                let added = self.device_added_by(at);
                let added = added.map(|device| self.called(&Target::Device(device)));
                match (added, &deed.ground) {
                    (_, Ground::Recovery) => {
                        format!("{by} came back for {author} by its recovery key")
                    }
                    (Some(added), _) => format!("{by} added {added} for {author}"),
                    (None, _) => format!("{by} tended to the devices of {author}"),
                }
            }
            _ => match role {
                Some((_, Some(Role::Owner))) if matches!(deed.ground, Ground::Nothing) => {
                    format!("{author} created the space")
                }
                Some((who, None)) if who == deed.identity => format!("{author} left"),
                Some((who, Some(role))) if who == deed.identity => {
                    format!("{author} stepped down to {}", role.name())
                }
                Some((who, role)) => {
                    let who = self.called(&Target::Identity(who));
                    match role {
                        None => format!("{author} removed {who}"),
                        Some(role) => format!("{author} gave {who} the role of {}", role.name()),
                    }
                }
                None => self.invitation_in_words(at, &author),
            },
        }
    }

    fn invitation_in_words(&self, at: usize, author: &str) -> String {
        let mut all = self.facts.invitations.values();
        let cap = all.find_map(|facts| facts.opened.iter().find(|(of, _)| *of == at));
        match cap {
            Some((_, cap)) => format!("{author} opened an invitation up to {}", cap.name()),
            None => format!("{author} closed that invitation"),
        }
    }

    fn fault_in_words(&self, at: usize) -> String {
        let dead = self.dead().clone();
        let by = |by: usize| {
            let deed = self
                .graph
                .deed(by)
                .map(|(_, deed)| self.deed_in_words(by, deed));
            format!("{} at the same time", deed.unwrap_or_default())
        };
        match dead.causes.get(&at) {
            Some(Cause::Denied(at) | Cause::Shielded(at) | Cause::Closed(at)) => by(*at),
            Some(Cause::Fallen) | None => match self.support_lost(at) {
                Some(lost) => {
                    let deed = self
                        .graph
                        .deed(lost)
                        .map(|(_, deed)| self.deed_in_words(lost, deed));
                    format!(
                        "it rested on this, which does not count: {}",
                        deed.unwrap_or_default()
                    )
                }
                None => "its author had no right to it".into(),
            },
        }
    }

    /// The role fact of an entry: whose, and which.
    pub(super) fn role_set_by(&self, at: usize) -> Option<(IdentityKey, Option<Role>)> {
        let (_, deed) = self.graph.deed(at)?;
        let of = |who: &IdentityKey| {
            let mut facts = self.facts.roles.get(who)?.iter();
            facts
                .find(|dated| dated.at == at)
                .map(|dated| (*who, dated.fact))
        };
        let likely = [deed.against, Some(deed.identity)].into_iter().flatten();
        likely
            .into_iter()
            .find_map(|who| of(&who))
            .or_else(|| self.facts.roles.keys().find_map(of))
    }

    fn device_added_by(&self, at: usize) -> Option<DeviceKey> {
        let mut devices = self.facts.devices.iter();
        devices
            .find(|(_, facts)| facts.added.iter().any(|dated| dated.at == at))
            .map(|(device, _)| *device)
    }

    /// A name, which anybody may take, with the beginning of the key, which nobody can choose.
    fn called(&self, who: &Target) -> String {
        let (name, key) = match who {
            Target::Identity(identity) => (self.display_name(identity), identity.to_string()),
            Target::Device(device) => {
                let facts = self.facts.devices.get(device);
                let last = facts.and_then(|facts| facts.added.iter().last());
                let name = last.map(|dated| dated.fact.certificate.name.clone());
                let name = name.filter(|name| !name.is_empty());
                (
                    name.map(|n| format!("the device {n}")).unwrap_or_default(),
                    device.to_string(),
                )
            }
        };
        let short = key.get(..8).unwrap_or(&key).to_owned();
        match (name.is_empty(), who) {
            (false, _) => format!("{name} ({short})"),
            (true, Target::Identity(_)) => short,
            (true, Target::Device(_)) => format!("the device {short}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::tests::{World, invite_op, join_op, set_role};
    use super::*;

    #[test]
    fn the_chain_from_the_creator_is_told_and_what_undid_it() {
        let (mut world, mut creator) = World::create(77);
        let mut mallory = world.member(&mut creator, 1, Role::Admin);
        let before = world.authority.heads();
        world.act(&mut mallory, invite_op(2, Role::Editor));
        let mut guest = world.peer();
        let join = join_op(world.space, &guest, 2, Role::Editor);
        assert_eq!(world.act(&mut guest, join), Verdict::Accepted);
        let subject = Target::Identity(guest.header.identity);
        let told = world.authority.why(&subject, Action::Write);
        assert!(
            told.allowed && told.summary.contains("it acts as editor"),
            "{told:?}"
        );
        let text: Vec<&str> = told.steps.iter().map(|step| step.text.as_str()).collect();
        assert!(
            text[0].starts_with("Ada (") && text[0].ends_with("created the space."),
            "{text:?}"
        );
        assert!(
            text.iter()
                .any(|t| t.contains("joined as admin by an invitation that Ada"))
        );
        assert!(text[text.len() - 1].contains("joined as editor by an invitation that Bob"));
        assert!(told.steps.iter().all(|step| step.counts));
        let device = Target::Device(guest.header.device);
        assert!(world.authority.why(&device, Action::Read).allowed);
        assert!(!world.authority.why(&device, Action::Administer).allowed);

        world.act_after(&mut creator, before, set_role(&mallory, None));
        let told = world.authority.why(&subject, Action::Read);
        assert!(
            !told.allowed && told.summary.contains("no role"),
            "{told:?}"
        );
        let join = told
            .steps
            .iter()
            .find(|s| s.text.contains("joined as editor"))
            .unwrap();
        assert!(
            !join.counts && join.text.contains("rested on this"),
            "{join:?}"
        );
        let opened = told
            .steps
            .iter()
            .find(|s| s.text.contains("up to editor"))
            .unwrap();
        assert!(opened.text.contains("removed Bob") && opened.text.contains("at the same time"));
        let stranger = Target::Identity(IdentityKey([9; 32]));
        let told = world.authority.why(&stranger, Action::Open);
        assert!(!told.allowed && told.steps.is_empty() && told.summary.contains("never joined"));
        assert!(Action::parse("fly").is_err());
        assert_eq!(Action::parse("write").unwrap(), Action::Write);
    }
}
