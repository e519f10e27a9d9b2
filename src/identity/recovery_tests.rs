use super::*;
use crate::feed::sha256;
use crate::model::ErrorKind;
use data_encoding::HEXLOWER;

/// The 256-bit test vectors of BIP 39 (trezor/python-mnemonic, vectors.json, English).
const VECTORS: [(&str, &str); 8] = [
    (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
         abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
         abandon art",
    ),
    (
        "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
        "legal winner thank year wave sausage worth useful legal winner thank year wave sausage \
         worth useful legal winner thank year wave sausage worth title",
    ),
    (
        "8080808080808080808080808080808080808080808080808080808080808080",
        "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount \
         doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless",
    ),
    (
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo \
         zoo vote",
    ),
    (
        "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
        "hamster diagram private dutch cause delay private meat slide toddler razor book happy \
         fancy gospel tennis maple dilemma loan word shrug inflict delay length",
    ),
    (
        "9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
        "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol \
         speed nation flash devote level hobby quick inner drive ghost inside",
    ),
    (
        "066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
        "all hour make first leader extend hole alien behind guard gospel lava path output census \
         museum junior mass reopen famous sing advance salt reform",
    ),
    (
        "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
        "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing \
         screen patrol group space point ten exist slush involve unfold",
    ),
];

fn entropy(hex: &str) -> [u8; 32] {
    HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

#[test]
fn phrases_follow_the_vectors_of_bip_39() {
    for (hex, words) in VECTORS {
        let parsed = RecoveryPhrase::parse(words).unwrap();
        assert_eq!(*parsed.entropy, entropy(hex), "{words}");
        let made = RecoveryPhrase::generate(&mut |to| to.copy_from_slice(&entropy(hex)));
        assert_eq!(*made.words(), words);
    }
}

#[test]
fn what_follows_from_a_phrase_never_changes() {
    let phrase = RecoveryPhrase::parse(VECTORS[4].1).unwrap();
    let found = format!(
        "{} {}",
        HEXLOWER.encode(phrase.key().as_bytes()),
        HEXLOWER.encode(phrase.rendezvous().as_ref())
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/recovery_key.txt");
    if std::env::var_os("ECHODB_BLESS").is_some() {
        std::fs::write(path, format!("{found}\n")).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap().trim(), found);
    // Neither tells the other, nor the entropy.
    assert!(!found.contains(VECTORS[4].0));
    assert_ne!(phrase.key().0[..16], *phrase.rendezvous());
    let other = RecoveryPhrase::parse(VECTORS[5].1).unwrap();
    assert_ne!(other.key(), phrase.key());
}

#[test]
fn spacing_case_and_unicode_form_do_not_matter() {
    let words = VECTORS[5].1;
    let wide: String = words
        .chars()
        .map(|c| match c {
            'a'..='z' => char::from_u32(c as u32 - 'a' as u32 + 0xff41).unwrap(),
            c => c,
        })
        .collect();
    for typed in [
        format!("  {} ", words.to_uppercase().replace(' ', "\n")),
        words.replace(' ', "\u{3000}\t"),
        words.replace(' ', "\u{a0}"),
        wide.to_uppercase(),
        wide,
    ] {
        let parsed = RecoveryPhrase::parse(&typed).unwrap();
        assert_eq!(*parsed.words(), words);
    }
}

#[test]
fn bad_phrases_are_explained_without_their_words() {
    let words: Vec<&str> = VECTORS[5].1.split(' ').collect();
    let mut swapped = words.clone();
    swapped.swap(0, 1);
    let mut misspelt = words.clone();
    misspelt[6] = "hamsterdam";
    let twelve = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    for (typed, expected) in [
        (swapped.join(" "), "out of order"),
        (misspelt.join(" "), "word 7 "),
        (words[..23].join(" "), "24 words, not 23"),
        (twelve.to_owned(), "24 words, not 12"),
        (String::new(), "24 words, not 0"),
        ("zoo ".repeat(5000), "too long"),
        ("\u{0}ß☃ ".repeat(24), "word 1 "),
    ] {
        let error = RecoveryPhrase::parse(&typed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        let told = typed
            .split_whitespace()
            .find(|word| text.split_whitespace().any(|w| w == *word));
        assert_eq!(told, None, "{text}");
    }
    // Of 24 random words one in 256 has the right checksum by chance, not more.
    let list = Language::English.word_list();
    let mut lucky = 0;
    for round in 0..2000u32 {
        let draw = |i: u32| {
            let hash = sha256(&[&round.to_le_bytes(), &i.to_le_bytes()]);
            list[usize::from(u16::from_le_bytes([hash[0], hash[1]])) % 2048]
        };
        let typed: Vec<&str> = (0..24).map(draw).collect();
        lucky += u32::from(RecoveryPhrase::parse(&typed.join(" ")).is_ok());
    }
    assert!(lucky < 40, "{lucky}");
}
