//! `cargo xtask test`: everything that has to hold, step by step, set up as far as needed.

mod command;
mod steps;

use crate::run::Outcome;
use std::path::Path;
use std::time::{Duration, Instant};

/// Failures of a step that the last lines name.
const NAMED: usize = 20;

/// How many tests of a step passed, failed, and were left out.
#[derive(Clone, Default)]
pub struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// The lines that named those that failed.
    failures: Vec<String>,
}

impl Count {
    const PASSED: Count = Count {
        passed: 1,
        failed: 0,
        skipped: 0,
        failures: Vec::new(),
    };
    const FAILED: Count = Count {
        passed: 0,
        failed: 1,
        skipped: 0,
        failures: Vec::new(),
    };

    fn add(&mut self, other: Count) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.failures.extend(other.failures);
    }
}

/// What came of a step.
pub enum Verdict {
    /// It ran; a failure without a failed test counts as one.
    Ran(Count),
    /// It ran but for a part, for the reason given.
    RanWithout(Count, String),
    /// It could not run here, for the reason given.
    Skipped(String),
}

/// A step: its name, what it does in a few words, and the doing.
pub struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> Outcome<Verdict>,
}

struct Row {
    name: &'static str,
    count: Count,
    time: Duration,
    note: String,
    /// Whether the whole step could not run.
    left_out: bool,
}

/// `cargo xtask test [--list] [--only STEP]…`.
pub fn main(root: &Path, arguments: &[String]) -> Outcome<()> {
    let mut only: Vec<&str> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.as_slice()) {
            ("--list", _) => {
                for step in steps::STEPS {
                    println!("{:<11} {}", step.name, step.about);
                }
                return Ok(());
            }
            ("--only", [name, ..]) => {
                only.push(name);
                rest.next();
            }
            _ => return Err("usage: cargo xtask test [--list] [--only STEP]…".into()),
        }
    }
    if let Some(unknown) = only
        .iter()
        .find(|name| !steps::STEPS.iter().any(|step| step.name == **name))
    {
        return Err(format!("there is no step {unknown:?}; see --list").into());
    }
    let rows: Vec<Row> = steps::STEPS
        .iter()
        .filter(|step| only.is_empty() || only.contains(&step.name))
        .map(|step| run(root, step))
        .collect();
    summarize(&rows)
}

fn run(root: &Path, step: &Step) -> Row {
    println!("\n=== {}: {}", step.name, step.about);
    let start = Instant::now();
    let verdict = (step.run)(root);
    let left_out = matches!(verdict, Ok(Verdict::Skipped(_)));
    let (count, note) = match verdict {
        Ok(Verdict::Ran(count)) => (count, String::new()),
        Ok(Verdict::RanWithout(count, why)) => (count, why),
        Ok(Verdict::Skipped(why)) => {
            let skipped = Count {
                skipped: 1,
                ..Count::default()
            };
            (skipped, why)
        }
        Err(error) => (Count::FAILED, error.to_string()),
    };
    match left_out {
        true => println!("SKIPPED: {note}"),
        false if !note.is_empty() => println!("{note}"),
        false => {}
    }
    Row {
        name: step.name,
        count,
        time: start.elapsed(),
        note,
        left_out,
    }
}

fn summarize(rows: &[Row]) -> Outcome<()> {
    print!("{}", summary(rows));
    match rows.iter().map(|row| row.count.failed).sum::<u64>() {
        0 => Ok(()),
        _ => Err("some tests failed".into()),
    }
}

/// A line for each step, the sums, what failed, and, last of all, what nobody should take for tested.
fn summary(rows: &[Row]) -> String {
    let mut all = Count::default();
    let mut lines = vec![
        String::new(),
        "step          passed  failed  skipped     time".to_owned(),
    ];
    for row in rows {
        let Count {
            passed,
            failed,
            skipped,
            ..
        } = row.count;
        let first = row.note.lines().next().unwrap_or_default();
        let line = format!(
            "{:<12} {passed:>7} {failed:>7} {skipped:>8} {:>7.1}s  {first}",
            row.name,
            row.time.as_secs_f64()
        );
        lines.push(line.trim_end().to_owned());
        all.add(row.count.clone());
    }
    lines.push(format!(
        "\n{} passed, {} failed, {} skipped",
        all.passed, all.failed, all.skipped
    ));
    for row in rows {
        let named = row.count.failures.iter().take(NAMED);
        lines.extend(named.map(|line| format!("FAILED {}: {line}", row.name)));
    }
    let left_out = rows.iter().filter(|row| row.left_out);
    lines.extend(left_out.map(|row| format!("SKIPPED {}: {}", row.name, row.note)));
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, count: Count, note: &str, left_out: bool) -> Row {
        Row {
            name,
            count,
            time: Duration::from_millis(1500),
            note: note.to_owned(),
            left_out,
        }
    }

    #[test]
    fn steps_that_could_not_run_are_named_in_the_last_lines() {
        let skipped = Count {
            skipped: 1,
            ..Count::default()
        };
        let broken = Count {
            failures: vec!["test two ... FAILED".into()],
            ..Count::FAILED
        };
        let rows = [
            row("swift", skipped, "there is no compiler", true),
            row("rust", Count::PASSED, "", false),
            row("c", broken, "it broke", false),
        ];
        let text = summary(&rows);
        let last: Vec<&str> = text.lines().rev().take(3).collect();
        assert_eq!(last[0], "SKIPPED swift: there is no compiler");
        assert_eq!(last[1], "FAILED c: test two ... FAILED");
        assert_eq!(last[2], "1 passed, 1 failed, 1 skipped");
        assert!(summarize(&rows).is_err());
        assert!(summary(&rows[1..2]).ends_with("skipped\n"));
    }
}
