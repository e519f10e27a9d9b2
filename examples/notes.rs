//! Makes a note in a database in memory and finds it again.
// README-BEGIN
use echodb::builder::{Filter, field};
use echodb::{Client, ClientOptions, Result, TextUnit};

fn main() -> Result<()> {
    let client = Client::open(ClientOptions::default(), None)?;
    client.create_identity("Ada".into())?;
    let space = client.create_space(r#"{"name": "Notes"}"#.into())?;
    let fields = r#"{"text": {"@text": "Buy milk"}, "done": false}"#;
    let id = space.create(Some("Note".into()), fields.into())?;
    space.splice_text(id, "text".into(), 4, 0, "oat ".into(), TextUnit::CodePoint)?;
    let open = Filter::of_type("Note") & field("done").eq(false);
    for note in space.query(open.into())? {
        println!("{}", note.fields);
    }
    client.shutdown()
}
// README-END
