//! What sources in C++, Kotlin and Swift declare for programs, as far as it shows in the layout that
//! these have: each declaration begins a line, members stand directly within the braces, or the
//! constructor's parentheses, of their type.

use super::declared::Language;
use std::collections::BTreeSet;

/// Something that has been begun and may have members.
struct Scope {
    /// How deep in braces and parentheses it was begun.
    depth: usize,
    /// The type's name; nothing for functions and the like, what is in them is theirs.
    owner: Option<String>,
    /// Whether its members are public without saying so.
    open: bool,
}

/// What a line declares.
struct Declaration {
    name: String,
    /// The name under which its members are known, if it is a type.
    owner: Option<String>,
    public: bool,
    /// Whether the members need no word to be public.
    open: bool,
}

/// The public names: `name`, `Type`, `Type.member`.
pub fn names(language: Language, text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut scopes: Vec<Scope> = Vec::new();
    let mut depth = 0;
    for line in without_comments(text).lines() {
        let line = line.trim();
        if language == Language::Cpp && line.starts_with("namespace echodb") {
            // Everything stands in it.
            continue;
        }
        if let Some(scope) = scopes.iter_mut().rfind(|scope| scope.depth < depth) {
            match line {
                "public:" => scope.open = true,
                "private:" | "protected:" => scope.open = false,
                _ => {}
            }
        }
        let within = scopes.iter().rfind(|scope| scope.depth < depth);
        let member = within.filter(|scope| scope.depth + 1 == depth);
        if let Some(found) = declaration(language, line, member) {
            let owner = member.and_then(|scope| scope.owner.as_deref());
            let reachable = depth == 0 || owner.is_some();
            if found.public && reachable && !found.name.is_empty() {
                let path =
                    owner.map_or_else(|| found.name.clone(), |o| format!("{o}.{}", found.name));
                names.insert(path);
                if found.owner.is_some() {
                    names.insert(found.name.clone());
                    let properties = constructor_properties(line);
                    names.extend(properties.map(|name| format!("{}.{name}", found.name)));
                }
            }
            scopes.retain(|scope| scope.depth < depth);
            scopes.push(Scope {
                depth,
                owner: found.owner,
                open: found.open,
            });
        }
        let opened = line.matches(['{', '(']).count();
        let closed = line.matches(['}', ')']).count();
        depth = (depth + opened).saturating_sub(closed);
    }
    names
}

fn declaration(language: Language, line: &str, member: Option<&Scope>) -> Option<Declaration> {
    match language {
        Language::Kotlin => kotlin(line, member),
        Language::Swift => swift(line, member),
        _ => cpp(line, member),
    }
}

fn kotlin(line: &str, member: Option<&Scope>) -> Option<Declaration> {
    const MODIFIERS: [&str; 18] = [
        "public",
        "private",
        "internal",
        "protected",
        "override",
        "suspend",
        "inline",
        "operator",
        "data",
        "sealed",
        "enum",
        "abstract",
        "open",
        "const",
        "lateinit",
        "companion",
        "value",
        "infix",
    ];
    let (before, rest) = modifiers(line, &MODIFIERS);
    let public = before.contains(&"public") || before.contains(&"override");
    let keywords = [
        "fun interface ",
        "class ",
        "interface ",
        "object",
        "fun ",
        "val ",
        "var ",
    ];
    let Some(keyword) = keywords.iter().find(|word| rest.starts_with(**word)) else {
        // An entry of an enumeration.
        let name = identifier(rest);
        let entry = member.is_some_and(|scope| scope.open)
            && !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        return entry.then(|| Declaration {
            name: name.to_owned(),
            owner: None,
            public: true,
            open: false,
        });
    };
    let name = identifier(generics_skipped(rest[keyword.len()..].trim_start()));
    let owner = match *keyword {
        // The members of a companion are used as the class's own.
        "object" if before.contains(&"companion") => member
            .and_then(|scope| scope.owner.clone())
            .filter(|_| public),
        "fun interface " | "class " | "interface " | "object" => Some(name.to_owned()),
        _ => None,
    };
    Some(Declaration {
        name: name.to_owned(),
        owner,
        public,
        open: before.contains(&"enum"),
    })
}

