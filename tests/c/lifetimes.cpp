// The C++ wrapper's handles in numbers: listeners that throw, use the library, and outlive their
// client; handles moved and destroyed in every order and on several threads. Nothing may stay.
// argv[1] is a directory for a profile, argv[2] divides the numbers.
#define _POSIX_C_SOURCE 200809L
#include "echodb.hpp"

#include "check.h"
#include "growth.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr int CALLS = 100000;
constexpr int SUBSCRIPTIONS = 10000;
constexpr int CLIENTS = 1000;
constexpr int OPERATIONS = 400;
constexpr int THREADS = 4;
// Subscriptions that are open at the same time.
constexpr size_t OPEN = 16;

// What a listener holds: counts how many of its kind exist.
class Held {
  public:
    Held() { alive++; }
    Held(const Held &) { alive++; }
    ~Held() {
        CHECK(mark_ == 42);
        mark_ = 0;
        alive--;
    }
    void use() const { CHECK(mark_ == 42); }

    static std::atomic<int> alive;

  private:
    int mark_ = 42;
};

std::atomic<int> Held::alive = 0;
std::atomic<int> heard = 0;

// Throws what programs throw, and what no program should.
[[noreturn]] void fail(int turn) {
    if (turn % 2 == 0) {
        throw std::runtime_error("a listener's own fault");
    }
    throw turn;
}

struct Stage {
    const char *profile;
    int divisor;
    echodb::Client client;
    echodb::Space space;
    echodb::Invitation invitation;
    std::string object;
};

// Changes the object; to set what is there already would change nothing.
void touch(const Stage &stage) {
    static std::atomic<int> touches = 0;
    stage.space.update(stage.object, R"({"n": )" + std::to_string(++touches) + "}");
}

template <typename Condition> void wait_until(Condition &&condition) {
    for (int i = 0; !condition(); i++) {
        CHECK(i < 6000);
        std::this_thread::sleep_for(10ms);
    }
}

// Runs the work once to warm up, then again, after which nothing more may be held.
template <typename Work>
void steady(const char *what, const Stage &stage, Work &&work, int count, long slack_kb) {
    const int held = Held::alive;
    const auto settled = [held] { return Held::alive == held; };
    work(stage, count / stage.divisor / 4 + 1);
    wait_until(settled);
    const holding before = holding_now();
    work(stage, count / stage.divisor);
    wait_until(settled);
    check_growth(what, before, stage.divisor == 1 ? slack_kb : -1);
}

void calls(const Stage &stage, int count) {
    for (int i = 0; i < count; i++) {
        switch (i % 6) {
        case 0:
            CHECK(stage.space.id().size() == 52);
            break;
        case 1:
            CHECK(stage.space.get_object(stage.object));
            break;
        case 2:
            CHECK(stage.space.text_at(stage.object, "body") == "hello");
            break;
        case 3:
            CHECK(stage.client.default_space().id() == stage.space.id());
            break;
        case 4: {
            const echodb::Transaction never = stage.space.transaction();
            never.create({}, "{}");
            break;
        }
        default:
            try {
                stage.space.get_object("x");
                CHECK(false);
            } catch (const echodb::Error &error) {
                CHECK(error.status() == ECHODB_INVALID_ARGUMENT);
            }
        }
    }
}

echodb::Subscription subscribe(const Stage &stage, int kind) {
    const Held held;
    switch (kind) {
    case 0:
        return stage.space.subscribe_queue("{}");
    case 1:
        return stage.invitation.subscribe([held](int32_t state, std::string_view) {
            held.use();
            heard++;
            fail(state);
        });
    default:
        return stage.space.subscribe("{}", [held, kind](std::string_view) {
            held.use();
            heard++;
            fail(kind);
        });
    }
}

// Opened, moved about, and destroyed in another order while changes come in.
void subscriptions(const Stage &stage, int count) {
    std::vector<std::optional<echodb::Subscription>> open(OPEN);
    for (int i = 0; i < count; i++) {
        std::optional<echodb::Subscription> &slot = open[static_cast<size_t>(i) * 7 % OPEN];
        if (slot && i % 3 == 0) {
            slot->cancel();
        }
        slot = subscribe(stage, i % 4);
        std::swap(slot, open[static_cast<size_t>(i) % OPEN]);
        if (i % 50 == 0) {
            touch(stage);
        }
    }
}

echodb::ClientOptions options(bool online) {
    echodb::ClientOptions options;
    const Held held;
    options.online(online).add_bind("127.0.0.1:0");
    options.log(ECHODB_LOG_TRACE,
                [held](int32_t level, uint64_t, std::string_view, std::string_view) {
                    held.use();
                    fail(level);
                });
    return options;
}

