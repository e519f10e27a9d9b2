// The builder of queries gives what tests/golden/queries.json says, which all languages agree on,
// and what it gives is taken by the calls. The argument names that file.
#include "check.h"
#include "echodb.hpp"

#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

using echodb::Aggregation, echodb::Comparable, echodb::created, echodb::field, echodb::FieldKind;
using echodb::Filter, echodb::GroupKey, echodb::Link, echodb::Measure, echodb::Order;
using echodb::Query, echodb::RelationDirection, echodb::updated;

static const std::string OBJECT = "00000000000000000000000001";
static const std::string OTHER = "00000000000000000000000002";
static const std::string FOREIGN = "echo://" + std::string(52, 'a') + "/" + OBJECT;

using Built = std::vector<std::pair<std::string, std::string>>;

static void filters(Built &built) {
    const auto add = [&](const char *name, const Filter &filter) {
        built.emplace_back(name, Query(filter).json());
    };
    add("everything", Filter());
    add("type", Filter::type({"Note", "Task"}));
    add("no type", Filter::untyped());
    add("id", Filter::id({OBJECT, OTHER}));
    add("tag", Filter::tag({"red", "blue"}));
    add("key", Filter::key("github", "42"));
    add("any key", Filter::key("github"));
    add("deleted", Filter::deleted());
    add("no branch", Filter::branch(false));
    add("relation", Filter::relation());
    add("created", created() >= 1700000000000 && created() < 1800000000000);
    add("updated", updated() > 1700000000001 && updated() <= 1800000000001);
    add("search", Filter::search("\"red rose\" OR ros* -thorn"));
    add("search in", Filter::search("rose", {"title", "/body"}));
    const auto three = field("a") == 1 && field("b") == 2 && field("c") == 3;
    add("and, or, not", (three || field("d") == 4 || field("e") == 5) && !(field("f") == 6));
}

static void comparisons(Built &built) {
    const auto add = [&](const char *name, const Filter &filter) {
        built.emplace_back(name, Query(filter).json());
    };
    const auto n = field("n");
    add("equal", field("done") == false);
    add("equal to null", field("/a/b") == nullptr);
    add("different", field("a/~ \"b\"") != "say \"hi\"\\\n\t\x01 Z\u00fcrich \U0001F600");
    add("less", n < 2.5);
    add("at most", n <= -9223372036854775807);
    add("greater", n > "x");
    add("at least", n >= 9223372036854775807);
    add("between", n.between(0.1, 10));
    add("in", n.is_in({"a", 1, nullptr, true}));
    add("contains", field("tags").contains("home"));
    add("contains any", field("tags").contains_any({"a", "b"}));
    add("contains all", field("tags").contains_all({"a", "b"}));
    add("prefix", n.starts_with("ro"));
    std::vector<Filter> kinds;
    for (const auto kind : {FieldKind::Null, FieldKind::Boolean, FieldKind::Number,
                            FieldKind::String, FieldKind::List, FieldKind::Map}) {
        kinds.push_back(n.is_kind(kind));
    }
    add("kinds", Filter::any_of(kinds));
    add("there", n.exists());
    add("missing", n.is_missing());
    const std::chrono::system_clock::time_point due(std::chrono::seconds(1780272000));
    add("kinds of values",
        field("raw") == Comparable::bytes(std::string("\0\xff", 2)) && field("due") < due &&
            field("owner") == "echo:" + OBJECT && field("author") == FOREIGN &&
            field("file") == "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq");
}

static void links(Built &built) {
    const auto add = [&](const char *name, const Filter &filter) {
        built.emplace_back(name, Query(filter).json());
    };
    add("linked",
        Filter::any_of({Link::parent().exists(), Link::child().exists(), Link::ancestor().exists(),
                        Link::descendant().exists(), Link::refers_to().exists(),
                        Link::referred_by().exists(), Link::source().exists(),
                        Link::target().exists(), Link::source_of().exists(),
                        Link::target_of().exists(),
                        Link::related().direction(RelationDirection::Both).exists()}));
    add("linked to", Link::parent().to({OBJECT, OTHER}) || Link::ancestor().to(OBJECT) ||
                         Link::refers_to().to(FOREIGN) ||
                         Link::refers_to().at("/author").to(OBJECT));
    add("child of", Filter::child_of(OBJECT));
    add("no link",
        Link::parent().is_none() || Link::source().is_none() || Link::target().is_none());
    const auto ada = Filter::type("Person") && field("name") == "Ada";
    add("references", Link::refers_to().at("/author").where(ada).exists() &&
                          Link::referred_by().at("by").where(Filter::deleted()).exists());
    const auto friends = Link::related()
                             .type({"Knows", "Likes"})
                             .direction(RelationDirection::Out)
                             .via(Filter::tag("old"))
                             .where(Filter::tag("friend"));
    add("related",
        friends.exists() && Link::related().direction(RelationDirection::In).exists());
}

