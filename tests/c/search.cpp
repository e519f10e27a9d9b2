// Searches for words, and indexes, from C++.
#include "check.h"
#include "echodb.hpp"

#include <string>

static bool holds(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

int main() {
    echodb::ClientOptions options;
    options.online(false);
    auto client = echodb::Client::open(options);
    client.create_identity("Ada");
    auto space = client.create_space("{}");
    const auto note = space.create("Note", R"({"title": "Red roses"})");
    CHECK(holds(space.search("ros*"), note));
    CHECK(space.search("ros*", R"({"in": ["body"]})") == "[]");
    space.create_index("/title", "Note");
    space.create_index("created");
    CHECK(space.indexes() == R"([{"type":"Note","path":"/title"},{"type":null,"path":"created"}])");
    space.drop_index("created");
    try {
        space.drop_index("created");
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_NOT_FOUND);
    }
    client.shutdown();
    return 0;
}
