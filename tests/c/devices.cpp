// A laptop, a phone that becomes another device of the same identity, and clients that recover it,
// through the signalling server at argv[1].
#include "support.hpp"

#include <atomic>

namespace {

using namespace std::chrono_literals;

std::string device_of(const echodb::Client &client) {
    return string_of(client.identity().value(), "device");
}

bool lists(const echodb::Client &client, const std::string &space) {
    return has(client.spaces(), space);
}

// What the list of devices says of one.
std::string told_of(const echodb::Client &client, const std::string &device) {
    const std::string devices = client.devices();
    const std::size_t key = devices.find(device);
    CHECK(key != std::string::npos);
    const std::size_t start = devices.rfind('{', key);
    return devices.substr(start, devices.find('}', key) - start);
}

void link_devices(const echodb::Client &laptop, const echodb::Client &phone) {
    echodb::InviteOptions invite;
    invite.expires(600s);
    echodb::JoinOptions join;
    join.timeout(60s).device_name("Phone");
    const echodb::Invitation hosting = laptop.create_device_invitation(invite);
    CHECK(has(hosting.url(), "echodb://link/") && has(hosting.qr_svg(), "<svg"));
    // As many rows as columns, each module one byte.
    const std::string modules = hosting.qr_modules();
    std::size_t side = 0;
    while (side * side < modules.size()) {
        side++;
    }
    CHECK(side >= 21 && side * side == modules.size());
    // A client with an identity refuses it, whatever it is used for.
    CHECK(fails(ECHODB_INVITATION_REFUSED, [&] { laptop.join(hosting.code()); }));
    CHECK(fails(ECHODB_INVALID_STATE, [&] { laptop.join_device(hosting.code()); }));
    const echodb::Invitation joining = phone.join_device(hosting.code(), join);
    const std::string identity = enter(hosting, joining);
    CHECK(string_of(phone.identity().value(), "identity") == identity);
    CHECK(string_of(laptop.identity().value(), "identity") == identity);
}

// What the laptop does with its devices; the space that both have.
std::string name_and_revoke(const echodb::Client &laptop, const echodb::Client &phone) {
    std::atomic<int> heard = 0;
    const echodb::Subscription changes = laptop.subscribe_identity([&heard](int32_t change) {
        CHECK(change >= ECHODB_IDENTITY_SPACES && change <= ECHODB_IDENTITY_REVOKED);
        heard |= 1 << change;
        throw std::runtime_error("a listener's own fault");
    });
    const std::string id = phone.create_space(R"({"name": "Trip"})").id();
    eventually([&] { return lists(laptop, id); });
    eventually([&] { return (heard & (1 << ECHODB_IDENTITY_SPACES)) != 0; });

    const std::string device = device_of(phone);
    CHECK(has(told_of(laptop, device), R"("name":"Phone")"));
    laptop.rename_device(device, "Old phone");
    CHECK(has(told_of(laptop, device), R"("name":"Old phone")"));
    laptop.set_profile("Ada L.");
    CHECK(has(laptop.identity().value(), "Ada L."));
    eventually([&] { return has(phone.identity().value(), "Ada L."); });

    // Deleted on one device, a space stays on the others, and comes back when it is wanted.
    CHECK(fails(ECHODB_ALREADY_EXISTS, [&] { laptop.restore_space(id); }));
    laptop.delete_space(id);
    CHECK(!lists(laptop, id) && lists(phone, id));
    laptop.restore_space(id);
    CHECK(lists(laptop, id));
    eventually([&] { return has(laptop.space(id).info(), "Trip"); });

    CHECK(fails(ECHODB_NOT_FOUND, [&] { laptop.rename_device(id, "x"); }));
    CHECK(fails(ECHODB_PERMISSION_DENIED, [&] { phone.revoke_device(device_of(laptop)); }));
    laptop.space(id).rotate_key();
    laptop.revoke_device(device);
    CHECK(has(told_of(laptop, device), R"("revoked":true)"));
    eventually([&] {
        return fails(ECHODB_PERMISSION_DENIED, [&] { phone.default_space().create("T", "{}"); });
    });
    return id;
}

// Two phrases, of which the second one counts.
std::string phrase_of(const echodb::Client &laptop) {
    const std::string first = laptop.create_recovery_phrase();
    CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { laptop.replace_recovery_phrase("no words"); }));
    const std::string phrase = laptop.replace_recovery_phrase(first);
    CHECK(first != phrase);
    CHECK(fails(ECHODB_PERMISSION_DENIED, [&] { laptop.replace_recovery_phrase(first); }));
    return phrase;
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc == 2);
    {
        const echodb::Client laptop = open_client(argv[1]), phone = open_client(argv[1]);
        const echodb::Client found = open_client(argv[1]), last = open_client(argv[1]);
        CHECK(fails(ECHODB_INVALID_STATE, [&] { laptop.devices(); }));
        laptop.create_identity("Ada");
        link_devices(laptop, phone);
        const std::string id = name_and_revoke(laptop, phone);

        // A phrase brings the identity to a third client.
        const std::string phrase = phrase_of(laptop);
        echodb::RecoverOptions options;
        options.device_name("Found").timeout(300s).revoke_older(false);
        CHECK(fails(ECHODB_INVALID_ARGUMENT, [&] { found.recover_identity("no words", options); }));
        const echodb::Operation operation = found.recover_identity_start(phrase, options);
        CHECK(operation.wait(300s) && has(operation.take_text(), "Ada L."));
        eventually([&] { return lists(found, id); });
        const std::string device = device_of(found);
        CHECK(has(told_of(found, device), R"("recovered":true)"));
        CHECK(has(told_of(found, device_of(laptop)), R"("revoked":false)"));
        CHECK(fails(ECHODB_INVALID_STATE, [&] { found.recover_identity(phrase, options); }));

        // And to a fourth, which revokes all that were there.
        options.device_name("Last").revoke_older(true);
        CHECK(has(last.recover_identity(phrase, options), "Ada L."));
        for (const echodb::Client *client : {&laptop, &phone, &found}) {
            CHECK(has(told_of(last, device_of(*client)), R"("revoked":true)"));
        }
        CHECK(has(told_of(last, device_of(last)), R"("revoked":false)"));
        eventually([&] {
            return fails(ECHODB_PERMISSION_DENIED, [&] { laptop.space(id).create("T", "{}"); });
        });
        for (const echodb::Client *client : {&laptop, &phone, &found, &last}) {
            client->shutdown();
        }
    }
    CHECK(echodb::live_handles() == 0);
    return 0;
}
