// Conditions on versions, undo and redo, the log, earlier versions and branches from C++.
#include "check.h"
#include "echodb.hpp"

#include <string>

static bool holds(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

static std::string version(const echodb::Space &space, const std::string &id) {
    const auto object = space.get_object(id).value();
    const auto start = object.find("\"heads\":") + 8;
    return object.substr(start, object.find(']', start) + 1 - start);
}

int main() {
    echodb::ClientOptions options;
    options.online(false);
    auto client = echodb::Client::open(options);
    client.create_identity("Ada");
    auto space = client.create_space("{}");
    const auto id = space.create("Note", R"({"n": 1})");
    const auto first = version(space, id);
    for (const char *fields : {R"({"n": 2})", R"({"n": 3})"}) {
        auto tx = space.transaction();
        tx.only_if(id, first);
        tx.group("both");
        tx.update(id, fields);
        try {
            tx.commit();
            CHECK(std::string(fields) == R"({"n": 2})");
        } catch (const echodb::Error &error) {
            CHECK(error.status() == ECHODB_CONFLICT);
        }
    }
    const auto second = version(space, id);
    CHECK(holds(space.get_at(id, first), R"("n":1)"));
    CHECK(holds(space.diff(id, first, second), R"("op":"set")"));
    CHECK(holds(space.undo().value(), R"("skipped":[])"));
    CHECK(holds(space.get_object(id).value(), R"("n":1)"));
    CHECK(space.redo().has_value() && !space.redo().has_value());
    space.restore_version(id, first);
    CHECK(holds(space.get_object(id).value(), R"("n":1)"));
    CHECK(holds(space.log(1), R"("message":"restore")"));
    CHECK(holds(space.log(1), R"("versions":[{)") && holds(space.log(1), version(space, id)));
    CHECK(holds(space.history(id), R"("identity":")") && holds(space.history(id), R"("device":")"));
    const auto branch = space.branch(id, "draft");
    CHECK(holds(space.branches(id), branch));
    space.update(branch, R"({"n": 9})");
    space.merge_branch(branch);
    CHECK(holds(space.get_object(id).value(), R"("n":9)"));
    client.shutdown();
    return 0;
}
