/*
 * Queries as C++17 expressions, which become the JSON that the calls of echodb.hpp take:
 *
 *     using echodb::field, echodb::Filter, echodb::Link, echodb::Query;
 *     auto open = Filter::type("Task") && (field("done") == false || field("due").is_missing());
 *     auto within = open && Link::ancestor().to(folder);
 *     space.query(Query(within).order(field("due").descending()).limit(10));
 *
 * Filter, Query and Aggregation can be given wherever a call takes a query: they convert to
 * std::string_view, a view of text that they hold. Keep the object while the view is in use, or
 * copy json(). Nothing here calls the library, so that this header can be used alone.
 *
 * Building never fails. What a query may not say is refused by the call that gets it: with
 * ECHODB_INVALID_ARGUMENT where it has no meaning, with ECHODB_LIMIT_EXCEEDED beyond the bounds,
 * which are 1,000 conditions nested 32 deep, 1,000 values in a list, 16 steps, 64 links and 8 keys
 * of an order. Strings are UTF-8. Fields are named by their name or by a JSON Pointer, such as
 * "/address/city". docs/guide/query.md says what each part means.
 */
#ifndef ECHODB_QUERY_HPP
#define ECHODB_QUERY_HPP

#include "echodb_filter.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace echodb {

/** Which way relations are followed. */
enum class RelationDirection {
    /** From source to target. */
    Out,
    /** From target to source. */
    In,
    Both,
};

/**
 * A way from an object to others: a condition (exists(), to(), is_none()), or a step that a query
 * follows.
 *
 * It leads within the space, to every object in sight at its other end, unless where() narrows it.
 * An option that says nothing of a link is refused with ECHODB_INVALID_ARGUMENT. Options leave the
 * link as it is, and return another.
 */
class Link {
  public:
    /** To the parent. */
    static Link parent() { return Link("parent"); }

    /** To the children. */
    static Link child() { return Link("child"); }

    /** To the parent, its parent, and so on. */
    static Link ancestor() { return Link("ancestor"); }

    /** To the children, theirs, and so on. */
    static Link descendant() { return Link("descendant"); }

    /** To what an object refers to, in any field, or at one place. */
    static Link refers_to() { return Link("refers_to"); }

    /** To what refers to an object, in any field, or at one place. */
    static Link referred_by() { return Link("referred_by"); }

    /** From a relation to where it begins. */
    static Link source() { return Link("source"); }

    /** From a relation to where it ends. */
    static Link target() { return Link("target"); }

    /** To the relations that begin at an object. */
    static Link source_of() { return Link("source_of"); }

    /** To the relations that end at an object. */
    static Link target_of() { return Link("target_of"); }

    /** To the other ends of an object's relations. */
    static Link related() { return Link("related"); }

    /** For references: only those at this field, or below it. */
    Link at(std::string_view path) const { return with(&Link::path_, detail::json_string(path)); }

    /** For related(): relations of one of these types. */
    Link type(const Names &names) const { return with(&Link::type_, names.json()); }

    /** For related(): which way relations are followed. Without it, both. */
    Link direction(RelationDirection direction) const {
        // "both" is what a link says that says nothing.
        return with(&Link::direction_, direction == RelationDirection::Out  ? "\"out\""
                                       : direction == RelationDirection::In ? "\"in\""
                                                                            : "");
    }

    /** For related(): relations that satisfy the filter. */
    Link via(const Filter &filter) const { return with(&Link::via_, filter.json()); }

    /** Leads only to objects that satisfy the filter. */
    Link where(const Filter &filter) const { return with(&Link::where_, filter.json()); }

    /** Objects from which the link leads to at least one. */
    Filter exists() const { return Filter::of(name_, said()); }

    /**
     * Objects from which the link leads to one of these ids. They may be deleted, and where a link
     * may dangle they need not exist. For refers_to() a reference into another space is taken too
     * (`echo://SPACE/OBJECT`). Not beside where(), and not in steps.
     */
    Filter to(const Names &ids) const {
        const bool alone = said() == "true";
        return Filter::of(name_, alone ? ids.json() : with(&Link::id_, ids.json()).said());
    }

    /** Objects that have none: for parent(), source() and target(). Options are left out. */
    Filter is_none() const { return Filter::of(name_, "null"); }

    /** The step as JSON. */
    std::string json() const { return exists().json(); }

  private:
    explicit Link(const char *name) : name_(name) {}

    Link with(std::string Link::*option, std::string json) const {
        Link link = *this;
        link.*option = std::move(json);
        return link;
    }

