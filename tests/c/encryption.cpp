// Encryption at rest from C++: passphrases and a key provider that throws.
#include "check.h"
#include "echodb.hpp"

#include <map>
#include <string>

static bool holds(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

template <typename Call> static void fails(echodb_status wanted, Call call) {
    try {
        call();
    } catch (const echodb::Error &error) {
        CHECK(error.status() == wanted);
        return;
    }
    CHECK(!"it fails");
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    const std::string path = argv[1];
    const auto options = [&] {
        echodb::ClientOptions made;
        made.online(false).profile(path);
        return made;
    };
    {
        auto client = echodb::Client::open(options().passphrase("one"));
        CHECK(holds(client.status(), "\"encryption\":\"passphrase\""));
        client.set_passphrase("one", "two");
        client.shutdown();
    }
    fails(ECHODB_WRONG_PASSPHRASE,
          [&] { echodb::Client::open(options().passphrase("one")); });
    {
        auto client = echodb::Client::open(options().passphrase("two"));
        client.set_passphrase("two", "");
        client.shutdown();
    }
    std::map<std::string, std::array<uint8_t, 32>> keys;
    bool locked = true;
    echodb::KeyProvider provider;
    provider.load = [&](std::string_view profile) -> std::optional<std::array<uint8_t, 32>> {
        if (locked) {
            throw std::runtime_error("locked");
        }
        const auto found = keys.find(std::string(profile));
        return found == keys.end() ? std::nullopt : std::optional(found->second);
    };
    provider.store = [&](std::string_view profile, const std::array<uint8_t, 32> &key) {
        keys[std::string(profile)] = key;
    };
    fails(ECHODB_KEY_UNAVAILABLE,
          [&] { echodb::Client::open(options().key_provider(provider)); });
    locked = false;
    for (int round = 0; round < 2; round++) {
        auto client = echodb::Client::open(options().key_provider(provider));
        CHECK(holds(client.status(), "\"encryption\":\"key_provider\""));
        CHECK(keys.size() == 1);
        client.shutdown();
    }
    fails(ECHODB_KEY_UNAVAILABLE,
          [&] { echodb::Client::open(options().encryption(ECHODB_ENCRYPTION_OFF)); });
    return 0;
}
