// Blobs from C++: written, read, named by an object, collected, waited for.
#include "check.h"
#include "echodb.hpp"

#include <cstdio>
#include <string>

static bool holds(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

static std::string id_of(const std::string &json) {
    const auto at = json.find("\"id\":\"");
    CHECK(at != std::string::npos);
    return json.substr(at + 6, 52);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    echodb::ClientOptions options;
    options.online(false);
    auto client = echodb::Client::open(options);
    client.create_identity("Ada");
    auto space = client.create_space("{}");
    const std::string bytes(150000, 'x');
    std::string id;
    {
        auto writer = space.blob_writer();
        writer.write(bytes);
        CHECK(writer.size() == bytes.size());
        id = id_of(writer.finish());
        auto dropped = space.blob_writer();
        dropped.write("never finished");
        auto cancelled = space.blob_writer();
        cancelled.cancel();
    }
    CHECK(id_of(space.put_blob(bytes)) == id);
    CHECK(space.read_blob(id, 149990, 100) == std::string(10, 'x'));
    const std::string path = std::string(argv[1]) + ".blob";
    space.blob_to_file(id, path);
    CHECK(id_of(space.put_blob_file(path)) == id);
    CHECK(std::remove(path.c_str()) == 0);
    const auto object =
        space.create("File", R"({"file": {"@blob": ")" + id + R"(", "size": 150000}})");
    CHECK(holds(space.collect_blobs(std::chrono::seconds(0)), "\"blobs\":0"));
    CHECK(holds(space.blobs(), "\"referenced\":true"));
    space.delete_object(object);
    CHECK(holds(space.collect_blobs(std::chrono::seconds(0)), "\"blobs\":1"));
    CHECK(!space.blob_info(id).has_value());

    auto fetch = space.fetch_blob(id);
    CHECK(holds(fetch.progress(), "\"state\":\"fetching\""));
    auto subscription = fetch.subscribe([](int32_t, std::string_view) {});
    try {
        fetch.wait(std::chrono::milliseconds(1));
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_NETWORK);
    }
    auto waiting = fetch.wait_start();
    space.put_blob(bytes);
    CHECK(waiting.wait());
    CHECK(holds(waiting.take_text(), "\"state\":\"done\""));
    fetch.cancel();
    client.shutdown();
    return 0;
}
