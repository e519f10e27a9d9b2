// Two guests of one invitation, what becomes of them as members, and a guest whom a member lets in,
// through the signalling server at argv[1].
#include "support.hpp"

#include <atomic>

namespace {

using namespace std::chrono_literals;

echodb::Client online(const char *name, const char *url) {
    echodb::Client client = open_client(url);
    client.create_identity(name);
    return client;
}

std::string identity_of(const echodb::Client &client) {
    return string_of(client.identity().value(), "identity");
}

// What a space says of a member.
std::string told_of(const echodb::Space &space, const echodb::Client &member) {
    const std::string members = space.members();
    const std::size_t start = members.find("\"identity\":\"" + identity_of(member));
    if (start == std::string::npos) {
        return {};
    }
    return members.substr(start, members.find("\"identity\":\"", start + 1) - start);
}

bool is(const echodb::Space &space, const echodb::Client &member, const std::string &role) {
    return has(told_of(space, member), "\"role\":\"" + role + "\"");
}

bool may(const echodb::Space &space, const echodb::Client &member, const char *action) {
    const std::string told = space.why(identity_of(member), action);
    CHECK(has(told, "\"summary\":\"") && has(told, "\"steps\":["));
    return has(told, "\"allowed\":true");
}

// Lets in the guest who comes next.
void let_in(const echodb::Invitation &hosting, const echodb::Client &guest) {
    const echodb::Invitation joining = guest.join(hosting.code());
    eventually([&] { return joining.state() == ECHODB_INVITATION_READY_FOR_AUTHENTICATION; });
    eventually([&] { return has(hosting.update(), "\"auth_code\":\""); });
    joining.authenticate(hosting.auth_code());
    joining.wait(60s);
}

void several_readers(const echodb::Space &here, const echodb::Client &bob,
                     const echodb::Client &cem) {
    echodb::InviteOptions options;
    options.role("boss");
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { here.invite(options); }));
    options.max_uses(2).role("reader");
    const echodb::Invitation hosting = here.invite(options);
    let_in(hosting, bob);
    eventually([&] { return hosting.state() == ECHODB_INVITATION_CONNECTING; });
    let_in(hosting, cem);
    CHECK(hosting.wait(60s) == here.id() && hosting.state() == ECHODB_INVITATION_SUCCESS);
    eventually([&] { return is(here, bob, "reader") && is(here, cem, "reader"); });
}

void roles_and_removal(const echodb::Space &here, const echodb::Client &bob,
                       const echodb::Client &cem) {
    const echodb::Space there = bob.space(here.id());
    CHECK(may(here, bob, "read") && !may(here, bob, "write"));
    CHECK(fails(ECHODB_PERMISSION_DENIED, [&] { there.create("T", "{}"); }));
    CHECK(fails(ECHODB_PERMISSION_DENIED, [&] { there.set_role(identity_of(bob), "owner"); }));
    std::atomic<int> told = 0;
    const echodb::Subscription events =
        there.subscribe_members([&told](std::string_view) { told++; });
    here.set_role(identity_of(bob), "editor");
    CHECK(is(here, bob, "editor") && may(here, bob, "write"));
    eventually([&] { return told > 0 && is(there, bob, "editor"); });
    const std::string id = there.create("T", R"({"by": "Bob"})");
    eventually([&] { return here.get_object(id).has_value(); });

    CHECK(fails(ECHODB_PERMISSION_DENIED, [&] { there.remove_member(identity_of(cem)); }));
    here.remove_member(identity_of(bob));
    CHECK(told_of(here, bob).empty() && !may(here, bob, "read") && !may(here, bob, "open"));
    CHECK(here.get_object(id).has_value());
    eventually([&] { return has(there.status(), "\"removed\":true"); });
    CHECK(fails(ECHODB_PERMISSION_DENIED, [&] { there.create("T", "{}"); }));
    // What is written from then on has another key.
    const std::string later = here.create("T", "{}");
    const echodb::Space with_cem = cem.space(here.id());
    eventually([&] { return with_cem.get_object(later).has_value(); });
    CHECK(!there.get_object(later).has_value());
}

// Whoever is a member lets the guest in, while the one who invites is offline.
void delegated(const echodb::Client &ada, const echodb::Space &here, const echodb::Client &cem,
               const echodb::Client &dan) {
    here.set_role(identity_of(cem), "admin");
    echodb::InviteOptions options;
    options.delegated(true).max_uses(1).role("editor").expires(600s);
    const echodb::Invitation hosting = here.invite(options);
    const std::string code = hosting.code();
    eventually([&] { return has(cem.invitations(), hosting.id()); });
    ada.set_online(false);
    const echodb::Invitation joining = dan.join(code);
    CHECK(joining.wait(60s) == here.id());
    const echodb::Space with_cem = cem.space(here.id());
    eventually([&] { return is(with_cem, dan, "editor") && may(with_cem, dan, "write"); });
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc == 2);
    {
        const echodb::Client ada = online("Ada", argv[1]), bob = online("Bob", argv[1]);
        const echodb::Client cem = online("Cem", argv[1]), dan = online("Dan", argv[1]);
        const echodb::Space here = ada.create_space("{}");
        several_readers(here, bob, cem);
        roles_and_removal(here, bob, cem);
        delegated(ada, here, cem, dan);
        for (const echodb::Client *client : {&ada, &bob, &cem, &dan}) {
            client->shutdown();
        }
    }
    CHECK(echodb::live_handles() == 0);
    return 0;
}
