// Checking what is stored of a space, and making it again, from C++.
#include "check.h"
#include "echodb.hpp"

#include <string>

static bool holds(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

int main() {
    echodb::ClientOptions options;
    options.online(false).cache_bytes(8 << 20);
    auto client = echodb::Client::open(options);
    client.create_identity("Ada");
    auto space = client.create_space("{}");
    const auto note = space.create("Note", R"({"n": 1})");
    CHECK(holds(space.check(), R"({"findings":[])"));
    CHECK(holds(space.check(true), R"("objects":1)"));
    CHECK(holds(space.repair(), R"("lost_entries":0)"));
    CHECK(holds(space.query(R"({"type": "Note"})"), note));
    try {
        echodb::Client::open(options.cache_bytes(1));
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_INVALID_ARGUMENT);
    }
    client.shutdown();
    return 0;
}
