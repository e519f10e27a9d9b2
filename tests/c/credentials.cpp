// Credentials through the C++ wrapper.
#include "echodb.hpp"

#include "check.h"

#include <string>

namespace {

template <typename Call> void fails(echodb_status wanted, Call &&call) {
    try {
        call();
    } catch (const echodb::Error &error) {
        CHECK(error.status() == wanted);
        return;
    }
    CHECK(false);
}

std::string member(const std::string &json, const std::string &key) {
    const auto start = json.find(key);
    CHECK(start != std::string::npos);
    const auto from = start + key.size();
    return json.substr(from, json.find('"', from) - from);
}

} // namespace

int main() {
    echodb::ClientOptions options;
    options.online(false);
    const auto ada = echodb::Client::open(options);
    const auto bob = echodb::Client::open(options);
    ada.create_identity("Ada");
    const auto subject = member(bob.create_identity("Bob"), "\"identity\":\"");
    const std::string nonce(32, '\x07');

    const auto id = member(ada.issue_credential(subject, "diploma", "{\"n\": 1}"), "\"id\":\"");
    const auto bytes = ada.export_credential(id);
    const auto code = echodb::credential_code(bytes);
    CHECK(code.rfind("echodb-credential-", 0) == 0);
    CHECK(echodb::read_credential(code) == echodb::read_credential(bytes));
    CHECK(member(bob.import_credential(code), "\"id\":\"") == id);
    CHECK(bob.credentials().find(id) != std::string::npos);

    const auto shown = bob.present_credentials("[\"identity\",\"" + id + "\"]", nonce, "here");
    const auto found = echodb::verify_presentation(shown, nonce, "here");
    CHECK(found.find(subject) != std::string::npos && found.find(id) != std::string::npos);
    CHECK(ada.verify_presentation(shown, nonce, "here").find(id) != std::string::npos);
    fails(ECHODB_WRONG_NONCE,
          [&] { echodb::verify_presentation(shown, std::string(32, 'x'), "here"); });
    fails(ECHODB_WRONG_AUDIENCE, [&] { ada.verify_presentation(shown, nonce, "there"); });
    bob.remove_credential(id);
    fails(ECHODB_NOT_FOUND, [&] { bob.export_credential(id); });
    return 0;
}
