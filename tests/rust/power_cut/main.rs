//! The power goes at every write. A client works on a profile while all changes to its files are
//! recorded; then, for every point in the record, the files are laid out as a disk may hold them if
//! the power had gone there, and opened again. What was promised to be durable is there, nothing is
//! half there, and what is derived agrees with what it is derived from.
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod disk;
mod read_only;
mod verify;
mod vfs;
mod work;

use disk::{Disk, Image, Left, Random};
use echodb::EncryptionMode;
use echodb::model::ErrorKind;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use verify::Looked;
use work::{Run, Step};

/// Another seed leaves other sectors: `ECHODB_POWER_SEED`.
fn seed() -> u64 {
    let given = std::env::var("ECHODB_POWER_SEED");
    given.map_or(1, |text| text.parse().expect("the seed is a number"))
}

/// What may be there after a cut at event `n`: from the last step that was durable by then to the
/// last that had begun.
fn possible(steps: &[Step], n: usize) -> &[Step] {
    let first = steps.iter().rposition(|s| s.durable && s.done <= n);
    let end = steps.iter().position(|s| s.begun >= n.max(1));
    &steps[first.unwrap_or(0)..end.unwrap_or(steps.len()).max(first.unwrap_or(0) + 1)]
}

fn key(image: &Image) -> u64 {
    let mut hasher = DefaultHasher::new();
    image.hash(&mut hasher);
    hasher.finish()
}

/// What is left of what was not synced, after a cut at event `n`: nothing, and one more or, with
/// `ECHODB_POWER_ALL`, both others.
fn variants(n: usize) -> &'static [Left] {
    let all = &[Left::Nothing, Left::Sectors, Left::Torn];
    match (std::env::var_os("ECHODB_POWER_ALL"), n / SHARES % 2) {
        (Some(_), _) => all,
        (None, 0) => &all[..2],
        (None, _) => &[Left::Nothing, Left::Torn],
    }
}

/// How many threads look at images.
const SHARES: usize = 2;

/// Opens what cuts of the power leave, at every event of one share; returns how many images.
fn cut_everywhere(run: &Run, seed: u64, share: usize) -> usize {
    let events = run.recorder.events();
    let mut disk = Disk::default();
    let mut seen = BTreeSet::new();
    let mut opened = 0;
    for n in 0..=events.len() {
        if n > 0 {
            disk.take(&events[n - 1]);
        }
        if n % SHARES != share {
            continue;
        }
        let steps = possible(&run.steps, n);
        for &left in variants(n) {
            let mut random = Random(seed.wrapping_mul(1_000_003).wrapping_add(n as u64));
            let image = disk.image(left, &mut random);
            // Between two syncs the same is left again and again, for the same to be expected.
            let expected = steps.as_ptr_range();
            if !seen.insert((key(&image), expected.start, expected.end)) {
                continue;
            }
            let what = format!(
                "seed {seed}, cut after event {n} of {}, {left:?} left of what was not synced, after the step {:?}",
                events.len(),
                steps[0].name
            );
            let thorough = opened % 8 == 0;
            Looked::at(&image, run, &what, thorough).agrees_with_one_of(run, steps);
            opened += 1;
        }
    }
    opened
}

#[test]
fn a_cut_at_any_write_loses_nothing_that_was_flushed() {
    cut(EncryptionMode::Auto);
}

#[test]
fn neither_does_it_without_encryption() {
    cut(EncryptionMode::Off);
}

fn cut(encryption: EncryptionMode) {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), usize::MAX, encryption);
    run.work().unwrap();
    run.stop();
    let seed = seed();
    let started = std::time::Instant::now();
    let opened: usize = std::thread::scope(|scope| {
        let run = &run;
        let shares: [usize; SHARES] = std::array::from_fn(|share| share);
        let shares = shares.map(|share| scope.spawn(move || cut_everywhere(run, seed, share)));
        shares.map(|share| share.join().unwrap()).iter().sum()
    });
    let events = run.recorder.count();
    eprintln!(
        "seed {seed}: {events} events in {} steps, {opened} images, {:?}",
        run.steps.len(),
        started.elapsed()
    );
    assert!(events > 100 && opened > events / 2, "the record is whole");
}

/// The program lives on while its disk is gone: every call fails, none is acknowledged that is not
/// on the disk.
#[test]
fn a_program_that_outlives_its_disk_promises_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), usize::MAX, EncryptionMode::Auto);
    run.work().unwrap();
    // Before it is closed: closing moves the logs into the files, long after the last call.
    let all = run.recorder.count();
    run.stop();
    let seed = seed();
    let mut random = Random(seed);
    for round in 0..12 {
        let end = random.below(all as u64 * 9 / 10) as usize;
        let dir = tempfile::tempdir().unwrap();
        let mut run = Run::start(dir.path(), end, EncryptionMode::Auto);
        let result = run.work();
        run.stop();
        let error = result.expect_err("the disk is gone");
        let what = format!("seed {seed}, round {round}, the disk gone after event {end}: {error}");
        // A space that the disk kept from being opened with the client is not open to later calls.
        let expected = [ErrorKind::Storage, ErrorKind::InvalidState];
        assert!(expected.contains(&error.kind()), "{what}");
        let mut disk = Disk::default();
        run.recorder
            .events()
            .iter()
            .for_each(|event| disk.take(event));
        for left in [Left::Nothing, Left::Sectors, Left::Torn] {
            let image = disk.image(left, &mut random);
            Looked::at(&image, &run, &what, true).has_what_was_durable(&run);
        }
    }
}
