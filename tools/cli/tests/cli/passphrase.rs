//! Passphrases.

use crate::common::Profile;
use std::process::{Command, Output};

/// Runs with these variables set.
fn run(profile: &Profile, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command: Command = profile.command(arguments);
    command.env_remove("ECHODB_PASSPHRASE");
    command.envs(variables.iter().copied());
    command.output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn a_passphrase_is_set_changed_and_removed() {
    let profile = Profile::new("Ann");
    assert_eq!(profile.one(&["status"])["encryption"], "file_key");
    let one = ("ECHODB_PASSPHRASE", "one two three");
    let two = ("ECHODB_PASSPHRASE", "four five six");
    let new = |text| ("ECHODB_NEW_PASSPHRASE", text);
    let set = run(&profile, &["--json", "passphrase", "set"], &[new(one.1)]);
    assert_eq!(code(&set), 0, "{set:?}");
    let text = String::from_utf8(set.stdout).unwrap();
    assert!(text.contains(r#""encryption":"passphrase""#), "{text}");
    let get = ["--json", "identity", "show"];
    assert_eq!(code(&run(&profile, &get, &[one])), 0);
    let wrong = run(&profile, &get, &[two]);
    assert_eq!(code(&wrong), 4);
    let text = String::from_utf8(wrong.stderr).unwrap();
    assert!(text.contains("wrong_passphrase"), "{text}");
    assert!(!text.contains("four"), "{text}");
    let change = ["passphrase", "change"];
    assert_eq!(code(&run(&profile, &change, &[two, new("x")])), 4);
    assert_eq!(code(&run(&profile, &change, &[one, new(two.1)])), 0);
    assert_eq!(code(&run(&profile, &get, &[one])), 4);
    assert_eq!(code(&run(&profile, &get, &[two])), 0);
    assert_eq!(code(&run(&profile, &["passphrase", "remove"], &[two])), 0);
    assert_eq!(code(&run(&profile, &get, &[])), 0);
    assert_eq!(code(&run(&profile, &get, &[two])), 1, "it has none now");
}

/// A script hands it over without the environment, where children would find it.
#[test]
fn a_passphrase_comes_through_a_descriptor() {
    let profile = Profile::absent();
    let script = r#"exec "$0" "$@" --passphrase-fd 7 7<<END
one two three
END"#;
    let run = |arguments: &[&str]| {
        let command = profile.command(arguments);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(command.get_program());
        shell
            .args(command.get_args())
            .env_remove("ECHODB_PASSPHRASE");
        shell.output().unwrap()
    };
    let made = run(&["identity", "create", "--name", "Ann"]);
    assert_eq!(code(&made), 0, "{made:?}");
    assert_eq!(code(&run(&["space", "list"])), 0);
    let failure = profile.command(&["passphrase", "remove", "--passphrase-fd", "99"]);
    let mut failure = failure;
    assert_eq!(code(&failure.output().unwrap()), 6);
}
