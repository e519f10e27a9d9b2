// Pages, aggregation, explanation and several spaces from C++.
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
    for (int n = 0; n < 3; ++n) {
        space.create("Note", "{\"n\": " + std::to_string(n) + "}");
    }
    const std::string query = R"({"order": [{"by": "n"}], "limit": 2})";
    const auto first = space.query_page(query);
    const auto at = first.find("\"next\":\"");
    CHECK(holds(first, "\"n\":1") && at != std::string::npos);
    const auto next = first.substr(at + 8, first.find('"', at + 8) - at - 8);
    const auto second = space.query_page(query, next);
    CHECK(holds(second, "\"n\":2") && holds(second, "\"next\":null"));
    CHECK(space.aggregate(R"({"aggregate": {"sum": {"sum": "n"}}})") ==
          R"([{"group":[],"values":{"sum":3}}])");
    CHECK(holds(space.explain(R"({"type": "Note"})"), "objects_type"));
    const auto everywhere = client.query(query);
    CHECK(holds(everywhere, "{\"space\":\"" + space.id() + "\""));
    CHECK(client.query(query, "[\"" + space.id() + "\"]") == everywhere);
    try {
        space.query_page("{}", next);
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_INVALID_ARGUMENT);
    }
    client.shutdown();
    return 0;
}
