//! The project's own small recording: two people write a page together, each a paragraph, with
//! slips and corrections, seeing each other's work now and then.
//!
//! The text at the end is known without any merging, so that the recording can judge one: the two
//! write on either side of a line that neither touches, and no edit ever adjoins one of the other's.

use crate::run::Outcome;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;

const DIVIDER: &str = "\n\n---\n\n";

const PARAGRAPHS: [&str; 2] = [
    "The allotment, notes for next year. The beans at the back did well until July, then the wind \
     took the poles; stronger ones, and tied at the top. Two rows of beetroot is plenty. The \
     courgettes fed everybody on the street, and nobody asked for more: plant one, not four. The \
     water butt leaks at the tap. I have mended it twice, and it leaks still, so somebody with \
     patience should have a look before spring – or we buy a new tap, they are not dear.",
    "What I saw from the other bed: slugs came every wet evening, straight for the lettuce. Coffee \
     grounds do nothing at all. A board laid down overnight does: lift it in the morning and there \
     they are. The strawberries want moving, it is their fourth year, and the new runners could go \
     where the peas were. I would like to try sweetcorn again (a block, not a row). And could we \
     keep the path clear? The barrow does not float. Seeds are in the tin, labelled, mostly.",
];

/// The generator's state; a text of one's own seed, the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One of the two, with what they have written and seen.
struct Author {
    wanted: Vec<char>,
    written: Vec<char>,
    /// How long the other's part was when last seen.
    other_len: usize,
    /// The other's last transaction seen but not yet named as a parent.
    news: Option<usize>,
    last: Option<usize>,
}

impl Author {
    fn new(text: &str) -> Author {
        Author {
            wanted: text.chars().collect(),
            written: Vec::new(),
            other_len: 0,
            news: None,
            last: Some(0),
        }
    }

    fn done(&self) -> bool {
        self.written == self.wanted
    }

    /// The next keystroke: position in the own part, characters deleted, text inserted.
    fn keystroke(&mut self, dice: &mut Dice) -> (usize, usize, String) {
        let right = self
            .written
            .iter()
            .zip(&self.wanted)
            .take_while(|(a, b)| a == b)
            .count();
        let end = self.written.len();
        // A slip is noticed at once or a few letters later; then back to it, or erased up to it.
        let slipped = right < end;
        if slipped && dice.roll(3) == 0 {
            if dice.roll(2) == 0 {
                self.written[right] = self.wanted[right];
                return (right, 1, self.wanted[right].to_string());
            }
            self.written.truncate(right);
            return (right, end - right, String::new());
        }
        if end == self.wanted.len() {
            self.written[right] = self.wanted[right];
            return (right, 1, self.wanted[right].to_string());
        }
        let typed = match dice.roll(25) {
            0 => char::from(b'a' + u8::try_from(dice.roll(26)).unwrap_or(0)),
            _ => self.wanted[end],
        };
        self.written.push(typed);
        (end, 0, typed.to_string())
    }
}

/// The recording, in the concurrent format.
fn recording() -> Value {
    let mut dice = Dice(0x5eed_cafe);
    let mut authors = PARAGRAPHS.map(Author::new);
    let mut txns = Txns::default();
    txns.push(0, Vec::new(), (0, 0, DIVIDER.to_owned()));
    let divider = DIVIDER.chars().count();
    while authors.iter().any(|author| !author.done()) {
        let me = usize::from(dice.roll(2) == 1);
        if authors[me].done() {
            continue;
        }
        for _ in 0..=dice.roll(12) {
            if authors[me].done() {
                break;
            }
            let (position, deleted, inserted) = authors[me].keystroke(&mut dice);
            // The first part stands before the divider, the second after what was seen of the first.
            let before = if me == 0 {
                0
            } else {
                authors[1].other_len + divider
            };
            let mut parents: Vec<usize> = authors[me].last.into_iter().collect();
            parents.extend(authors[me].news.take());
            let keystroke = (before + position, deleted, inserted);
            authors[me].last = Some(txns.push(me, parents, keystroke));
        }
        if dice.roll(3) == 0 {
            see(&mut authors, usize::from(dice.roll(2) == 1));
        }
    }
    let mut end = PARAGRAPHS.join(DIVIDER);
    // The first author reads all and adds a last line.
    let line = "\n\nAgreed. 🌱";
    let parents = authors.iter().filter_map(|author| author.last).collect();
    txns.push(0, parents, (end.chars().count(), 0, line.to_owned()));
    end.push_str(line);
    json!({
        "kind": "concurrent",
        "endContent": end,
        "numAgents": 2,
        "txns": txns.list,
    })
}

/// One looks up and takes in what the other has written by now.
fn see(authors: &mut [Author; 2], me: usize) {
    let other = 1 - me;
    authors[me].other_len = authors[other].written.len();
    authors[me].news = authors[other].last;
}

/// What is recorded so far, with what each transaction's author had seen.
#[derive(Default)]
struct Txns {
    list: Vec<Value>,
    /// For each transaction and author, the number of that author's last transaction within it.
    within: Vec<[Option<usize>; 2]>,
}

impl Txns {
    /// Records one and returns its number. Of the parents, those that another holds already go.
    fn push(&mut self, agent: usize, parents: Vec<usize>, patch: (usize, usize, String)) -> usize {
        let holds = |holder: usize, held: usize| {
            let author = usize::from(self.list[held]["agent"] == 1);
            holder != held && self.within[holder][author] >= Some(held)
        };
        let mut least: Vec<usize> = parents
            .iter()
            .copied()
            .filter(|held| !parents.iter().any(|holder| holds(*holder, *held)))
            .collect();
        least.sort_unstable();
        least.dedup();
        let mut within = [None, None];
        for parent in &least {
            for (mine, theirs) in within.iter_mut().zip(self.within[*parent]) {
                *mine = (*mine).max(theirs);
            }
        }
        let number = self.list.len();
        within[agent] = Some(number);
        self.within.push(within);
        self.list
            .push(json!({"parents": least, "agent": agent, "patches": [patch]}));
        number
    }
}

/// Writes the recording to `path`, gzipped.
pub fn make(path: &Path) -> Outcome<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(recording().to_string().as_bytes())?;
    fs::write(path, encoder.finish()?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_recording_on_disk_is_this_one() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let bytes = fs::read(root.join(super::super::SMALL)).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_string(&mut text)
            .unwrap();
        assert!(
            text.parse::<serde_json::Value>().unwrap() == recording(),
            "run `cargo xtask demo --make-trace`"
        );
    }
}
