// Schemas, violations and migrations from C++.
#include "check.h"
#include "echodb.hpp"

#include <stdexcept>
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
    CHECK(!space.schema("Task"));
    CHECK(space.register_schema("Task", R"({"required": ["title"]})") == 1);
    CHECK(space.register_schema("Task", R"({"required": ["title"]})", 1) == 1);
    try {
        space.create("Task", "{}");
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_SCHEMA_VIOLATION);
        CHECK(holds(error.what(), "\"title\""));
    }
    space.create("Task", R"({"title": "a"})");
    const auto second = space.create("Task", R"({"title": "b"})");
    CHECK(space.register_schema("Task", R"({"required": ["name"]})") == 2);
    CHECK(holds(space.schemas(), R"("version":2)") && holds(*space.schema("Task"), R"("version":2)"));
    const auto report = space.migrate(
        "Task", 2,
        [&](std::string_view id, std::optional<uint32_t> version,
            std::string_view fields) -> std::optional<std::string> {
            CHECK(version == 1u && holds(std::string(fields), "title"));
            if (id == second) {
                throw std::runtime_error("no");
            }
            return R"({"name": "a"})";
        });
    CHECK(holds(report, R"("migrated":1)") && holds(report, R"("failed":1)"));
    CHECK(holds(space.migrate("Task", 2,
                              [](std::string_view, std::optional<uint32_t>,
                                 std::string_view) -> std::optional<std::string> {
                                  return std::nullopt;
                              }),
                R"("left":1)"));
    CHECK(space.violations() == "[]");
    client.shutdown();
    return 0;
}
