// Every call of the C++ wrapper; two clients pair through the signalling server at argv[1].
#include "support.hpp"

#include <poll.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <type_traits>

std::string wrapper_alone();

namespace {

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<echodb::Client>);
static_assert(std::is_nothrow_move_constructible_v<echodb::Space>);

void library() {
    CHECK(wrapper_alone() == ECHODB_VERSION && echodb::version() == ECHODB_VERSION);
    CHECK(echodb::abi_version() == ECHODB_ABI_VERSION);
    CHECK(echodb::has_feature("webrtc") && !echodb::has_feature("x"));
    CHECK(echodb::status_name(ECHODB_NOT_FOUND) == "not_found");
}

echodb::Client lone(std::atomic<int> &records) {
    echodb::ClientOptions options;
    options.profile({}).online(false).coalesce(5ms).add_ice_server("stun:127.0.0.1:9");
    options.log(ECHODB_LOG_TRACE, [&records](int32_t, uint64_t, std::string_view target,
                                             std::string_view text) {
        CHECK(!target.empty() && !text.empty());
        records++;
        throw std::runtime_error("a listener's own fault");
    });
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { options.log(99, {}); }));
    return echodb::Client::open(options);
}

void spaces(const echodb::Client &client) {
    CHECK(!client.identity());
    CHECK(has(client.create_identity("Ada"), "Ada"));
    CHECK(has(client.identity().value(), "Ada"));
    const echodb::Space space = client.create_space(R"({"name": "Notes"})");
    CHECK(has(client.spaces(), space.id()) && has(client.status(), "online"));
    CHECK(client.space(space.id()).id() == space.id());
    CHECK(client.default_space().id() != space.id());
    CHECK(has(space.info(), "Notes"));
    space.set_properties(R"({"color": "red"})");
    CHECK(has(space.properties(), "red"));
    space.close();
    space.open();
    space.flush();
    CHECK(has(space.members(), "owner") && has(space.status(), "ready"));
    const auto members = space.subscribe_members([](std::string_view) {});
    members.cancel();
    CHECK(fails(ECHODB_PERMISSION_DENIED, [&] { space.leave(); }));
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { space.set_role("nobody", "editor"); }));
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { space.hand_over("nobody"); }));
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { space.remove_member("nobody"); }));
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { space.why("nobody", "read"); }));
    CHECK(client.contacts() == "[]" && space.excluded() == "[]");
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { space.resubmit("nothing"); }));
    CHECK(space.quarantined() == "[]" && space.digest().size() == 64);
    client.delete_space(space.id());
    CHECK(fails(ECHODB_NOT_FOUND, [&] { client.space(space.id()); }));
}

void objects(const echodb::Client &client) {
    const echodb::Space space = client.create_space("{}");
    const std::string id = space.create("Note", R"({"title": "a", "body": {"@text": "hi"}})");
    space.update(id, R"({"title": "b"})");
    CHECK(has(space.get_object(id).value(), "\"title\":\"b\""));
    CHECK(!space.get_object("01jd8mfcd0000000000000000z"));
    space.splice_text(id, "body", 2, 0, "!");
    CHECK(space.text_at(id, "body") == "hi!");
    CHECK(has(space.query(R"({"type": "Note"})"), id));
    CHECK(has(space.history(id), "parents"));
    const echodb::Space copy = client.create_space("{}");
    CHECK(copy.import_json(space.export_json()) == 1);
    space.delete_object(id);
    CHECK(has(space.get_object(id).value(), "\"deleted\":true"));
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { space.query("{"); }));
}

void transactions(const echodb::Client &client) {
    const char imported[] = "01jd8mfcd0000000000000000z";
    const echodb::Space space = client.default_space();
    const echodb::Transaction first = space.transaction();
    const std::string id = first.create({}, R"({"gone": 1, "body": {"@text": "hi"}})");
    const std::string committed = first.commit();
    const auto open = committed.find('[', committed.find("\"heads\""));
    const std::string heads = committed.substr(open, committed.find(']', open) + 1 - open);

    const echodb::Transaction tx = space.transaction();
    tx.create_with_id(imported, "Item", "{}");
    tx.update(id, R"({"n": {"@counter": 1}})");
    tx.set(id, "/list", "[1, 3]");
    tx.insert(id, "/list/1", "2");
    tx.remove(id, "gone");
    tx.splice_text(id, "body", 0, 1, "H");
    tx.increment(id, "n", 4);
    tx.set_parent(id, imported);
    tx.delete_object(imported);
    tx.restore(imported);
    tx.message("tidied");
    CHECK(has(tx.commit(), id));
    CHECK(has(space.get_object(id).value(), "[1,2,3]"));

    const echodb::Transaction past = space.transaction();
    past.at(heads);
    past.splice_text(id, "body", 2, 0, "!");
    past.commit();
    CHECK(space.text_at(id, "body") == "Hi!");
    const echodb::Transaction never = space.transaction();
    never.delete_object(id);
    never.cancel();
    CHECK(fails(ECHODB_INVALID_STATE, [&] { never.commit(); }));
}

