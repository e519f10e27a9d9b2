// What the C++ tests of several clients share.
#ifndef ECHODB_TEST_SUPPORT_HPP
#define ECHODB_TEST_SUPPORT_HPP

#include "check.h"
#include "echodb.hpp"

#include <chrono>
#include <string>
#include <thread>

inline bool has(const std::string &text, const std::string &piece) {
    return text.find(piece) != std::string::npos;
}

// Whether the call throws an error of that status.
template <typename Call> bool fails(echodb_status wanted, Call &&call) {
    try {
        call();
    } catch (const echodb::Error &error) {
        return error.status() == wanted && error.what()[0] != '\0';
    }
    return false;
}

// The string under a key of JSON text.
inline std::string string_of(const std::string &json, const std::string &key) {
    const std::string start = "\"" + key + "\":\"";
    const std::size_t at = json.find(start);
    CHECK(at != std::string::npos);
    const std::size_t from = at + start.size();
    return json.substr(from, json.find('"', from) - from);
}

// Waits for something that happens by itself, for a minute at most.
template <typename Test> void eventually(Test &&test) {
    for (int i = 0; !test(); i++) {
        CHECK(i < 6000);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

// A client in memory, without identity, that others find through a signalling server.
inline echodb::Client open_client(const char *url) {
    echodb::ClientOptions options;
    options.add_signaling(url).add_bind("127.0.0.1:0");
    return echodb::Client::open(options);
}

// Waits until the host shows its code and the guest is asked for it, enters it, and sees both end;
// what the guest's side led to.
inline std::string enter(const echodb::Invitation &hosting, const echodb::Invitation &joining) {
    using namespace std::chrono_literals;
    eventually([&] { return has(hosting.update(), "\"auth_code\":\""); });
    eventually([&] { return joining.state() == ECHODB_INVITATION_READY_FOR_AUTHENTICATION; });
    joining.authenticate(hosting.auth_code());
    const std::string joined = joining.wait(60s);
    CHECK(hosting.wait(60s) == joined);
    return joined;
}

#endif
