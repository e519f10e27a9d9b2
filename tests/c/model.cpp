// Tags, keys, relations, natural keys, moves, marks, cursors and conflicts from C++.
#include "check.h"
#include "echodb.hpp"

#include <string>

static bool holds(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

static std::string heads_of(const std::string &object) {
    const auto start = object.find('[', object.find("\"heads\""));
    return object.substr(start, object.find(']', start) + 1 - start);
}

// Two values in one place: one written now, and one as if it had been at the same time.
static void conflict(const echodb::Space &space) {
    const auto id = space.create("Note", R"({"n": 1})");
    const auto heads = heads_of(space.get_object(id).value());
    space.update(id, R"({"n": 2})");
    auto tx = space.transaction();
    tx.at(heads);
    tx.set(id, "n", "3");
    tx.commit();
    // The value that reads show comes last.
    const auto now = space.get_object(id).value();
    CHECK(holds(now, R"("n":2)") || holds(now, R"("n":3)"));
    CHECK(space.conflicts(id, "n") == (holds(now, R"("n":2)") ? "[3,2]" : "[2,3]"));
    space.update(id, R"({"n": 4})");
    CHECK(space.conflicts(id, "n") == "[4]");
}

int main() {
    echodb::ClientOptions options;
    options.online(false);
    auto client = echodb::Client::open(options);
    client.create_identity("Ada");
    auto space = client.create_space("{}");
    auto tx = space.transaction();
    const auto note = tx.create("Note", R"({"text": {"@text": "hello"}, "l": [1, 2, 3]})");
    const auto other = tx.create_with_key("Book", "isbn:1", "{}");
    const auto link = tx.create("Cites", "{}");
    tx.relate(link, note, other);
    tx.tag(note, "new");
    tx.tag(note, "old");
    tx.untag(note, "old");
    tx.set_key(note, "github", "7");
    tx.mark(note, "text", 1, 3, "link", R"("https://example.org")", ECHODB_MARK_EXPAND_NONE);
    tx.move_item(note, "/l/2", 0);
    tx.commit();
    const auto object = space.get_object(note).value();
    CHECK(holds(object, R"("tags":["new"])") && holds(object, R"("l":[3,1,2])"));
    CHECK(holds(object, R"("keys":{"github":"7"})"));
    CHECK(holds(space.get_object(link).value(), note) && holds(space.get_object(link).value(), other));
    CHECK(holds(space.marks(note, "text"), R"("start":1,"end":3)"));
    const auto cursor = space.cursor(note, "text", 5);
    space.splice_text(note, "text", 0, 0, "oh ");
    CHECK(space.cursor_position(note, "text", cursor) == 8);
    CHECK(space.conflicts(note, "/l/0") == "[3]");
    try {
        space.conflicts(note, "none");
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_NOT_FOUND);
    }
    conflict(space);
    client.shutdown();
    return 0;
}