// A client of which everything is destroyed before, or after it.
void client_in_pieces(int turn) {
    std::optional<echodb::Client> client = echodb::Client::open(options(true));
    client->create_identity("Ada");
    std::optional<echodb::Space> space = client->default_space();
    const Held held;
    std::optional<echodb::Subscription> changes =
        space->subscribe("{}", [held](std::string_view) { held.use(), fail(0); });
    const echodb::Transaction never = space->transaction();
    never.create({}, "{}");
    space->create({}, "{}");
    const echodb::Invitation invitation = space->invite();
    const echodb::Subscription updates =
        invitation.subscribe([held](int32_t, std::string_view) { held.use(), fail(1); });
    if (turn % 2 == 0) {
        client->shutdown();
    }
    switch (turn % 3) {
    case 0:
        client.reset(), space.reset();
        break;
    case 1:
        changes.reset(), client.reset();
        break;
    default:
        space.reset(), changes.reset();
    }
}

void clients(const Stage &stage, int count) {
    for (int i = 0; i < count; i++) {
        if (i % 4 == 0) {
            client_in_pieces(i / 4);
        } else if (i % 4 == 1) {
            const echodb::Operation opening = echodb::Client::open_start(options(false));
            CHECK(opening.wait());
            CHECK(opening.take_client().shutdown_start().wait());
        } else if (i % 4 == 2) {
            // The same profile again and again: it is released each time.
            echodb::Client::open(options(false).profile(stage.profile)).shutdown();
        } else {
            echodb::Client::open(options(false));
        }
    }
}

echodb::Operation start(const Stage &stage, int kind) {
    switch (kind) {
    case 0:
        return echodb::Client::open_start(options(false));
    case 1:
        return stage.space.flush_start();
    case 2:
        return stage.invitation.wait_start();
    default:
        return echodb::Client::open(options(false)).shutdown_start();
    }
}

// Every kind of operation, destroyed or cancelled at every stage, its listener throwing.
void operations(const Stage &stage, int count) {
    for (int i = 0; i < count; i++) {
        const int kind = i % 4, before = heard;
        {
            const echodb::Operation operation = start(stage, kind);
            const Held held;
            operation.on_complete([held, i](echodb_status) {
                held.use();
                heard++;
                fail(i);
            });
            switch (i / 4 % 4) {
            case 0:
                break;
            case 1:
                operation.cancel();
                CHECK(operation.is_done());
                break;
            case 2: {
                std::thread other([&] { operation.cancel(); });
                CHECK(operation.wait());
                other.join();
                break;
            }
            default:
                CHECK(kind == 2 || operation.wait());
            }
        }
        CHECK(heard == before + 1);
    }
}

void several_threads(const Stage &stage, int rounds) {
    for (int round = 0; round < rounds; round++) {
        std::vector<std::thread> threads;
        for (int me = 0; me < THREADS; me++) {
            threads.emplace_back([&stage, me] {
                calls(stage, 60);
                subscriptions(stage, 60);
                const echodb::Transaction tx = stage.space.transaction();
                tx.set(stage.object, "by", std::to_string(me));
                tx.commit();
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
    }
}

// Listeners that use the library, and end their own subscription.
void reentry(const Stage &stage, int count) {
    for (int i = 0; i < count; i++) {
        std::atomic<echodb_subscription *> own = nullptr;
        std::atomic<bool> done = false;
        const Held held;
        const echodb::Subscription subscription =
            stage.space.subscribe(R"({"type": "Note"})", [&, held](std::string_view) {
                const echodb::Subscription other = subscribe(stage, 2);
                stage.space.create("Other", "{}");
                echodb::Client::open(options(false)).create_identity("Inner");
                while (own == nullptr) {
                    std::this_thread::yield();
                }
                echodb_subscription_cancel(own);
                held.use();
                done = true;
                fail(1);
            });
        touch(stage);
        own = subscription.get();
        wait_until([&] { return done.load(); });
    }
}

Stage set_up(char **argv) {
    echodb::ClientOptions bound;
    bound.add_bind("127.0.0.1:0");
    echodb::Client client = echodb::Client::open(bound);
    client.create_identity("Lone");
    echodb::Space space = client.default_space();
    echodb::Invitation invitation = space.invite();
    std::string object = space.create("Note", R"({"n": 0, "body": {"@text": "hello"}})");
    return Stage{argv[1], std::atoi(argv[2]), std::move(client), std::move(space),
                 std::move(invitation), std::move(object)};
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc == 3 && std::atoi(argv[2]) > 0);
    {
        const Stage stage = set_up(argv);
        steady("calls", stage, calls, CALLS, 1024);
        steady("subscriptions", stage, subscriptions, SUBSCRIPTIONS, 2048);
        steady("reentry", stage, reentry, 40, 8192);
        steady("operations", stage, operations, OPERATIONS, 4096);
        steady("threads", stage, several_threads, 20, 4096);
        steady("clients", stage, clients, CLIENTS, 4096);
        stage.client.shutdown();
    }
    CHECK(heard > 0 && Held::alive == 0);
    CHECK(echodb::live_handles() == 0);
    return 0;
}
