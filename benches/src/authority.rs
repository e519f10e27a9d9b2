//! The resolver: control entries into members, roles, devices and keys. Checking the entries'
//! signatures comes before it and is no part of this.

use crate::Setting;
use crate::result::{Outcome, Row, time};
use echodb::bench_internals::ControlHistory;
use std::hint::black_box;

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