    /** The options as JSON. */
    std::string said() const {
        std::string json;
        const auto add = [&](const char *key, const std::string &value) {
            if (!value.empty()) {
                json += (json.empty() ? "{\"" : ",\"") + std::string(key) + "\":" + value;
            }
        };
        add("path", path_);
        add("type", type_);
        add("direction", direction_);
        add("via", via_);
        add("id", id_);
        add("where", where_);
        return json.empty() ? "true" : json + "}";
    }

    const char *name_;
    // JSON each; empty where it is not said.
    std::string path_, type_, direction_, via_, id_, where_;
};

namespace detail {

/** What queries and aggregations have in common: where they begin, and their window. */
struct Asked {
    Filter filter;
    std::vector<Link> follow;
    std::vector<Order> order;
    std::optional<uint64_t> limit;
    uint64_t skip = 0;

    template <typename Item>
    static std::string list(const char *key, const std::vector<Item> &items) {
        if (items.empty()) {
            return {};
        }
        return ",\"" + std::string(key) + "\":" + json_list(items);
    }

    /** The JSON, with what stands between steps and order. */
    std::string json(const std::string &between = {}) const {
        std::string json = "{\"where\":" + filter.json() + list("follow", follow) + between;
        json += list("order", order);
        if (limit) {
            json += ",\"limit\":" + std::to_string(*limit);
        }
        if (skip != 0) {
            json += ",\"skip\":" + std::to_string(skip);
        }
        return json + "}";
    }
};

} // namespace detail

/**
 * What is asked of a space: a filter, steps from what it finds, an order and a window.
 *
 *     // The people to whom tasks in open projects are assigned.
 *     Query(Filter::type("Project") && Filter::tag("open"))
 *         .follow(Link::descendant().where(Filter::type("Task")))
 *         .follow(Link::refers_to().at("/assignee"))
 *         .order(field("name").ascending());
 */
class Query {
  public:
    /** What satisfies the filter, in the order of ids. Without one, everything in sight. */
    Query(Filter filter = {}) {
        asked_.filter = std::move(filter);
        write();
    }

    /**
     * Takes one more step, at most 16: it leads on from what was found so far. The result is where
     * the last one ends, each object once; order and window are about the result.
     */
    Query &follow(Link step) {
        asked_.follow.push_back(std::move(step));
        return write();
    }

    /** Adds a key to the order, at most 8; the first one weighs most. */
    Query &order(Order key) {
        asked_.order.push_back(std::move(key));
        return write();
    }

    /**
     * How many results there are at most. For pages: how large they are, 1 to 10,000, and 100
     * without this.
     */
    Query &limit(uint64_t limit) {
        asked_.limit = limit;
        return write();
    }

    /** How many of the first results are left out. A query for pages has no place for it. */
    Query &skip(uint64_t skip) {
        asked_.skip = skip;
        return write();
    }

    const std::string &json() const noexcept { return json_; }
    operator std::string_view() const noexcept { return json_; }

  private:
    Query &write() {
        json_ = asked_.json();
        return *this;
    }

    detail::Asked asked_;
    std::string json_;
};

/** What objects are grouped by. A string or a Field stands for by_field(). */
class GroupKey {
  public:
    GroupKey(const char *path) : GroupKey(by_field(path)) {}
    GroupKey(const std::string &path) : GroupKey(by_field(path)) {}
    GroupKey(const Field &field) : GroupKey(by_field(field.path())) {}

    /**
     * By a field. Missing and null are one group, 1 and 1.0 another; lists and maps are grouped
     * with their equals.
     */
    static GroupKey by_field(std::string_view path) { return named(detail::pointer(path)); }

    /** By the name of the type. */
    static GroupKey by_type() { return named("type"); }

    /** By the parent. */
    static GroupKey by_parent() { return named("parent"); }

    /** By where a relation begins. */
    static GroupKey by_source() { return named("source"); }

    /** By where a relation ends. */
    static GroupKey by_target() { return named("target"); }

    /** By tag: an object counts in the group of each of its tags, one without in that of null. */
    static GroupKey by_tag() { return named("tag"); }

    std::string json() const { return detail::json_string(key_); }

  private:
    GroupKey() = default;

    static GroupKey named(std::string key) {
        GroupKey group;
        group.key_ = std::move(key);
        return group;
    }

    std::string key_;
};

