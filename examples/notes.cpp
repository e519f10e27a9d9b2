// Makes a note in a database in memory and finds it again.
// README-BEGIN
#include <echodb.hpp>
#include <iostream>

int main() {
    try {
        auto client = echodb::Client::open(echodb::ClientOptions());
        client.create_identity("Ada");
        auto space = client.create_space(R"({"name": "Notes"})");
        auto listener = [](std::string_view changes) { std::cerr << changes << "\n"; };
        auto subscription = space.subscribe(R"({"type": "Note"})", listener);
        space.create("Note", R"({"title": "Hello"})");
        auto hello = echodb::Filter::type("Note") && echodb::field("title").starts_with("Hel");
        std::cout << space.query(hello) << "\n";
        client.shutdown();
    } catch (const echodb::Error &error) {
        std::cerr << error.what() << "\n";
        return error.status();
    }
}
// README-END
