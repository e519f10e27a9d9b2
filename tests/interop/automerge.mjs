// Automerge in JavaScript against objects' files of echo-db.
//
// usage: node automerge.mjs read FILE      prints what JavaScript sees, as JSON
//        node automerge.mjs edit IN OUT    changes the document as a program would
//        node automerge.mjs make OUT       makes a document that echo-db has never seen
import { readFileSync, writeFileSync } from "node:fs";
import * as Automerge from "@automerge/automerge";

const [command, input, output] = process.argv.slice(2);

// What JSON cannot say, with the name of its class.
function plain(value) {
  if (value instanceof Date) return { date: value.getTime() };
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Automerge.isCounter(value)) return { counter: value.value };
  if (Automerge.isImmutableString(value)) return { immutable: value.toString() };
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return typeof value === "bigint" ? { bigint: value.toString() } : value;
}

function read(file) {
  const doc = Automerge.load(readFileSync(file));
  console.log(
    JSON.stringify({
      value: plain(doc),
      marks: Automerge.marks(doc, ["text"]),
      changes: Automerge.getAllChanges(doc).length,
    }),
  );
}

function edit(from, to) {
  let doc = Automerge.load(readFileSync(from));
  doc = Automerge.change(doc, (d) => {
    Automerge.splice(d, ["text"], 0, 5, "Hey");
    d.count.increment(2);
    d.list.push("from JavaScript");
    d.list[1].done = true;
    d.map.deep = { when: new Date(1763864160123), raw: new Uint8Array([9, 8]) };
    d.title = new Automerge.ImmutableString("Edited");
    d.words = "a JavaScript string";
    delete d.gone;
    d["@tag:js"] = true;
  });
  doc = Automerge.change(doc, (d) => {
    Automerge.mark(d, ["text"], { start: 4, end: 9, expand: "both" }, "bold", true);
  });
  writeFileSync(to, Automerge.save(doc));
}

function make(to) {
  const doc = Automerge.from({
    "@type": "Card",
    title: "made in JavaScript",
    n: 7,
    f: 0.5,
    big: 2 ** 53,
    yes: true,
    none: null,
    when: new Date(5),
    count: new Automerge.Counter(3),
    raw: new Uint8Array([1, 2, 3]),
    plain: new Automerge.ImmutableString("scalar"),
    list: [1, [2, { three: 3 }]],
    long: "lorem ipsum ".repeat(500),
  });
  writeFileSync(to, Automerge.save(doc));
}

if (command === "read") read(input);
else if (command === "edit") edit(input, output);
else if (command === "make") make(input);
else process.exit(2);