void subscriptions(const echodb::Client &client) {
    const echodb::Space space = client.default_space();
    std::promise<std::string> heard;
    {
        const echodb::Subscription subscription =
            space.subscribe(R"({"type": "S"})", [&heard](std::string_view json) {
                heard.set_value(std::string(json));
                throw std::runtime_error("a listener's own fault");
            });
        const echodb::Subscription queue = space.subscribe_queue("{}");
        pollfd ready = {queue.fd(), POLLIN, 0};
        CHECK(!queue.next() && poll(&ready, 1, 0) == 0);
        const std::string id = space.create("S", "{}");
        CHECK(has(heard.get_future().get(), id));
        CHECK(poll(&ready, 1, 60000) == 1 && has(queue.next().value(), id));
        queue.cancel();
    }
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { space.subscribe("[", [](std::string_view) {}); }));
}

void operations() {
    echodb::ClientOptions options;
    options.online(false);
    const echodb::Operation opening = echodb::Client::open_start(options);
    std::promise<echodb_status> completed;
    opening.on_complete([&completed](echodb_status status) { completed.set_value(status); });
    CHECK(completed.get_future().get() == ECHODB_OK && opening.wait() && opening.is_done());
    opening.result();
    const echodb::Client client = opening.take_client();
    CHECK(fails(ECHODB_INVALID_STATE, [&] { opening.take_text(); }));
    client.create_identity("Op");
    CHECK(client.default_space().flush_start().wait(60s));
    const echodb::Operation closing = client.shutdown_start();
    closing.cancel();
    CHECK(closing.wait());
    client.shutdown();
}

echodb::Client online(const char *name, const char *url) {
    echodb::Client client = open_client(url);
    client.create_identity(name);
    return client;
}

std::string pair(const echodb::Space &here, const echodb::Client &guest) {
    echodb::InviteOptions invite;
    invite.expires(600s).include_signaling(true).history(true);
    echodb::JoinOptions join;
    join.timeout(60s);
    const echodb::Invitation hosting = here.invite(invite);
    CHECK(has(hosting.url(), "echodb://join/"));
    const echodb::Operation hosted = hosting.wait_start();
    const echodb::Invitation joining = guest.join(hosting.code(), join);
    std::promise<void> asked;
    const echodb::Subscription updates =
        joining.subscribe([&asked](int32_t state, std::string_view) {
            if (state == ECHODB_INVITATION_READY_FOR_AUTHENTICATION) {
                asked.set_value();
            }
        });
    asked.get_future().get();
    while (!has(hosting.update(), "\"auth_code\":\"")) {
        hosting.wait_change(ECHODB_INVITATION_CONNECTING, 60s);
    }
    joining.authenticate(hosting.auth_code());
    const std::string space = joining.wait(60s);
    CHECK(joining.state() == ECHODB_INVITATION_SUCCESS);
    CHECK(hosted.wait(60s) && hosted.take_text() == space);
    return space;
}

void two_clients(const char *url) {
    const echodb::Client ada = online("Ada", url), bob = online("Bob", url);
    const echodb::Space here = ada.create_space("{}");
    const std::string id = here.create("Note", R"({"title": "hello"})");
    const echodb::Space there = bob.space(pair(here, bob));
    eventually([&] { return here.digest() == there.digest(); });
    CHECK(has(there.get_object(id).value(), "hello"));
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { here.share_history("nobody"); }));
    CHECK(fails(ECHODB_PERMISSION_DENIED, [&] {
        there.share_history(string_of(bob.identity().value(), "identity"));
    }));
    const echodb::Invitation unused = here.invite();
    unused.cancel();
    CHECK(fails(ECHODB_CANCELLED, [&] { unused.wait(60s); }));
    CHECK(fails(ECHODB_ALREADY_EXISTS, [&] { ada.join(unused.code()); }));
    // One of a device is listed with the others, and ended by its name.
    const echodb::Invitation device = ada.create_device_invitation();
    const std::string listed = ada.invitations();
    CHECK(has(listed, R"("kind":"device")") && has(listed, device.id()));
    ada.cancel_invitation(device.id());
    CHECK(fails(ECHODB_CANCELLED, [&] { device.wait(60s); }));
    CHECK(!has(ada.invitations(), device.id()));
    CHECK(fails(ECHODB_NOT_FOUND, [&] { ada.cancel_invitation(device.id()); }));
    bob.set_online(false);
    ada.shutdown();
    bob.shutdown();
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc == 2);
    library();
    std::atomic<int> records = 0;
    {
        const echodb::Client client = lone(records);
        spaces(client);
        objects(client);
        transactions(client);
        subscriptions(client);
        client.shutdown();
    }
    CHECK(records > 0);
    operations();
    two_clients(argv[1]);
    CHECK(echodb::live_handles() == 0);
    return 0;
}
