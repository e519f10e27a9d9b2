//! Many objects that refer to each other, in a space and in plain tables: what queries are measured on.

use crate::Setting;
use crate::create::open;
use crate::result::Outcome;
use echodb::{Client, Space};
use rusqlite::{Connection, params};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// Objects in a transaction.
const BATCH: usize = 1000;
/// Objects of one project, over which all are spread evenly.
const A_PROJECT: usize = 1000;
/// Words in an object's title.
const TITLE_WORDS: usize = 8;
/// Different words in all titles.
const VOCABULARY: usize = 5000;
/// References from an object to earlier ones.
const NEEDS: usize = 3;

/// The plain tables, with the indexes that somebody who knows the queries would make. `texts` reads
/// words as the library's own table does.
const PLAIN: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE tasks(
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
        project INTEGER NOT NULL, due INTEGER NOT NULL, done INTEGER NOT NULL, needs TEXT NOT NULL);
    CREATE INDEX tasks_project ON tasks(project);
    CREATE TABLE links(
        source INTEGER NOT NULL, target INTEGER NOT NULL, PRIMARY KEY(source, target)) WITHOUT ROWID;
    CREATE INDEX links_target ON links(target, source);
    CREATE VIRTUAL TABLE texts USING fts5(title, tokenize = 'ascii');
";

/// A profile with the objects in its default space, and a file of plain tables with the same.
pub struct Corpus {
    /// Where both files are.
    folder: TempDir,
    /// The objects' ids, in the order in which they were made.
    pub ids: Vec<String>,
    /// The projects that they are spread over.
    pub projects: usize,
}

/// One object's fields.
struct Task {
    title: String,
    project: usize,
    due: u64,
    done: bool,
    /// Places in `ids`, in ascending order.
    needs: Vec<usize>,
}

impl Corpus {
    /// Makes 100,000 objects, or a tenth of that if it has to be quick.
    pub fn make(setting: &Setting) -> Outcome<Corpus> {
        Corpus::of(if setting.quick { 10_000 } else { 100_000 })
    }

    /// Makes so many objects, a multiple of a thousand.
    pub fn of(objects: usize) -> Outcome<Corpus> {
        let mut corpus = Corpus {
            folder: tempfile::tempdir()?,
            ids: Vec::with_capacity(objects),
            projects: objects.div_ceil(A_PROJECT),
        };
        let client = corpus.client()?;
        client.create_identity("Bench".into())?;
        let space = client.default_space()?;
        let plain = corpus.plain()?;
        plain.execute_batch(PLAIN)?;
        let mut random = Random(1);
        for _ in 0..objects / BATCH {
            corpus.batch(&space, &plain, &mut random)?;
        }
        space.create_index(Some("Task".into()), "project".into())?;
        space.flush()?;
        client.shutdown()?;
        plain.execute_batch("ANALYZE; INSERT INTO texts(texts) VALUES('optimize')")?;
        Ok(corpus)
    }

    /// Where the profile is.
    pub fn profile(&self) -> PathBuf {
        self.folder.path().join("profile")
    }

    /// The file of plain tables.
    pub fn plain_file(&self) -> PathBuf {
        self.folder.path().join("plain.sqlite")
    }

    /// A client on the profile.
    pub fn client(&self) -> Outcome<Arc<Client>> {
        open(&self.profile())
    }

    /// The plain tables.
    pub fn plain(&self) -> Outcome<Connection> {
        Ok(Connection::open(self.plain_file())?)
    }

    /// Makes as many objects as a transaction has, in both places.
    fn batch(&mut self, space: &Space, plain: &Connection, random: &mut Random) -> Outcome<()> {
        let transaction = space.transaction();
        plain.execute_batch("BEGIN")?;
        for _ in 0..BATCH {
            let n = self.ids.len();
            let task = Task::make(n, self.projects, random);
            let needs: Vec<_> = task
                .needs
                .iter()
                .map(|n| json!({"@ref": format!("echo:{}", self.ids[*n])}))
                .collect();
            let fields = json!({
                "title": task.title, "project": task.project, "due": task.due, "done": task.done,
                "needs": needs,
            });
            let id = transaction.create(Some("Task".into()), fields.to_string())?;
            task.put(plain, n, &id, &fields["needs"].to_string())?;
            self.ids.push(id);
        }
        plain.execute_batch("COMMIT")?;
        transaction.commit()?;
        Ok(())
    }
}

impl Task {
    fn make(n: usize, projects: usize, random: &mut Random) -> Task {
        let title: Vec<String> = (0..TITLE_WORDS).map(|_| word(random.rank())).collect();
        let mut needs: Vec<usize> = match n {
            0 => Vec::new(),
            _ => (0..NEEDS).map(|_| random.below(n)).collect(),
        };
        needs.sort_unstable();
        needs.dedup();
        Task {
            title: title.join(" "),
            project: n % projects,
            due: 1_700_000_000_000 + random.next() % 10_000_000_000,
            done: random.below(2) == 0,
            needs,
        }
    }

    fn put(&self, plain: &Connection, n: usize, id: &str, needs: &str) -> Outcome<()> {
        plain
            .prepare_cached("INSERT INTO tasks VALUES(?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                n as i64,
                id,
                self.title,
                self.project as i64,
                self.due as i64,
                self.done,
                needs
            ])?;
        plain
            .prepare_cached("INSERT INTO texts(rowid, title) VALUES(?, ?)")?
            .execute(params![n as i64, self.title])?;
        let mut link = plain.prepare_cached("INSERT INTO links VALUES(?, ?)")?;
        for target in &self.needs {
            link.execute([n as i64, *target as i64])?;
        }
        Ok(())
    }
}

/// The word that is the `rank`th most frequent.
pub fn word(rank: usize) -> String {
    const SYLLABLES: [&str; 18] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu",
        "va", "we", "zi",
    ];
    let mut text = String::new();
    let mut rest = rank;
    while text.len() < 6 || rest > 0 {
        text.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
    }
    text
}

/// The same numbers in every run (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A word's rank, spread as words are: each is about as frequent as its rank is low (Zipf).
    fn rank(&mut self) -> usize {
        let part = self.next() as f64 / (1_u64 << 53) as f64;
        (VOCABULARY as f64).powf(part) as usize
    }
}