/// The public properties among a Kotlin constructor's parameters on the same line.
fn constructor_properties(line: &str) -> impl Iterator<Item = &str> {
    line.split(['(', ','])
        .skip(1)
        .filter_map(|part| part.trim().strip_prefix("public val "))
        .map(identifier)
}

fn swift(line: &str, member: Option<&Scope>) -> Option<Declaration> {
    const MODIFIERS: [&str; 14] = [
        "public",
        "private",
        "fileprivate",
        "internal",
        "static",
        "final",
        "mutating",
        "override",
        "indirect",
        "convenience",
        "nonisolated",
        "@discardableResult",
        "@inlinable",
        "package",
    ];
    let (before, rest) = modifiers(line, &MODIFIERS);
    let open = member.is_some_and(|scope| scope.open);
    if let Some(cases) = rest.strip_prefix("case ") {
        return Some(Declaration {
            name: identifier(cases).to_owned(),
            owner: None,
            public: open,
            open: false,
        });
    }
    let keywords = [
        "class ",
        "struct ",
        "enum ",
        "actor ",
        "protocol ",
        "extension ",
        "typealias ",
        "func ",
        "var ",
        "let ",
        "init",
        "subscript",
    ];
    let keyword = keywords.iter().find(|word| rest.starts_with(**word))?;
    let name = identifier(rest[keyword.len()..].trim_start());
    let is_type = [
        "class ",
        "struct ",
        "enum ",
        "actor ",
        "protocol ",
        "extension ",
    ]
    .contains(keyword);
    let public = before.contains(&"public");
    Some(Declaration {
        name: name.to_owned(),
        owner: is_type.then(|| name.to_owned()),
        public: public || (open && !before.contains(&"private")),
        open: public && ["enum ", "protocol ", "extension "].contains(keyword),
    })
}

fn cpp(line: &str, member: Option<&Scope>) -> Option<Declaration> {
    let rest = line.strip_prefix("inline ").unwrap_or(line);
    let scope = |name: &str, owner: Option<&str>, open: bool| Declaration {
        name: name.to_owned(),
        owner: owner.map(str::to_owned),
        public: owner.is_some(),
        open,
    };
    if rest.starts_with("namespace ") {
        return Some(scope("", None, false));
    }
    if let Some(rest) = rest.strip_prefix("class ") {
        let name = identifier(rest);
        return (!rest.ends_with(';')).then(|| scope(name, Some(name), false));
    }
    if let Some(rest) = rest.strip_prefix("struct ") {
        let name = identifier(rest);
        return Some(scope(name, Some(name), true));
    }
    let name = match rest.strip_prefix("using ") {
        Some(alias) => identifier(alias),
        None => {
            let (before, _) = rest.split_once('(')?;
            let name = before.rsplit([' ', '*', '&']).next().unwrap_or_default();
            if !before.contains(' ') || before.starts_with("return") {
                return None;
            }
            name
        }
    };
    let public = member.is_none_or(|scope| scope.open);
    Some(Declaration {
        name: name.to_owned(),
        owner: None,
        public: public && identifier(name) == name,
        open: false,
    })
}

/// The modifiers that a line begins with, and what follows them.
fn modifiers<'a>(line: &'a str, known: &[&str]) -> (Vec<&'a str>, &'a str) {
    let mut before = Vec::new();
    let mut rest = line;
    loop {
        let word = rest.split(' ').next().unwrap_or_default();
        let plain = word.split('(').next().unwrap_or_default();
        // `@JvmStatic public`, `private(set) var`, `fun interface`, `enum class`.
        if known.contains(&plain) || (plain.starts_with('@') && word != rest) {
            before.push(plain);
            rest = rest[word.len()..].trim_start();
        } else {
            return (before, rest);
        }
    }
}

/// The identifier that a text begins with, without the quotes that keep it from being a keyword.
fn identifier(text: &str) -> &str {
    let text = text.trim_start_matches('`');
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// `<R> name` as `name`.
fn generics_skipped(text: &str) -> &str {
    match text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((_, rest)) => rest.trim_start(),
        None => text,
    }
}

