use super::*;
use automerge::transaction::Transactable;

/// A small generator of repeatable pseudo-random numbers (xorshift).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

const ALPHABET: [&str; 6] = ["a", "é", "漢", "😀", "\r\n", "e\u{301}"];

#[test]
fn all_units_agree_with_a_plain_string() {
    for unit in [TextUnit::Utf8, TextUnit::Utf16, TextUnit::CodePoint] {
        let (mut d, mut all) = document(1, r#"{"t":{"@text":""},"u":{"@text":"other"}}"#);
        let mut model: Vec<char> = Vec::new();
        let mut random = Random(0x9e37_79b9);
        for round in 0..600 {
            let from = random.below(model.len() + 1);
            let to = from + random.below((model.len() - from).min(4) + 1);
            let insert: String = (0..random.below(4))
                .map(|_| ALPHABET[random.below(ALPHABET.len())])
                .collect();
            let text: String = model.iter().collect();
            let at = |point: usize| unit.len(&text.chars().take(point).collect::<String>());
            let (start, end) = (at(from), at(to));
            let edit = splice_in(unit, "/t", start, end - start, &insert);
            match random.below(4) {
                0 => d.apply(&edit).unwrap(),
                _ => d.gather(&edit).unwrap(),
            }
            model.splice(from..to, insert.chars());
            if round % 7 == 0 {
                // Leaves the cache for another text, and comes back.
                d.apply(&splice("/u", 0, 1, "o")).unwrap();
            }
            if round % 50 == 0 {
                all.extend(d.commit(1, None).unwrap());
            }
            if round % 90 == 0 {
                // Someone else types too; the mirror must notice.
                let mut other = copy(2, &all);
                d.rollback();
                model = d.text(&path("t")).unwrap().chars().collect();
                let changes = {
                    let mut o = Document::load([round as u8 + 3; 16], None, &all).unwrap();
                    change(&mut o, &[splice("/t", 0, 0, "😀é")])
                };
                other.apply_remote(&changes).unwrap();
                d.apply_remote(&changes).unwrap();
                all.extend(changes);
                model.splice(0..0, "😀é".chars());
                same(&mut d, &mut other);
            }
        }
        let text: String = model.iter().collect();
        assert_eq!(d.text(&path("t")).unwrap(), text);
        all.extend(d.commit(1, None).unwrap());
        same(&mut d, &mut copy(9, &all));
    }
}

#[test]
fn edits_of_one_stretch_become_one() {
    let (mut d, _) = document(1, r#"{"t":{"@text":"0123456789"}}"#);
    let mut random = Random(7);
    let mut model: Vec<char> = "0123456789".chars().collect();
    for round in 1..=4000 {
        let from = random.below(model.len() + 1);
        let to = from + random.below((model.len() - from).min(3) + 1);
        let insert = &"xyz"[..random.below(4)];
        d.gather(&splice("/t", from, to - from, insert)).unwrap();
        model.splice(from..to, insert.chars());
        model.truncate(40);
        let length = d.text.as_ref().expect("a text").length();
        if length > 40 {
            d.gather(&splice("/t", 40, length - 40, "")).unwrap();
        }
        if round % 5 == 0 {
            d.settle().unwrap();
        }
        if round % 20 == 0 {
            let text: String = model.iter().collect();
            assert_eq!(d.text(&path("t")).unwrap(), text, "{round}");
        }
        if round % 100 == 0 {
            d.commit(1, None).unwrap();
        }
    }
    let (mut d, _) = document(1, r#"{"t":{"@text":"Helo"}}"#);
    for (at, delete, insert) in [
        (2, 0, "m"),
        (2, 1, ""),
        (2, 0, "l"),
        (4, 0, "!"),
        (3, 0, "l"),
    ] {
        d.gather(&splice("/t", at, delete, insert)).unwrap();
    }
    assert!(d.gather(&splice("/t", 9, 0, "x")).is_err());
    assert!(d.is_open());
    d.settle().unwrap();
    assert_eq!(d.text(&path("t")).unwrap(), "Helll!o");
    // What was typed and taken back at once leaves no trace.
    assert_eq!(d.am.pending_ops(), 3);
}

#[test]
fn positions_inside_characters_and_past_the_end_are_named() {
    let (mut d, _) = document(1, r#"{"t":{"@text":"a😀b"}}"#);
    let mut says = |unit, position, delete, words: &str| {
        let e = d
            .apply(&splice_in(unit, "/t", position, delete, "x"))
            .unwrap_err();
        assert!(e.detail().contains(words), "{e}");
        d.rollback();
    };
    says(
        TextUnit::Utf8,
        3,
        0,
        "position 3 in UTF-8 bytes lies inside a character",
    );
    says(
        TextUnit::Utf8,
        1,
        2,
        "position 3 in UTF-8 bytes lies inside a character",
    );
    says(
        TextUnit::Utf16,
        2,
        0,
        "position 2 in UTF-16 code units lies inside a character",
    );
    says(
        TextUnit::Utf8,
        7,
        0,
        "past the end: the text has 6 UTF-8 bytes",
    );
    says(
        TextUnit::Utf16,
        5,
        0,
        "past the end: the text has 4 UTF-16 code units",
    );
    says(TextUnit::Utf16, 3, 2, "deleting 2 from position 3");
    d.apply(&splice_in(TextUnit::Utf16, "/t", 3, 1, "é"))
        .unwrap();
    d.apply(&splice_in(TextUnit::Utf8, "/t", 5, 2, "")).unwrap();
    assert_eq!(d.text(&path("t")).unwrap(), "a😀");
    // Replaced as a whole, the text at the path is another one.
    d.apply(&remove("/t")).unwrap();
    d.apply(&set("/t", r#"{"@text":"new"}"#)).unwrap();
    d.apply(&splice_in(TextUnit::Utf16, "/t", 3, 0, "er"))
        .unwrap();
    assert_eq!(d.text(&path("t")).unwrap(), "newer");
}

#[test]
fn large_rewrites_do_not_take_quadratic_time() {
    let (mut d, _) = document(1, r#"{"t":{"@text":""}}"#);
    for filler in ["ab", "xyz", "q"] {
        let text = Value::Text(filler.repeat(15_000));
        let op = Operation::Set {
            object: OBJECT,
            path: path("t"),
            value: text.clone(),
        };
        change(&mut d, &[op]);
        assert_eq!(d.value_at(&path("t")).unwrap(), text);
    }
}