static void whole(Built &built) {
    const auto knows = Link::related().type("Knows").direction(RelationDirection::In);
    built.emplace_back("steps", Query(Filter::type("Project"))
                                    .follow(Link::descendant().where(Filter::type("Task")))
                                    .follow(Link::refers_to().at("/assignee"))
                                    .follow(knows)
                                    .follow(Link::child())
                                    .json());
    built.emplace_back("order", Query()
                                    .order(created().ascending())
                                    .order(updated().descending())
                                    .order(Order::by_id())
                                    .order(Order::by_type())
                                    .order(Order::by_parent().descending())
                                    .order(field("due").descending())
                                    .order(Order::by_field("/rank"))
                                    .order(field("a/~b").ascending())
                                    .json());
    built.emplace_back("by rank", Query(Filter::search("rose")).order(Order::by_rank()).json());
    built.emplace_back("window", Query().limit(10).skip(20).json());
    built.emplace_back("no results", Query().limit(0).json());
    built.emplace_back("aggregation", Aggregation(Filter::type("Order"))
                                          .follow(Link::child())
                                          .group("status")
                                          .group(GroupKey::by_tag())
                                          .group(GroupKey::by_type())
                                          .group(GroupKey::by_parent())
                                          .measure("n", Measure::sum("replaced"))
                                          .measure("filled", Measure::count_of("price"))
                                          .measure("low", Measure::min("price"))
                                          .measure("high", Measure::max(field("price")))
                                          .measure("first", Measure::min(created()))
                                          .measure("latest", Measure::max(updated()))
                                          .measure("total", Measure::sum("price"))
                                          .measure("mean \"x\"", Measure::avg("price"))
                                          .measure("n", Measure::count())
                                          .order_descending("total")
                                          .order("n")
                                          .limit(10)
                                          .skip(1)
                                          .json());
    built.emplace_back("groups of relations", Aggregation(Filter::relation())
                                                  .group(GroupKey::by_source())
                                                  .group(GroupKey::by_target())
                                                  .json());
    built.emplace_back("one group", Aggregation().measure("n", Measure::count()).json());
}

/** The file has a query a line, written as all JSON writers write it that put no blanks. */
static std::map<std::string, std::string> expected(const char *file) {
    std::ifstream lines(file);
    std::map<std::string, std::string> queries;
    const std::string begin = "{\"name\":\"", middle = "\",\"query\":";
    for (std::string line; std::getline(lines, line);) {
        if (line.compare(0, begin.size(), begin) != 0) {
            continue;
        }
        const auto at = line.find(middle);
        CHECK(at != std::string::npos);
        const auto from = at + middle.size();
        queries[line.substr(begin.size(), at - begin.size())] =
            line.substr(from, line.rfind('}') - from);
    }
    return queries;
}

static void compare(const Built &built, std::map<std::string, std::string> queries) {
    for (const auto &[name, json] : built) {
        if (queries[name] != json) {
            std::fprintf(stderr, "%s:\n%s\n%s\n", name.c_str(), json.c_str(),
                         queries[name].c_str());
            std::exit(1);
        }
        queries.erase(name);
    }
    CHECK(queries.empty());
}

static void corners() {
    CHECK((field("a") == 0.1).json() == R"({"field":"a","op":"eq","value":0.1})");
    CHECK((field("a") == 2.0).json() == R"({"field":"a","op":"eq","value":2.0})");
    CHECK((field("a") == 1e300).json() == R"({"field":"a","op":"eq","value":1e+300})");
    CHECK((field("a") == 1 / 3.0).json() ==
          R"({"field":"a","op":"eq","value":0.3333333333333333})");
    CHECK(Filter::all_of({}).json() == R"({"and":[]})");
    CHECK((Filter::all_of({}) && Filter::tag("a")).json() == R"({"and":[{"tag":["a"]}]})");
    CHECK(Filter::key("s", {"a", "b"}).json() == R"({"key":{"source":"s","key":["a","b"]}})");
}

/** What is built goes wherever a query goes. */
static void asked() {
    echodb::ClientOptions options;
    options.online(false);
    auto client = echodb::Client::open(options);
    client.create_identity("Ada");
    auto space = client.create_space("{}");
    const auto subscription = space.subscribe(Filter::type("Note"), [](std::string_view) {});
    for (int n = 0; n < 3; ++n) {
        space.create("Note", "{\"n\": " + std::to_string(n) + "}");
    }
    const auto notes = Filter::type("Note");
    const auto some = notes && field("n") > 0;
    const auto found = space.query(Query(some).order(field("n").descending()).limit(1));
    CHECK(found.find("\"n\":2") != std::string::npos);
    CHECK(space.query(some).find("\"n\":1") != std::string::npos);
    const auto old = notes && created() < std::chrono::system_clock::time_point();
    CHECK(client.query(old) == "[]");
    CHECK(space.query_page(Query(notes).limit(1)).find("\"next\":\"") != std::string::npos);
    CHECK(space.aggregate(Aggregation(some).measure("sum", Measure::sum("n"))) ==
          R"([{"group":[],"values":{"sum":3}}])");
    CHECK(space.explain(some).find("objects_type") != std::string::npos);
    const auto live = space.live_queue(Query(some), std::chrono::milliseconds(0));
    try {
        space.query(Link::parent().at("n").exists());
        CHECK(false);
    } catch (const echodb::Error &error) {
        CHECK(error.status() == ECHODB_INVALID_ARGUMENT);
    }
    client.shutdown();
}

int main(int, char **arguments) {
    Built built;
    filters(built);
    comparisons(built);
    links(built);
    whole(built);
    compare(built, expected(arguments[1]));
    corners();
    asked();
    return 0;
}
