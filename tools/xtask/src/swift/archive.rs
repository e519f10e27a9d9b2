//! Which Debian archive this machine uses, by its own settings.

use crate::run::Outcome;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The address of the archive that apt takes this Debian's packages from.
pub fn mirror() -> Outcome<String> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let suite = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .ok_or("this system does not say which release it is")?;
    let mut sources = vec![Path::new("/etc/apt/sources.list").to_path_buf()];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        sources.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    sources.sort();
    sources
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|text| archive_of(&text, &suite))
        .ok_or_else(|| format!("apt knows no archive of Debian {suite}").into())
}

/// Whether the archive answers and has the release `suite`; `scratch` is a file to overwrite.
pub fn has(mirror: &str, suite: &str, scratch: &Path) -> bool {
    // apt's own program goes by the machine's settings of proxies and time limits.
    Command::new("/usr/lib/apt/apt-helper")
        .arg("download-file")
        .arg(format!("{mirror}/dists/{suite}/InRelease"))
        .arg(scratch)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The archive with the component `main` of a suite, in either format of apt's lists.
fn archive_of(text: &str, suite: &str) -> Option<String> {
    let lines = text.lines().filter_map(one_line);
    let stanzas = text.split("\n\n").filter_map(stanza);
    lines
        .chain(stanzas)
        .find(|entry| entry.suites.contains(&suite) && entry.components.contains(&"main"))
        .map(|entry| entry.address.trim_end_matches('/').to_owned())
}

struct Entry<'a> {
    address: &'a str,
    suites: Vec<&'a str>,
    components: Vec<&'a str>,
}

/// `deb [options] ADDRESS SUITE COMPONENT…`.
fn one_line(line: &str) -> Option<Entry<'_>> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    let mut words = rest.split_whitespace();
    Some(Entry {
        address: words.next()?,
        suites: vec![words.next()?],
        components: words.collect(),
    })
}

/// `Types: deb`, `URIs: …`, `Suites: …`, `Components: …`, each on a line.
fn stanza(text: &str) -> Option<Entry<'_>> {
    let field = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>())
    };
    field("Types")?.contains(&"deb").then_some(())?;
    Some(Entry {
        address: field("URIs")?.first()?,
        suites: field("Suites")?,
        components: field("Components")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_of_apts_lists_are_read() {
        let stanzas = "Types: deb\nURIs: http://outsider.example/apt\nSuites: nodistro\n\
                       Components: main\n\n\
                       Types: deb\n# a comment\nURIs: http://mirror.example/debian/\n\
                       Suites: bookworm bookworm-updates\nComponents: main contrib\n";
        let lines = "# deb http://old.example/debian bookworm main\n\
                     deb http://outsider.example tool-bookworm main\n\
                     deb [signed-by=/a.gpg arch=amd64] http://mirror.example/debian bookworm main\n";
        for text in [stanzas, lines] {
            assert_eq!(
                archive_of(text, "bookworm").as_deref(),
                Some("http://mirror.example/debian")
            );
            assert_eq!(archive_of(text, "trixie"), None);
        }
    }
}
