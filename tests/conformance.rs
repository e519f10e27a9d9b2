//! Four languages, one database: processes in C, Python, Kotlin and Swift, each with its own
//! profile, join one space by invitation, write and type at the same time, part, write again, meet
//! again, and end identical; then one is killed in the middle of a transaction and returns. The
//! programs in `tests/conformance` do the same on the same commands; each counts text positions in
//! its own unit.
#![cfg(target_os = "linux")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up: slow machines included.
const PATIENCE: Duration = Duration::from_secs(120);

/// Objects that each side makes, at each of the two occasions.
const OBJECTS: usize = 50;

/// Edits that each side types, at each of the two occasions.
const EDITS: usize = 150;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the scenario is played with: how to start each peer, and the signalling server.
struct Workshop {
    peers: Vec<(Language, Vec<String>)>,
    signal: PathBuf,
}

/// Builds everything from the sources as they are, once: a stale package would prove nothing.
fn workshop() -> &'static Workshop {
    static WORKSHOP: OnceLock<Workshop> = OnceLock::new();
    WORKSHOP.get_or_init(|| {
        // The library and the signalling server are built on the way.
        let python = xtask(&["python", "environment"]).pop();
        let built = root().join("target/debug");
        let c = compile(&built.join("libechodb.so"));
        let mut peers = vec![(Language::C, vec![c.display().to_string()])];
        // -I keeps the sources out of the import path: the wheel is what counts.
        let mut command = vec![python.expect("the interpreter's path")];
        command.extend(["-I", "-X", "dev"].map(str::to_owned));
        command.push(
            root()
                .join("tests/conformance/peer.py")
                .display()
                .to_string(),
        );
        peers.push((Language::Python, command));
        for (language, name) in [(Language::Kotlin, "kotlin"), (Language::Swift, "swift")] {
            if !left_out(name) {
                peers.push((language, command_of(&xtask(&[name, "peer"]))));
            }
        }
        Workshop {
            peers,
            signal: built.join("echodb-signal"),
        }
    })
}

/// Whether this machine cannot have a language: who runs the tests has to say so.
fn left_out(name: &str) -> bool {
    let names = std::env::var("ECHODB_WITHOUT").unwrap_or_default();
    names.split(',').any(|each| each == name)
}

/// Runs one of the project's chores; returns what it printed, by lines.
fn xtask(words: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO"));
    // What cargo told this test about its package would make build scripts run again, and with them
    // the compilation of most dependencies.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_package = text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_");
        if of_package || text == "OUT_DIR" {
            command.env_remove(&name);
        }
    }
    let printed = run(command.current_dir(root()).arg("xtask").args(words));
    printed.lines().map(str::to_owned).collect()
}

/// The words after the line `command:`, one a line.
fn command_of(printed: &[String]) -> Vec<String> {
    let at = printed.iter().rposition(|line| line == "command:");
    let at = at.expect("the chore prints the command that starts the peer");
    printed[at + 1..].to_vec()
}

/// Compiles the peer in C and links it with the library that the wheel was made from.
fn compile(library: &Path) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for name in ["libechodb.so", "libechodb.so.0"] {
        std::os::unix::fs::symlink(library, folder.join(name)).unwrap();
    }
    let program = folder.join("peer");
    run(Command::new("gcc")
        .current_dir(root())
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g"])
        .args(["-Iinclude", "-Itests/c", "tests/conformance/peer.c", "-o"])
        .arg(&program)
        .arg(format!("-L{}", folder.display()))
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .arg("-lechodb"));
    program
}

/// A child process that is spoken with line by line, and killed with the value.
struct Talk {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
}

impl Talk {
    fn start(command: &mut Command) -> Talk {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Talk {
            child,
            stdin,
            lines,
        }
    }