/** What a measure looks at: a field, by its name or JSON Pointer, or one of the two times. */
class Measured {
  public:
    Measured(const char *path) : name_(detail::pointer(path)) {}
    Measured(const std::string &path) : name_(detail::pointer(path)) {}
    Measured(const Field &field) : name_(detail::pointer(field.path())) {}
    Measured(Clock clock) : name_(clock.name()) {}

    std::string json() const { return detail::json_string(name_); }

  private:
    std::string name_;
};

/** What is measured of the objects of a group. */
class Measure {
  public:
    /** The number of objects. */
    static Measure count() { return Measure("\"count\""); }

    /** The number of objects that have the field, null left out. */
    static Measure count_of(const Measured &of) { return Measure("count", of.json()); }

    /**
     * The first in the order of results, of a field's numbers and strings, or of a time in
     * milliseconds since 1970; null of none.
     */
    static Measure min(const Measured &of) { return Measure("min", of.json()); }

    /** The last, likewise. */
    static Measure max(const Measured &of) { return Measure("max", of.json()); }

    /**
     * The sum of the field's numbers, other kinds left out; 0 of none. Exact for integers while it
     * fits 64 bits, else a float.
     */
    static Measure sum(std::string_view path) {
        return Measure("sum", detail::json_string(detail::pointer(path)));
    }

    /** The mean of the field's numbers, a float; null of none. */
    static Measure avg(std::string_view path) {
        return Measure("avg", detail::json_string(detail::pointer(path)));
    }

    const std::string &json() const noexcept { return json_; }

  private:
    explicit Measure(std::string json) : json_(std::move(json)) {}
    Measure(const char *name, const std::string &of)
        : json_("{\"" + std::string(name) + "\":" + of + "}") {}

    std::string json_;
};

/**
 * What to count, add up and compare of the objects that a query finds.
 *
 *     Aggregation(Filter::type("Order"))
 *         .group("status")
 *         .group(GroupKey::by_tag())
 *         .measure("total", Measure::sum("price"))
 *         .measure("latest", Measure::max(created()))
 *         .order_descending("total");
 */
class Aggregation {
  public:
    /**
     * Over what satisfies the filter. Without group() all objects are one group, which is there
     * even when nothing is found; without measure() they are counted, as `count`.
     */
    explicit Aggregation(Filter filter = {}) {
        asked_.filter = std::move(filter);
        write();
    }

    /** Takes one more step, at most 16, as Query::follow() does. */
    Aggregation &follow(Link step) {
        asked_.follow.push_back(std::move(step));
        return write();
    }

    /** Makes groups by one more key, at most 4, each once. */
    Aggregation &group(GroupKey key) {
        group_.push_back(std::move(key));
        return write();
    }

    /**
     * Measures something of each group, at most 16 things, under a name of the caller's; a name
     * that was given before means this from now on.
     */
    Aggregation &measure(std::string_view name, Measure measure) {
        for (auto &[known, before] : measures_) {
            if (known == name) {
                before = std::move(measure);
                return write();
            }
        }
        measures_.emplace_back(name, std::move(measure));
        return write();
    }

    /**
     * Sorts groups by a measure, the smallest first, at most by 8 of them; the first one weighs
     * most. Groups that agree come in the order of their keys.
     */
    Aggregation &order(std::string_view measure) { return order(Order(std::string(measure))); }

    /** As order(), the largest first. */
    Aggregation &order_descending(std::string_view measure) {
        return order(Order(std::string(measure)).descending());
    }

    /** How many groups there are at most. */
    Aggregation &limit(uint64_t limit) {
        asked_.limit = limit;
        return write();
    }

    /** How many of the first groups are left out. */
    Aggregation &skip(uint64_t skip) {
        asked_.skip = skip;
        return write();
    }

    const std::string &json() const noexcept { return json_; }
    operator std::string_view() const noexcept { return json_; }

  private:
    Aggregation &order(Order key) {
        asked_.order.push_back(std::move(key));
        return write();
    }

    Aggregation &write() {
        // Also without keys: it tells an aggregation from a query.
        std::string between = ",\"group\":" + detail::json_list(group_);
        if (!measures_.empty()) {
            between += ",\"aggregate\":{" + detail::json_items(measures_, [](auto &each) {
                return detail::json_string(each.first) + ":" + each.second.json();
            }) + "}";
        }
        json_ = asked_.json(between);
        return *this;
    }

    detail::Asked asked_;
    std::vector<GroupKey> group_;
    std::vector<std::pair<std::string, Measure>> measures_;
    std::string json_;
};

} // namespace echodb

#endif
