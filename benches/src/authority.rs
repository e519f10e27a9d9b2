//! What a peer does with entries before anything comes of them: checking and opening one, and the
//! resolver, which makes members, roles, devices and keys of control entries whose signatures were
//! checked before.

use crate::Setting;
use crate::result::{Outcome, Row, time};
use echodb::bench_internals::{ControlHistory, EntryCheck};
use std::hint::black_box;

/// Bytes of text in the entry of `verify_entry`.
const TEXT: usize = 1000;
/// Times in one run: one alone takes as little as looking at the clock does twice.
const TIMES: u32 = 100;

/// `verify_entry`.
pub fn verify(setting: &Setting) -> Outcome<Row> {
    let runs = if setting.quick { 5 } else { 101 };
    let mut entry = EntryCheck::new(TEXT)?;
    let (mut all, mut bare) = (Vec::new(), Vec::new());
    let each = |millis: f64| millis * 1000.0 / f64::from(TIMES);
    for _ in 0..runs {
        let checked = time(|| {
            for _ in 0..TIMES {
                black_box(entry.check()?);
            }
            Ok(())
        })?;
        let opened = time(|| {
            for _ in 0..TIMES {
                black_box(entry.bare()?);
            }
            Ok(())
        })?;
        all.push(each(checked.1));
        bare.push(each(opened.1));
    }
    let bound = "ring's Ed25519, SHA-256, HKDF and ChaCha20-Poly1305 on the same bytes";
    Ok(Row::new("verify_entry", "µs", &all, bound, &bare))
}

/// `resolve_10k` and `resolve_backdated`.
pub fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let (len, runs) = match setting.quick {
        true => (1000, 5),
        false => (10_000, 31),
    };
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let history = ControlHistory::new(len, &mut |to| {
        to.fill_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        });
    });
    let (mut all, mut late, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let (mut resolved, took) = time(|| Ok(history.resolve()))?;
        all.push(took);
        let disturb = || {
            history.disturb(&mut resolved);
            Ok(())
        };
        late.push(time(disturb)?.1);
        hashes.push(time(|| Ok(black_box(history.hash())))?.1);
    }
    let bound = "SHA-256 of the same entries";
    Ok(vec![
        Row::new("resolve_10k", "ms", &all, bound, &hashes),
        Row::new("resolve_backdated", "ms", &late, bound, &hashes),
    ])
}