/// The text with comments and the insides of strings gone, its lines kept.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(inside) = rest.strip_prefix("\"\"\"") {
            inside.find("\"\"\"").map_or(rest.len(), |end| end + 6)
        } else if c == '"' {
            string_length(rest)
        } else if c == '\'' && rest[1..].starts_with(['{', '}', '(', ')', '"']) {
            3
        } else {
            0
        };
        if skipped == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            let (gone, left) = rest.split_at(skipped.min(rest.len()));
            out.extend(gone.matches('\n').map(|_| '\n'));
            rest = left;
        }
    }
    out
}

/// The length of the string literal that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\n' => return at,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of `wanted` are found and none of `hidden`.
    fn declares(language: Language, text: &str, wanted: &[&str], hidden: &[&str]) {
        let found = found(language, text);
        let is_found = |name: &str| found.iter().any(|each| each == name);
        for name in wanted {
            assert!(is_found(name), "{name} is not in {found:?}");
        }
        for name in hidden {
            assert!(!is_found(name), "{name} is in {found:?}");
        }
    }

    fn found(language: Language, text: &str) -> Vec<String> {
        names(language, text).into_iter().collect()
    }

    #[test]
    fn kotlin() {
        let text = r#"
            public val libraryVersion: String get() = "{"
            /** Not `public fun commented()`. */
            public data class Record(
                public val id: String,
                private val own: Int,
            ) {
                internal companion object { fun of(): Record = Record("", 1) }
            }
            public class Space internal constructor(private val native: Native) {
                public val id: String get() = native.id()
                public suspend fun <R> transact(block: suspend () -> R): R {
                    val local = 1
                    return block()
                }
                internal fun hidden() {}
                public companion object {
                    @JvmStatic
                    public suspend fun open(
                        path: String,
                    ): Space = TODO()
                }
            }
            public enum class State(public val number: Int) {
                /** It is. */
                READY(1),
            }
            public data class Pair(public val left: String, public val right: Int) {
            }
            internal class Own { public fun nothing() {} }
        "#;
        let wanted = [
            "Pair.left",
            "Pair.right",
            "Record",
            "Record.id",
            "Space",
            "Space.id",
            "Space.open",
            "Space.transact",
            "State",
            "State.READY",
            "State.number",
            "libraryVersion",
        ];
        let hidden = [
            "Record.own",
            "Space.hidden",
            "Space.local",
            "commented",
            "of",
        ];
        declares(Language::Kotlin, text, &wanted, &hidden);
    }

    #[test]
    fn swift() {
        let text = r#"
            public var libraryVersion: String { version() }
            public final class Space: Sendable {
                init(native: Native) { self.native = native }
                public var id: String {
                    let local = "}"
                    return local
                }
                public static func open(
                    profile: String
                ) async throws -> Space {
                }
                func hidden() {}
            }
            extension Space {
                public func create(_ type: String?) throws -> String { "" }
            }
            public enum State: Sendable {
                case ready
                public var isFinal: Bool {
                    switch self {
                    case .ready: true
                    }
                }
            }
            struct Own { public let nothing: Int }
        "#;
        let wanted = [
            "Space",
            "Space.create",
            "Space.id",
            "Space.open",
            "State",
            "State.isFinal",
            "State.ready",
            "libraryVersion",
        ];
        let hidden = ["Space.hidden", "Space.local", "hidden"];
        declares(Language::Swift, text, &wanted, &hidden);
    }

    #[test]
    fn cpp() {
        let text = r#"
namespace echodb {
using Listener = std::function<void(std::string_view)>;
namespace detail {
template <typename T> std::string text(T t) { return ""; }
}
inline std::string version() { return echodb_version(); }
class Client;
class Space {
  public:
    explicit Space(echodb_space *handle) noexcept : handle_(handle) {}
    std::string id() const { return text(echodb_space_id); }
    static Space open(std::string_view path) {
        return Space(make(path));
    }

  private:
    template <typename Call> std::string text(Call call) const {
        return call();
    }
};
} // namespace echodb
"#;
        let found = found(Language::Cpp, text);
        assert_eq!(
            found,
            [
                "Listener",
                "Space",
                "Space.Space",
                "Space.id",
                "Space.open",
                "version"
            ]
        );
    }
}
