//! The fingerprint that people compare: four words, the same on both screens unless somebody sits
//! in between.
//!
//! They come from the transcript of the password exchange (the connection, both sides' keys and
//! introductions, both shares) and not from what the code was, so a mistyped code does not change
//! them. The guest's share comes first and the host's last, each with fresh randomness: whoever
//! keeps two exchanges going must have finished the one with the host before it can choose its
//! share to the guest, and would then have to try 2^44 shares within the seconds that a step may
//! take. A fingerprint of the session alone could be met in the middle with 2^22.

use bip39::Language;
use ring::digest;

/// Separates these words from other hashes of a transcript.
const DOMAIN: &[u8] = b"echo-db/invitation/words/v1";
/// Words of a fingerprint.
const WORDS: usize = 4;
/// Bits of a word: the list has 2,048.
const WORD_BITS: usize = 11;

/// The words for a transcript: the first 44 bits of the SHA-256 of its parts, each behind its
/// length, eleven for each word of the English list of BIP 39, separated by spaces.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(DOMAIN);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let hash = context.finish();
    let mut bits = hash
        .as_ref()
        .iter()
        .take(8)
        .fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let list = Language::English.word_list();
    let mut words = Vec::with_capacity(WORDS);
    for _ in 0..WORDS {
        bits = bits.rotate_left(WORD_BITS as u32);
        let word = list.get(bits as usize & ((1 << WORD_BITS) - 1));
        words.push(*word.expect("the list has 2,048 words"));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_four_words_that_any_change_alters() {
        let words = fingerprint(&[b"a", b"b"]);
        // Computed apart, with Python: SHA-256 of the domain and the two parts.
        assert_eq!(words, "tackle ethics butter cake");
        assert_eq!(words.split(' ').count(), WORDS);
        for other in [
            fingerprint(&[b"ab"]),
            fingerprint(&[b"a", b"c"]),
            fingerprint(&[b"b", b"a"]),
            fingerprint(&[b"a", b"b", b""]),
        ] {
            assert_ne!(words, other);
        }
    }

    #[test]
    fn all_words_occur() {
        let seen: std::collections::HashSet<String> = (0u32..20_000)
            .flat_map(|n| {
                let words = fingerprint(&[&n.to_be_bytes()]);
                words.split(' ').map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(seen.len(), 2048);
    }
}
