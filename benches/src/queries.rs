//! Queries among many objects, each against SQL that somebody wrote for plain tables, and what a
//! program waits for from its start to the first result.

use crate::Setting;
use crate::corpus::{Corpus, word};
use crate::create::{fields, open, space_file};
use crate::peers::answer;
use crate::result::{Outcome, Row, time};
use echodb::Space;
use rusqlite::{Connection, Params, params, params_from_iter};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Results wanted.
const LIMIT: usize = 50;
/// Objects where a traversal starts.
const STARTS: usize = 10;
/// The words that are searched for: each in about one object of a hundred.
const WORDS: std::ops::Range<usize> = 90..110;

const FILTER: &str = "
    SELECT id, title, project, due, done, needs FROM tasks
    WHERE project = ? ORDER BY due, id LIMIT 50";
const TEXT: &str = "SELECT rowid, title FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 50";

/// A row of the plain table.
type Task = (String, String, i64, i64, bool, String);

/// `query_filter`, `query_text`, `query_hop`, `query_hop_back` and `cold_open`, over the same objects.
pub fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let corpus = Corpus::make(setting)?;
    let (runs, openings) = if setting.quick { (20, 5) } else { (200, 20) };
    on(&corpus, runs, openings)
}

/// The same with more and more objects, each row's name followed by how many there are; and, with
/// so many, `insert` and `file_size`.
pub fn growth(setting: &Setting) -> Outcome<Vec<Row>> {
    let sizes: &[(usize, &str)] = match (setting.quick, setting.large) {
        (true, _) => &[(1000, "1k"), (10_000, "10k")],
        (_, false) => &[(1000, "1k"), (10_000, "10k"), (100_000, "100k")],
        (_, true) => &[
            (1000, "1k"),
            (10_000, "10k"),
            (100_000, "100k"),
            (1_000_000, "1m"),
        ],
    };
    let mut all = Vec::new();
    let mut few = Vec::new();
    for (objects, name) in sizes {
        let corpus = Corpus::of(*objects)?;
        let mut rows = vec![file_size(&corpus)?];
        rows.extend(on(&corpus, if setting.quick { 20 } else { 60 }, 5)?);
        let inserts = inserts(&corpus)?;
        if few.is_empty() {
            few.clone_from(&inserts);
        }
        let bound = "the same among a thousand";
        rows.push(Row::new("insert", "ms", &inserts, bound, &few));
        all.extend(rows.into_iter().map(|row| row.named(name)));
    }
    Ok(all)
}

/// Bytes for each object, before anybody has searched.
fn file_size(corpus: &Corpus) -> Outcome<Row> {
    let objects = corpus.ids.len() as f64;
    let ours = space_file(&corpus.profile())?.metadata()?.len() as f64;
    let plain = corpus.plain_file().metadata()?.len() as f64;
    let bound = "the plain tables, with their table of words";
    let (ours, plain) = ([ours / objects], [plain / objects]);
    Ok(Row::new("file_size", "bytes", &ours, bound, &plain))
}

/// How long transactions of a hundred objects take, in milliseconds.
fn inserts(corpus: &Corpus) -> Outcome<Vec<f64>> {
    let client = corpus.client()?;
    let space = client.default_space()?;
    let mut times = Vec::new();
    for run in 0..=20 {
        let ((), elapsed) = time(|| {
            let transaction = space.transaction();
            for i in 0..100 {
                transaction.create(Some("Task".into()), fields(run * 100 + i))?;
            }
            transaction.commit()?;
            Ok(())
        })?;
        // The first prepares the statements.
        if run > 0 {
            times.push(elapsed);
        }
    }
    client.shutdown()?;
    Ok(times)
}

fn on(corpus: &Corpus, runs: usize, openings: usize) -> Outcome<Vec<Row>> {
    let client = corpus.client()?;
    let space = client.default_space()?;
    let plain = corpus.plain()?;
    let mut rows = vec![
        filter(corpus, &space, &plain, runs)?,
        text(&space, &plain, runs)?,
        hop(corpus, &space, &plain, runs, Way::Forth)?,
        hop(corpus, &space, &plain, runs, Way::Back)?,
    ];
    drop(space);
    client.shutdown()?;
    rows.push(cold_open(corpus, openings)?);
    Ok(rows)
}

fn of_project(project: usize) -> String {
    json!({
        "where": {"and": [{"type": "Task"}, {"field": "project", "op": "eq", "value": project}]},
        "order": [{"by": "due"}],
        "limit": LIMIT,
    })
    .to_string()
}

/// One type and one value of an indexed field, by another field.
fn filter(corpus: &Corpus, space: &Space, plain: &Connection, runs: usize) -> Outcome<Row> {
    let (mut ours, mut bounds) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let project = run * 37 % corpus.projects;
        let (found, elapsed) = time(|| Ok(space.query_json(of_project(project))?))?;
        let (want, bound) = time(|| tasks(plain, FILTER, [project as i64]))?;
        same(&found, &want)?;
        // The first prepares the statements.
        if run > 0 {
            ours.push(elapsed);
            bounds.push(bound);
        }
    }
    let bound = "SQL written for a plain table with an index of the field";
    Ok(Row::new("query_filter", "ms", &ours, bound, &bounds))
}

