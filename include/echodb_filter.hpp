/*
 * Filters and orders of queries as C++17 expressions; the first half of echodb_query.hpp, which
 * says how they are used.
 */
#ifndef ECHODB_FILTER_HPP
#define ECHODB_FILTER_HPP

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <locale>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace echodb {

namespace detail {

/** A string as JSON. */
inline std::string json_string(std::string_view text) {
    std::string json = "\"";
    for (const char c : text) {
        switch (c) {
        case '"': json += "\\\""; break;
        case '\\': json += "\\\\"; break;
        case '\b': json += "\\b"; break;
        case '\f': json += "\\f"; break;
        case '\n': json += "\\n"; break;
        case '\r': json += "\\r"; break;
        case '\t': json += "\\t"; break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                char escape[8];
                std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
                json += escape;
            } else {
                json += c;
            }
        }
    }
    return json + "\"";
}

/** A number with a fraction as JSON: no more digits than it takes to read it back. */
inline std::string json_double(double number) {
    if (!std::isfinite(number)) {
        return "null";
    }
    std::string json;
    for (int digits = 15; digits <= 17; ++digits) {
        // The program's locale may write a comma.
        std::ostringstream written;
        written.imbue(std::locale::classic());
        written.precision(digits);
        written << number;
        json = written.str();
        std::istringstream read(json);
        read.imbue(std::locale::classic());
        double again = 0;
        if (read >> again && again == number) {
            break;
        }
    }
    return json.find_first_of(".e") == std::string::npos ? json + ".0" : json;
}

/** A list of JSON, without its brackets. */
template <typename Items, typename Write>
std::string json_items(const Items &items, Write &&write) {
    std::string json;
    for (const auto &item : items) {
        if (!json.empty()) {
            json += ',';
        }
        json += write(item);
    }
    return json;
}

/** A list of what has JSON. */
template <typename Items> std::string json_list(const Items &items) {
    return "[" + json_items(items, [](auto &each) { return each.json(); }) + "]";
}

/** The JSON Pointer to a field. A bare name could be taken for a key that every object has. */
inline std::string pointer(std::string_view path) {
    if (!path.empty() && path.front() == '/') {
        return std::string(path);
    }
    std::string pointer = "/";
    for (const char c : path) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
    return pointer;
}

inline int64_t since_1970(std::chrono::system_clock::time_point time) {
    return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

} // namespace detail

/** One name or several, as types, tags and ids are given: `"red"`, `{"red", "blue"}`. */
class Names {
  public:
    Names() = default;
    Names(const char *name) : names_{name} {}
    Names(std::string_view name) : names_{std::string(name)} {}
    Names(std::string name) : names_{std::move(name)} {}
    Names(std::initializer_list<std::string_view> names) : names_(names.begin(), names.end()) {}
    Names(std::vector<std::string> names) : names_(std::move(names)) {}

    bool empty() const noexcept { return names_.empty(); }
    size_t size() const noexcept { return names_.size(); }

    /** The list as JSON. */
    std::string json() const {
        const auto write = [](auto &name) { return detail::json_string(name); };
        return "[" + detail::json_items(names_, write) + "]";
    }

    /** The list, or its one name alone, as JSON. */
    std::string json_or_one() const {
        return size() == 1 ? detail::json_string(names_.front()) : json();
    }

  private:
    std::vector<std::string> names_;
};

/**
 * A value that fields are compared with: nullptr, a bool, a number, a string, or a time, which
 * fields hold in milliseconds since 1970. Integers have 64 bits and a sign; numbers that are not
 * finite are null. A reference is the string `echo:OBJECT` or `echo://SPACE/OBJECT`, a blob its id.
 */
class Comparable {
  public:
    Comparable(std::nullptr_t) : json_("null") {}
    template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number> &&
                                                           !std::is_same_v<Number, char>>>
    Comparable(Number number) {
        if constexpr (std::is_same_v<Number, bool>) {
            json_ = number ? "true" : "false";
        } else if constexpr (std::is_floating_point_v<Number>) {
            json_ = detail::json_double(static_cast<double>(number));
        } else {
            json_ = std::to_string(number);
        }
    }
    Comparable(const char *text) : json_(detail::json_string(text)) {}
    Comparable(std::string_view text) : json_(detail::json_string(text)) {}
    Comparable(const std::string &text) : json_(detail::json_string(text)) {}
    Comparable(std::chrono::system_clock::time_point time)
        : json_(std::to_string(detail::since_1970(time))) {}

    /** Bytes. */
    static Comparable bytes(std::string_view held) {
        const char *const digits = "0123456789abcdef";
        std::string text;
        for (const char c : held) {
            const auto byte = static_cast<unsigned char>(c);
            text += {digits[byte >> 4], digits[byte & 15]};
        }
        return Comparable(text);
    }

    const std::string &json() const noexcept { return json_; }

  private:
    std::string json_;
};

/**
 * What objects must satisfy. Combined with `&&`, `||` and `!`, of which both sides are evaluated;
 * comparisons are made by field(), created(), updated() and Link.
 *
 * Deleted objects are left out by a filter that does not mention deleted(), branches by one that
 * does not mention branch(). That holds of each filter within a link by itself.
 */
class Filter {
  public:
    /** Everything in sight. */
    Filter() : json_("{}") {}

    /** Objects of one of these types. */
    static Filter type(const Names &names) { return of("type", names.json()); }

    /** Objects without a type. */
    static Filter untyped() { return of("type", "[null]"); }

    /** The objects of these ids. */
    static Filter id(const Names &ids) { return of("id", ids.json()); }

    /**
     * The children of the object of this id. Those of several are found by Link::to(), those at any
     * depth by Link::ancestor(), objects without a parent by Link::is_none().
     */
    static Filter child_of(std::string_view parent) {
        return of("parent", detail::json_string(parent));
    }

    /** Objects with one of these tags. */
    static Filter tag(const Names &tags) { return of("tag", tags.json()); }

    /**
     * Objects that have one of these keys in another system, `source`, or any key there; that of
     * natural keys is `natural`.
     */
    static Filter key(std::string_view source, const Names &keys = {}) {
        std::string key = "{\"source\":" + detail::json_string(source);
        if (!keys.empty()) {
            key += ",\"key\":" + keys.json_or_one();
        }
        return of("key", key + "}");
    }

    /** Deleted objects and what is below them; or the others. */
    static Filter deleted(bool is = true) { return of("deleted", is ? "true" : "false"); }

    /** Branches of other objects; or the others. */
    static Filter branch(bool is = true) { return of("branch", is ? "true" : "false"); }

    /** Relations, which are objects with a source or a target; or the others. */
    static Filter relation(bool is = true) { return of("relation", is ? "true" : "false"); }

    /**
     * Objects in whose strings and texts the words occur: `red rose`, `"a phrase"`, `ros*`,
     * `-thorn`, `rose OR tulip`; in at most 8 fields and what is below them, or in all. The words
     * have at most 4096 bytes and are at most 64; a query has at most 16 searches.
     */
    static Filter search(std::string_view words, const Names &in = {}) {
        std::string search = detail::json_string(words);
        if (!in.empty()) {
            search += ",\"in\":" + in.json();
        }
        return of("search", search);
    }

    /** Objects that satisfy all of the filters; of none, everything. */
    static Filter all_of(const std::vector<Filter> &filters) { return list("and", filters); }

    /** Objects that satisfy at least one of the filters; of none, nothing. */
    static Filter any_of(const std::vector<Filter> &filters) { return list("or", filters); }

    /** Objects that satisfy both. */
    friend Filter operator&&(const Filter &left, const Filter &right) {
        return join("and", left, right);
    }

    /** Objects that satisfy at least one. */
    friend Filter operator||(const Filter &left, const Filter &right) {
        return join("or", left, right);
    }

    /** Objects that do not satisfy it. */
    friend Filter operator!(const Filter &filter) { return of("not", filter.json_); }

    const std::string &json() const noexcept { return json_; }
    operator std::string_view() const noexcept { return json_; }

  private:
    friend class Clock;
    friend class Field;
    friend class Link;

    static Filter of(std::string_view key, std::string_view json) {
        Filter filter;
        filter.json_ = "{\"" + std::string(key) + "\":" + std::string(json) + "}";
        return filter;
    }

    static Filter list(std::string_view key, const std::vector<Filter> &filters) {
        return listing(key, detail::json_items(filters, [](auto &each) { return each.json_; }));
    }

    static Filter listing(std::string_view key, const std::string &items) {
        Filter filter = of(key, "[" + items + "]");
        filter.list_ = key == "and" ? List::And : List::Or;
        filter.items_ = items;
        return filter;
    }

    /** `a && b && c` is one list, not a tree, of which depth is bounded. */
    static Filter join(std::string_view key, const Filter &left, const Filter &right) {
        const auto kind = key == "and" ? List::And : List::Or;
        std::string items;
        for (const Filter *each : {&left, &right}) {
            const std::string &more = each->list_ == kind ? each->items_ : each->json_;
            items += items.empty() || more.empty() ? more : "," + more;
        }
        return listing(key, items);
    }

    enum class List { None, And, Or };

    std::string json_;
    List list_ = List::None;
    std::string items_;
};

/**
 * A key that results are sorted by. Results that agree in all keys are sorted by id, but come as
 * they were found where they are sorted by rank alone.
 */
class Order {
  public:
    /** By a field, the smallest first: null or missing, booleans, numbers, strings, lists, maps. */
    static Order by_field(std::string_view path) { return Order(detail::pointer(path)); }

    /** By the time of creation, the oldest first. */
    static Order by_created() { return Order("created"); }

    /** By the time of the last change, the oldest first. */
    static Order by_updated() { return Order("updated"); }

    /** By id, which is roughly the order of creation. */
    static Order by_id() { return Order("id"); }

    /** By the name of the type, objects without one first. */
    static Order by_type() { return Order("type"); }

    /** By the parent's id, objects without a parent first. */
    static Order by_parent() { return Order("parent"); }

    /**
     * By how well objects fit the Filter::search() that all results satisfy, the best first.
     * Without such a search, with steps, and in pages, the query is refused with
     * ECHODB_INVALID_ARGUMENT.
     */
    static Order by_rank() { return Order("rank"); }

    /** The same key, the last first. */
    Order descending() const {
        Order order = *this;
        order.descending_ = true;
        return order;
    }

    std::string json() const {
        return "{\"by\":" + detail::json_string(by_) +
               ",\"desc\":" + (descending_ ? "true" : "false") + "}";
    }

  private:
    friend class Aggregation;

    explicit Order(std::string by) : by_(std::move(by)) {}

    std::string by_;
    bool descending_ = false;
};

/** The kinds that comparisons tell apart. */
enum class FieldKind {
    Null,
    Boolean,
    /** Integers, floats, counters and timestamps. */
    Number,
    /** Strings, texts, bytes, references and blobs. */
    String,
    List,
    Map,
};

/**
 * A place in objects to compare with: a field by its name, or a place inside one by its JSON
 * Pointer.
 *
 * Values of different kinds are never equal and never in order: 1 is not true, and "1" is not 1. A
 * missing field satisfies only `!=`, is_missing() and what `!` turns round. Lists and maps equal
 * nothing. Strings compare by code point.
 */
class Field {
  public:
    explicit Field(std::string path) : path_(std::move(path)) {}

    /** The field is there and equals the value. */
    friend Filter operator==(const Field &field, const Comparable &value) {
        return field.test("eq", value.json());
    }

    /** `==` does not hold: another value, another kind, or no field at all. */
    friend Filter operator!=(const Field &field, const Comparable &value) {
        return field.test("ne", value.json());
    }

    /** The field is less than the value, a number or a string. */
    friend Filter operator<(const Field &field, const Comparable &value) {
        return field.test("lt", value.json());
    }

    /** The field is the value or less. */
    friend Filter operator<=(const Field &field, const Comparable &value) {
        return field.test("le", value.json());
    }

    /** The field is greater than the value. */
    friend Filter operator>(const Field &field, const Comparable &value) {
        return field.test("gt", value.json());
    }

    /** The field is the value or greater. */
    friend Filter operator>=(const Field &field, const Comparable &value) {
        return field.test("ge", value.json());
    }

    /** The field is the first value or greater, and the last or less. */
    Filter between(const Comparable &first, const Comparable &last) const {
        return test("between", {first, last});
    }

    /** The field equals one of the values. */
    Filter is_in(const std::vector<Comparable> &values) const { return test("in", values); }

    /** The field is a list with this element, or a string with this part. */
    Filter contains(const Comparable &value) const { return test("contains", value.json()); }

    /** contains() holds for one of the values. */
    Filter contains_any(const std::vector<Comparable> &values) const {
        return test("contains_any", values);
    }

    /** contains() holds for each of the values. */
    Filter contains_all(const std::vector<Comparable> &values) const {
        return test("contains_all", values);
    }

    /** The field is a string that begins so. */
    Filter starts_with(std::string_view prefix) const {
        return test("prefix", detail::json_string(prefix));
    }

    /** The field is there and of this kind. */
    Filter is_kind(FieldKind kind) const {
        static constexpr const char *names[] = {"\"null\"",   "\"boolean\"", "\"number\"",
                                                "\"string\"", "\"list\"",    "\"map\""};
        return test("kind", names[static_cast<size_t>(kind)]);
    }

    /** The field is there, null included. */
    Filter exists() const { return test("exists", "true"); }

    /** The field is not there. */
    Filter is_missing() const { return test("exists", "false"); }

    /** Sorts by the field, as Order::by_field() does. */
    Order ascending() const { return Order::by_field(path_); }

    /** Sorts by the field, the largest first. */
    Order descending() const { return ascending().descending(); }

    const std::string &path() const noexcept { return path_; }

  private:
    Filter test(std::string_view op, const std::string &json) const {
        return Filter::of("field", detail::json_string(path_) + ",\"op\":\"" + std::string(op) +
                                       "\",\"value\":" + json);
    }

    Filter test(std::string_view op, const std::vector<Comparable> &values) const {
        return test(op, detail::json_list(values));
    }

    std::string path_;
};

/** A field by its name, or a place inside one by its JSON Pointer (`"/address/city"`). */
inline Field field(std::string path) { return Field(std::move(path)); }

/** A point in time: milliseconds since 1970. */
struct Moment {
    Moment(int64_t since_1970) : ms(since_1970) {}
    Moment(std::chrono::system_clock::time_point time) : ms(detail::since_1970(time)) {}

    int64_t ms;
};

/** One of the two times that every object has; made by created() and updated(). */
class Clock {
  public:
    /** It was before. */
    friend Filter operator<(Clock clock, Moment moment) { return clock.test("lt", moment); }

    /** It was then or before. */
    friend Filter operator<=(Clock clock, Moment moment) { return clock.test("le", moment); }

    /** It was after. */
    friend Filter operator>(Clock clock, Moment moment) { return clock.test("gt", moment); }

    /** It was then or after. */
    friend Filter operator>=(Clock clock, Moment moment) { return clock.test("ge", moment); }

    /** Sorts by this time, the oldest first. */
    Order ascending() const { return is_created() ? Order::by_created() : Order::by_updated(); }

    /** Sorts by this time, the newest first. */
    Order descending() const { return ascending().descending(); }

    const char *name() const noexcept { return name_; }

  private:
    friend Clock created();
    friend Clock updated();

    explicit Clock(const char *name) : name_(name) {}

    bool is_created() const { return name_[0] == 'c'; }

    Filter test(std::string_view op, Moment moment) const {
        return Filter::of(name_,
                          "{\"" + std::string(op) + "\":" + std::to_string(moment.ms) + "}");
    }

    const char *name_;
};

/** When objects were created, by the clock of the device that did. */
inline Clock created() { return Clock("created"); }

/** When objects were last changed, by the clock of the device that did. */
inline Clock updated() { return Clock("updated"); }

} // namespace echodb

#endif
