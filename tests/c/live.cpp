// Live queries from C++: with a listener, and fetched.
#include "check.h"
#include "echodb.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

static bool holds(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

int main() {
    echodb::ClientOptions options;
    options.online(false);
    auto client = echodb::Client::open(options);
    client.create_identity("Ada");
    auto space = client.create_space("{}");
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> batches;
    auto wait = [&](size_t least) {
        std::unique_lock<std::mutex> lock(mutex);
        CHECK(changed.wait_for(lock, std::chrono::seconds(60),
                               [&] { return batches.size() >= least; }));
        return batches[least - 1];
    };
    auto live = space.live(R"({"type": "Task"})", std::chrono::milliseconds(5),
                           [&](std::string_view json) {
                               std::lock_guard<std::mutex> lock(mutex);
                               batches.emplace_back(json);
                               changed.notify_all();
                           });
    CHECK(holds(wait(1), R"("initial":true,"total":0,"changes":[])"));
    const auto id = space.create("Task", "{}");
    CHECK(holds(wait(2), R"({"kind":"added","id":")" + id + R"(","index":0,"object":)"));
    live.cancel();
    space.create("Task", "{}");
    auto queue = space.live_queue(R"({"type": "Task"})");
    CHECK(queue.fd() >= 0);
    CHECK(holds(queue.next().value(), R"("total":2)"));
    CHECK(!queue.next());
    try {
        space.live_queue("{}", std::chrono::hours(1));
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_INVALID_ARGUMENT);
    }
    CHECK(batches.size() == 2);
    client.shutdown();
    return 0;
}
