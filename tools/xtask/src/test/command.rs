//! Running test programs and counting what they report.

use super::Count;
use crate::run::Outcome;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Runs a program that either passes or fails.
pub fn check(command: &mut Command) -> Outcome<Count> {
    let status = command
        .status()
        .map_err(|e| format!("{}: {e}", command.get_program().to_string_lossy()))?;
    Ok(match status.success() {
        true => Count::PASSED,
        false => Count::FAILED,
    })
}

/// Runs a test program, showing what it prints, and counts its tests. One that fails without
/// naming a failed test, as when it does not compile, counts as one failure.
pub fn count(command: &mut Command) -> Outcome<Count> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", command.get_program().to_string_lossy()))?;
    let errors = child.stderr.take().ok_or("no error output")?;
    // Python's unittest reports on standard error.
    let reader = std::thread::spawn(move || tally(errors, |line| eprintln!("{line}")));
    let out = child.stdout.take().ok_or("no output")?;
    let mut sum = tally(out, |line| println!("{line}"));
    sum.add(reader.join().map_err(|_| "the reader of errors failed")?);
    if !child.wait()?.success() && sum.failed == 0 {
        sum.failed = 1;
    }
    Ok(sum)
}

fn tally(stream: impl std::io::Read, show: impl Fn(&str)) -> Count {
    let mut sum = Count::default();
    let mut python = 0;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        show(&line);
        sum.failures.extend(failure(&line).map(str::to_owned));
        if let Some(result) = line.strip_prefix("test result: ") {
            sum.add(rust_result(result));
        } else if let Some(result) = surefire_total(&line) {
            sum.add(surefire_result(result));
        } else if let Some(ran) = line.strip_prefix("Ran ") {
            python = number_before(ran, "test");
        } else if let Some(case) = line.strip_prefix("Test Case '") {
            sum.add(swift_result(case));
        } else if python > 0 && (line.starts_with("OK") || line.starts_with("FAILED")) {
            sum.add(python_result(python, &line));
            python = 0;
        }
    }
    sum
}

/// What names a test that failed, and says why where that is on the same line.
fn failure(line: &str) -> Option<&str> {
    let rust = line.starts_with("test ") && line.ends_with("FAILED");
    let python = line.starts_with("FAIL: ") || line.starts_with("ERROR: ");
    // Of each failure surefire repeats place and message at its end, indented.
    let surefire = line.starts_with("[ERROR]   ");
    let swift = line.contains(": error: ") && line.contains(" : XCT")
        || line.starts_with("Test Case '") && line.contains("' failed (");
    (rust || python || surefire || swift).then_some(line)
}

/// `ok. 3 passed; 0 failed; 1 ignored; …`.
fn rust_result(line: &str) -> Count {
    Count {
        passed: number_before(line, "passed"),
        failed: number_before(line, "failed"),
        skipped: number_before(line, "ignored"),
        ..Count::default()
    }
}

/// `OK (skipped=1)`, `FAILED (failures=1, errors=2, skipped=1)`.
fn python_result(ran: u64, line: &str) -> Count {
    let named = |name: &str| {
        line.split_once(&format!("{name}="))
            .and_then(|(_, rest)| rest.split([',', ')']).next()?.parse().ok())
            .unwrap_or(0)
    };
    let failed = named("failures") + named("errors");
    let skipped = named("skipped");
    Count {
        passed: ran.saturating_sub(failed + skipped),
        failed,
        skipped,
        ..Count::default()
    }
}

/// What Maven's surefire says of all tests together; it also has a line for each class, which ends
/// with the time it took.
fn surefire_total(line: &str) -> Option<&str> {
    let (level, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let known = ["INFO", "WARNING", "ERROR"].contains(&level);
    let total = known && rest.starts_with("Tests run: ") && !rest.contains("Time elapsed");
    total.then_some(rest)
}

/// `Tests run: 12, Failures: 1, Errors: 2, Skipped: 3`.
fn surefire_result(line: &str) -> Count {
    let named = |name: &str| {
        line.split_once(&format!("{name}: "))
            .and_then(|(_, rest)| rest.split(',').next()?.trim().parse().ok())
            .unwrap_or(0)
    };
    let failed = named("Failures") + named("Errors");
    let skipped = named("Skipped");
    Count {
        passed: u64::saturating_sub(named("Tests run"), failed + skipped),
        failed,
        skipped,
        ..Count::default()
    }
}

/// `Name.test' passed (0.1 seconds)`; nothing for the line that says when it started.
fn swift_result(case: &str) -> Count {
    let outcome = case.rsplit_once("' ").map_or("", |(_, rest)| rest);
    let is = |word: &str| u64::from(outcome.starts_with(word));
    Count {
        passed: is("passed ("),
        failed: is("failed ("),
        skipped: is("skipped ("),
        ..Count::default()
    }
}

/// The number that stands before a word.
fn number_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split_whitespace().collect();
    words
        .windows(2)
        .find(|pair| pair[1].starts_with(word))
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_rust_and_python_are_counted() {
        let text = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; finished\n\
                    Ran 10 tests in 1.0s\n\nFAILED (failures=1, errors=2, skipped=1)\n";
        let sum = tally(text.as_bytes(), |_| {});
        assert_eq!((sum.passed, sum.failed, sum.skipped), (9, 4, 3));
    }

    #[test]
    fn what_failed_is_named() {
        let named = [
            "test sync::tests::one ... FAILED",
            "FAIL: test_one (test_a.A.test_one)",
            "ERROR: test_two (test_a.A.test_two)",
            "[ERROR]   ATest.one:12 expected: <1> but was: <2>",
            "/a/B.swift:7: error: B.testOne : XCTAssertEqual failed: (1) is not equal to (2)",
            "Test Case 'B.testOne' failed (0.1 seconds)",
        ];
        let others = [
            "test sync::tests::two ... ok",
            "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured",
            "[ERROR] Failures: ",
            "Test Case 'B.testTwo' passed (0.1 seconds)",
            "error: could not compile",
        ];
        let text = [&named[..], &others].concat().join("\n");
        assert_eq!(tally(text.as_bytes(), |_| {}).failures, named);
    }

    #[test]
    fn a_report_of_surefire_is_counted_once() {
        let text = "[INFO] Tests run: 7, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1.0 s -- in A\n\
                    [ERROR] Tests run: 5, Failures: 1, Errors: 2, Skipped: 1, Time elapsed: 2 s <<< FAILURE! -- in B\n\
                    [ERROR] Tests run: 12, Failures: 1, Errors: 2, Skipped: 1\n";
        let sum = tally(text.as_bytes(), |_| {});
        assert_eq!((sum.passed, sum.failed, sum.skipped), (8, 3, 1));
    }

    #[test]
    fn reports_of_swift_are_counted() {
        let text = "Test Suite 'All tests' started at 2026-01-01 00:00:00.000\n\
                    Test Case 'A.testOne' started at 2026-01-01 00:00:00.000\n\
                    Test Case 'A.testOne' passed (0.5 seconds)\n\
                    Test Case 'A.testTwo' failed (1.5 seconds)\n\
                    Test Case '-[Module.A testThree]' passed (0.5 seconds).\n\
                    Test Case 'A.testFour' skipped (0.1 seconds)\n\
                    Test Suite 'All tests' failed at 2026-01-01 00:00:00.000\n\
                    \t Executed 4 tests, with 1 test skipped and 1 failure (0 unexpected)\n";
        let sum = tally(text.as_bytes(), |_| {});
        assert_eq!((sum.passed, sum.failed, sum.skipped), (2, 1, 1));
    }
}
