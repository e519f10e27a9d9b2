// Import and export from C++. The argument is a directory for files, which is made.
#include "check.h"
#include "echodb.hpp"

#include <string>
#include <sys/stat.h>

static bool holds(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    const std::string directory = argv[1];
    CHECK(mkdir(argv[1], 0700) == 0);
    echodb::ClientOptions options;
    options.online(false);
    auto client = echodb::Client::open(options);
    client.create_identity("Ada");
    auto space = client.create_space("{}");
    const auto note = space.create("Note", R"({"text": {"@text": "hello"}})");

    const auto file = space.export_object(note);
    const auto copy = space.import_object(file);
    CHECK(copy != note && holds(space.get_object(copy).value(), "hello"));
    CHECK(space.import_object(file, copy) == copy);

    const auto report = space.import_data("k,n\na,1\n", R"({"format": "csv", "type": "Row", "key": "k"})");
    CHECK(holds(report, R"("created":1)"));

    const auto lines = directory + "/all.jsonl";
    CHECK(space.export_json_file(lines) == 3);
    CHECK(space.import_json_file(lines) == 3);
    CHECK(holds(space.import_file(lines, R"({"format": "ndjson", "on_error": "skip"})"), R"("rows":4)"));

    const auto archive = directory + "/space.echo";
    const auto info = space.export_archive(archive);
    CHECK(info == echodb::verify_archive(archive));
    CHECK(client.import_archive(archive).id() == space.id());
    try {
        space.import_object("nonsense");
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_INVALID_ARGUMENT);
    }
    client.shutdown();
    return 0;
}