    fn line(&self) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        line.expect("the process lives and answers in time")
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `echodb-signal`.
fn signal() -> (Talk, String) {
    let talk = Talk::start(Command::new(&workshop().signal).args(["--listen", "127.0.0.1:0"]));
    let line = talk.line();
    let url = line.strip_prefix("listening on ").expect("an address");
    let url = url.to_owned();
    (talk, url)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Language {
    C,
    Python,
    Kotlin,
    Swift,
}

impl Language {
    fn command(self) -> Command {
        let peers = &workshop().peers;
        let known = peers.iter().find(|(language, _)| *language == self);
        let (_, words) = known.expect("only languages that are here are asked for");
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// The length of a text in the unit that this language counts positions in.
    fn length(self, text: &str) -> usize {
        match self {
            Language::C => text.len(),
            Language::Python => text.chars().count(),
            Language::Kotlin | Language::Swift => text.encode_utf16().count(),
        }
    }
}

/// One of the programs, at work on its profile.
struct Peer {
    language: Language,
    talk: Talk,
}

impl Peer {
    /// Starts the program on the profile in `folder`, which is made if absent.
    fn open(language: Language, folder: &Path, url: &str) -> (Peer, Value) {
        let mut peer = Peer {
            language,
            talk: Talk::start(&mut language.command()),
        };
        let profile = folder.join(format!("{language:?}"));
        let identity = peer.ask(&format!("open {} {url} {language:?}", profile.display()));
        assert_eq!(identity, peer.ask("identity"));
        assert_eq!(
            identity["identity"]["display_name"],
            format!("{language:?}")
        );
        (peer, identity)
    }

    /// Gives a command without waiting for the answer.
    fn tell(&mut self, command: &str) {
        writeln!(self.talk.stdin, "{command}").unwrap();
        self.talk.stdin.flush().unwrap();
    }

    fn answer(&mut self) -> Value {
        let line = self.talk.line();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{:?}: {e}: {line}", self.language))
    }

    fn ask(&mut self, command: &str) -> Value {
        self.tell(command);
        self.answer()
    }

    /// The string under `key` in the answer.
    fn string(&mut self, command: &str, key: &str) -> String {
        let answer = self.ask(command);
        let value = answer[key].as_str();
        value
            .unwrap_or_else(|| panic!("{command}: {answer}"))
            .to_owned()
    }

    /// Whether it sees `others` peers, all of which confirm that nothing is missing on either side.
    fn in_sync(&mut self, others: usize) -> bool {
        let status = self.ask("status")["status"].take();
        for waiting in ["quarantined", "waiting_for_key", "waiting_for_dependency"] {
            if status[waiting] != 0 {
                return false;
            }
        }
        let peers = status["peers"].as_array().unwrap();
        peers.len() == others && peers.iter().all(|peer| peer["in_sync"] == true)
    }

    /// The text, whose length the program counts as its language does.
    fn text(&mut self, id: &str) -> String {
        let answer = self.ask(&format!("text {id}"));
        let text = answer["text"].as_str().unwrap().to_owned();
        assert_eq!(answer["length"], self.language.length(&text));
        text
    }

    /// What the space holds, an object a line after the header.
    fn export(&mut self) -> Vec<String> {
        let export = self.string("export", "export");
        export.lines().map(str::to_owned).collect()
    }

    /// The members in an order of their own, each as one string.
    fn members(&mut self) -> Vec<String> {
        let answer = self.ask("members");
        let list = answer["members"].as_array().unwrap();
        let name = |member: &Value| {
            let of = |key: &str| member[key].to_string();
            ["identity", "display_name", "role", "devices"]
                .map(of)
                .join(" ")
        };
        let mut names: Vec<String> = list.iter().map(name).collect();
        names.sort();
        names
    }

    /// How many objects each transaction of `hammer` left.
    fn bursts(&mut self) -> BTreeMap<String, usize> {
        let mut bursts = BTreeMap::new();
        for line in &self.export()[1..] {
            let object: Value = serde_json::from_str(line).unwrap();
            if object["type"] == "Burst" {
                let batch = object["fields"]["batch"].to_string();
                *bursts.entry(batch).or_default() += 1;
            }
        }
        bursts
    }

    /// Kills the program as it stands; returns how many lines it had still said.
    fn kill(mut self) -> usize {
        self.talk.child.kill().unwrap();
        self.talk.child.wait().unwrap();
        self.talk.lines.iter().count()
    }

    /// Closes the profile; the program ends well.
    fn quit(mut self) {
        self.ask("quit");
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.talk.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "the program does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{:?}: {status}", self.language);
    }
}

/// Waits until all have the same digest and each says that it is in step with all others.
fn converge(peers: &mut [Peer]) -> String {
    let start = Instant::now();
    let others = peers.len() - 1;
    loop {
        let digest = peers[0].string("digest", "digest");
        let mut agree = true;
        for peer in peers.iter_mut() {
            agree = agree && peer.string("digest", "digest") == digest && peer.in_sync(others);
        }
        if agree {
            assert_eq!(digest.len(), 64);
            return digest;
        }
        if start.elapsed() > PATIENCE {
            for peer in peers {
                let status = peer.ask("status");
                eprintln!("{:?}: {status}", peer.language);
            }
            panic!("no agreement");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The first makes a space and lets the others in, one after the other. Returns the space's id.
fn gather(peers: &mut [Peer]) -> String {
    let (host, guests) = peers.split_first_mut().unwrap();
    let space = host.string("create_space", "space");
    for guest in guests {
        let code = host.string("invite", "code");
        // Each waits for the other.
        guest.tell(&format!("join {code}"));
        let auth = host.string("auth_code", "auth_code");
        assert!(auth.len() == 6 && auth.bytes().all(|b| b.is_ascii_digit()));
        guest.answer();
        guest.ask(&format!("auth {auth}"));
        for peer in [&mut *host, &mut *guest] {
            assert_eq!(peer.string("joined", "space"), space);
        }
        assert_eq!(guest.string(&format!("use {space}"), "space"), space);
    }
    space
}

/// All make objects and type into one text, at the same time. Returns how often each saw another's
/// typing between two edits of its own.
fn write_at_once(peers: &mut [Peer], text: &str, seed: u32) -> Vec<u64> {
    for peer in peers.iter_mut() {
        peer.tell(&format!("type {text} {} {seed}", EDITS / 2));
        peer.tell(&format!("create {OBJECTS}"));
        peer.tell(&format!("type {text} {} {}", EDITS / 2, seed + 1));
    }
    let answers = peers.iter_mut().map(|peer| {
        let (first, created, second) = (peer.answer(), peer.answer(), peer.answer());
        assert_eq!(created["created"], OBJECTS);
        eprintln!("{:?}: {first} {second}", peer.language);
        let seen = |typed: &Value| typed["interrupted"].as_u64().unwrap();
        seen(&first) + seen(&second)
    });
    answers.collect()
}

/// The same place, found in the units of each: one inserts there what the next removes.
fn point_at_one_place(peers: &mut [Peer], id: &str) {
    const MARK: &str = "\u{27e6}\u{1f3af}\u{27e7}";
    let before = peers[0].text(id);
    let places: Vec<usize> = before.char_indices().map(|(at, _)| at).collect();
    let places = [0, places.len() / 3, places.len() / 2, places.len() - 1].map(|n| places[n]);
    for (number, place) in places.into_iter().enumerate() {
        let (left, right) = before.split_at(place);
        let first = number % peers.len();
        let second = (number + 1) % peers.len();
        let position = peers[first].language.length(left);
        peers[first].ask(&format!("splice {id} {position} 0 {MARK}"));
        converge(peers);
        assert_eq!(peers[second].text(id), format!("{left}{MARK}{right}"));
        let position = peers[second].language.length(left);
        let length = peers[second].language.length(MARK);
        peers[second].ask(&format!("splice {id} {position} {length}"));
        converge(peers);
        assert_eq!(peers[first].text(id), before);
    }
}

/// Beyond the digest: everything that any can say about the space is the same.
fn compare(peers: &mut [Peer], id: &str, objects: usize) {
    let text = peers[0].text(id);
    let lines = peers[0].export();
    let members = peers[0].members();
    // A header, and an object a line.
    assert_eq!(lines.len(), objects + 1);
    assert_eq!(members.len(), peers.len());
    for peer in peers {
        assert_eq!(peer.text(id), text);
        assert_eq!(peer.ask("status")["status"]["objects"], objects);
        assert_eq!(peer.export(), lines);
        assert_eq!(peer.members(), members);
    }
}

/// All go offline, write what the others do not see, and come back.
fn part_and_meet(peers: &mut [Peer], text: &str) {
    let common = converge(peers);
    for peer in peers.iter_mut() {
        peer.ask("offline");
        assert!(peer.in_sync(0), "nobody is connected");
    }
    let seen = write_at_once(peers, text, 7);
    assert!(seen.iter().all(|&n| n == 0), "something came through");
    let mut versions = vec![(common, String::new())];
    for peer in peers.iter_mut() {
        let mine = (peer.string("digest", "digest"), peer.text(text));
        assert!(
            versions
                .iter()
                .all(|(digest, text)| *digest != mine.0 && *text != mine.1)
        );
        versions.push(mine);
    }
    for peer in peers {
        peer.ask("online");
    }
}

/// The last is killed while it commits transactions of ten objects, and comes back: what it was told
/// is stored is there, nothing is there by halves, and all agree.
fn kill_and_return(peers: &mut Vec<Peer>, folder: &Path, url: &str, space: &str) {
    const BURST: usize = 10;
    let mut acknowledged = 0;
    for delay in [0, 3, 11] {
        let mut victim = peers.pop().expect("there is somebody");
        let language = victim.language;
        victim.tell("hammer 1000000");
        for _ in 0..20 {
            victim.answer();
            acknowledged += 1;
        }
        std::thread::sleep(Duration::from_millis(delay));
        acknowledged += victim.kill();
        let (mut victim, _) = Peer::open(language, folder, url);
        victim.ask(&format!("use {space}"));
        peers.push(victim);
        converge(peers);
    }
    for peer in peers {
        // Each run counts its batches from the first on.
        let bursts = peer.bursts();
        let whole = bursts.values().all(|n| n % BURST == 0);
        assert!(whole, "{:?}: {bursts:?}", peer.language);
        // A killed program may have stored one more than it could tell, each time.
        let stored = bursts.values().sum::<usize>() / BURST;
        assert!(
            (acknowledged..=acknowledged + 3).contains(&stored),
            "{stored} of {acknowledged}"
        );
    }
}

/// The whole story.
fn scenario(languages: &[Language]) {
    let here = |language: &&Language| workshop().peers.iter().any(|(known, _)| known == *language);
    let languages: Vec<Language> = languages.iter().filter(here).copied().collect();
    let (_server, url) = signal();
    let folder = tempfile::tempdir().unwrap();
    let open = |language: &Language| Peer::open(*language, folder.path(), &url);
    let (mut peers, identities): (Vec<Peer>, Vec<Value>) = languages.iter().map(open).unzip();
    let space = gather(&mut peers);
    let text = peers[0].string("create_text", "id");
    converge(&mut peers);
    let count = peers.len();

    let seen = write_at_once(&mut peers, &text, 1);
    assert!(seen.iter().all(|&n| n > 0), "they typed in turn: {seen:?}");
    converge(&mut peers);
    compare(&mut peers, &text, count * OBJECTS + 1);

    part_and_meet(&mut peers, &text);
    converge(&mut peers);
    compare(&mut peers, &text, 2 * count * OBJECTS + 1);
    point_at_one_place(&mut peers, &text);

    let digest = converge(&mut peers);
    let last = peers[0].text(&text);
    peers.into_iter().for_each(Peer::quit);
    let (mut peers, same): (Vec<Peer>, Vec<Value>) = languages.iter().map(open).unzip();
    assert_eq!(same, identities);
    for peer in &mut peers {
        peer.ask(&format!("use {space}"));
        assert_eq!(peer.string("digest", "digest"), digest);
        assert_eq!(peer.text(&text), last);
    }
    assert_eq!(converge(&mut peers), digest);
    compare(&mut peers, &text, 2 * count * OBJECTS + 1);
    kill_and_return(&mut peers, folder.path(), &url, &space);
    peers.into_iter().for_each(Peer::quit);
}

// Each language hosts once, and each is killed once: the last.

#[test]
fn c_hosts_and_swift_is_killed() {
    scenario(&[
        Language::C,
        Language::Python,
        Language::Kotlin,
        Language::Swift,
    ]);
}

#[test]
fn python_hosts_and_c_is_killed() {
    scenario(&[
        Language::Python,
        Language::Kotlin,
        Language::Swift,
        Language::C,
    ]);
}

#[test]
fn kotlin_hosts_and_python_is_killed() {
    scenario(&[
        Language::Kotlin,
        Language::Swift,
        Language::C,
        Language::Python,
    ]);
}

#[test]
fn swift_hosts_and_kotlin_is_killed() {
    scenario(&[
        Language::Swift,
        Language::C,
        Language::Python,
        Language::Kotlin,
    ]);
}