/// One word, the best results first.
fn text(space: &Space, plain: &Connection, runs: usize) -> Outcome<Row> {
    let (mut ours, mut bounds) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let word = word(WORDS.start + run % WORDS.len());
        let query = json!({
            "where": {"search": word}, "order": [{"by": "rank"}], "limit": LIMIT,
        });
        let (found, elapsed) = time(|| Ok(space.query_json(query.to_string())?))?;
        let (want, bound) = time(|| titles(plain, &word))?;
        let found: Vec<Value> = serde_json::from_slice(&found)?;
        // How long an object is takes part in its rank, and here its references count, too.
        let fits = |object: &Value| {
            let title = object["fields"]["title"].as_str().unwrap_or_default();
            title.split(' ').any(|part| part == word)
        };
        if found.len() != want.len() || want.is_empty() || !found.iter().all(fits) {
            return Err(format!("{word}: {} and {} found", found.len(), want.len()).into());
        }
        // The first makes the index of words.
        if run > 0 {
            ours.push(elapsed);
            bounds.push(bound);
        }
    }
    let bound = "FTS5 alone with the same texts";
    Ok(Row::new("query_text", "ms", &ours, bound, &bounds))
}

/// Which way references are followed.
#[derive(Clone, Copy)]
enum Way {
    Forth,
    Back,
}

impl Way {
    fn sql(self) -> String {
        let (from, to) = match self {
            Way::Forth => ("source", "target"),
            Way::Back => ("target", "source"),
        };
        let marks = ["?"; STARTS].join(",");
        format!(
            "SELECT id, title, project, due, done, needs FROM tasks WHERE n IN (
               SELECT second.{to} FROM tasks AS start
               JOIN links AS first ON first.{from} = start.n
               JOIN links AS second ON second.{from} = first.{to}
               WHERE start.id IN ({marks}))
             ORDER BY id"
        )
    }
}

/// What a few objects' references refer to, or what refers to what refers to them.
fn hop(corpus: &Corpus, space: &Space, plain: &Connection, runs: usize, way: Way) -> Outcome<Row> {
    let (name, link) = match way {
        Way::Forth => ("query_hop", "refers_to"),
        Way::Back => ("query_hop_back", "referred_by"),
    };
    let sql = way.sql();
    let (mut ours, mut bounds) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        // From the middle, so that there are objects both before and after.
        let half = corpus.ids.len() / 2;
        let middle = half + run * STARTS % (half / 4);
        let starts = &corpus.ids[middle..middle + STARTS];
        let step = json!({ link: {"path": "/needs"} });
        let query = json!({"where": {"id": starts}, "follow": [step, step]});
        let (found, elapsed) = time(|| Ok(space.query_json(query.to_string())?))?;
        let (want, bound) = time(|| tasks(plain, &sql, params_from_iter(starts)))?;
        same(&found, &want)?;
        if run > 0 {
            ours.push(elapsed);
            bounds.push(bound);
        }
    }
    let bound = "SQL written for a plain table of the same links";
    Ok(Row::new(name, "ms", &ours, bound, &bounds))
}

/// From before the client is opened to the first result, each time in a new process.
fn cold_open(corpus: &Corpus, runs: usize) -> Outcome<Row> {
    let profile = corpus.profile().display().to_string();
    let file = corpus.plain_file().display().to_string();
    let (mut ours, mut bounds) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(ask(&["cold", "library", &profile])?);
        bounds.push(ask(&["cold", "sqlite", &file])?);
    }
    let bound = "opening a plain table and running SQL written for it";
    Ok(Row::new("cold_open", "ms", &ours, bound, &bounds))
}

fn ask(arguments: &[&str]) -> Outcome<f64> {
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// `echodb-bench cold library|sqlite PATH`: opens, asks, and says how many milliseconds it took.
pub fn cold(arguments: &[String]) -> Outcome<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (found, elapsed) = match words.as_slice() {
        ["library", profile] => {
            let ((client, found), elapsed) = time(|| {
                let client = open(Path::new(profile))?;
                let found = client.default_space()?.query_json(of_project(0))?;
                Ok((client, found))
            })?;
            client.shutdown()?;
            (serde_json::from_slice::<Vec<Value>>(&found)?.len(), elapsed)
        }
        ["sqlite", file] => {
            let (found, elapsed) = time(|| tasks(&Connection::open(file)?, FILTER, [0]))?;
            (found.len(), elapsed)
        }
        _ => return Err("usage: cold library|sqlite PATH".into()),
    };
    match found {
        LIMIT => answer(&elapsed.to_string()),
        _ => Err(format!("{found} results instead of {LIMIT}").into()),
    }
}

fn tasks(plain: &Connection, sql: &str, parameters: impl Params) -> Outcome<Vec<Task>> {
    let mut statement = plain.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, |row| row.try_into())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn titles(plain: &Connection, word: &str) -> Outcome<Vec<(i64, String)>> {
    let mut statement = plain.prepare_cached(TEXT)?;
    let rows = statement.query_map(params![word], |row| row.try_into())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Fails unless the query found what the plain table has, in the same order.
fn same(found: &[u8], want: &[Task]) -> Outcome<()> {
    let found: Vec<Value> = serde_json::from_slice(found)?;
    let ids = found.iter().map(|object| object["id"].as_str());
    if want.is_empty() || !ids.eq(want.iter().map(|task| Some(task.0.as_str()))) {
        return Err(format!("{} results, not the {} of SQL", found.len(), want.len()).into());
    }
    Ok(())
}
