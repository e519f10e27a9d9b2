//! What a Python module declares: its classes with their methods, properties and attributes, its
//! functions and constants. Names that begin with an underscore are nobody else's business.

use std::collections::BTreeSet;

/// The public names: `name`, `Class`, `Class.member`.
pub fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut class = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let rest = line.trim_start();
        let declared = declared(rest);
        match (indent, declared) {
            (0, Some(name)) => {
                class = match rest.starts_with("class ") {
                    true => name.to_owned(),
                    false => String::new(),
                };
                names.insert(name.to_owned());
            }
            (4, Some(name)) if !class.is_empty() => {
                names.insert(format!("{class}.{name}"));
            }
            (8, _) if !class.is_empty() => {
                // An attribute that a constructor sets.
                let attribute = rest.strip_prefix("self.").and_then(assigned);
                names.extend(attribute.map(|name| format!("{class}.{name}")));
            }
            _ => {}
        }
    }
    names.retain(|name| {
        let member = name.rsplit('.').next().unwrap_or_default();
        (!member.starts_with('_') || member == "__version__") && !name.starts_with("_C")
    });
    names
}

/// The names in the list `__all__` of a package's own module.
pub fn exported(text: &str) -> BTreeSet<String> {
    let list = text.split_once("__all__ = [").map_or("", |(_, rest)| rest);
    let list = list.split(']').next().unwrap_or_default();
    let quoted = list.split('"').skip(1).step_by(2);
    quoted
        .map(str::to_owned)
        .chain(["__version__".to_owned()])
        .collect()
}

/// What a statement declares, if it does.
fn declared(statement: &str) -> Option<&str> {
    for keyword in ["class ", "def ", "async def "] {
        if let Some(rest) = statement.strip_prefix(keyword) {
            return rest.split(['(', ':']).next();
        }
    }
    assigned(statement)
}

/// The name that a statement begins with, if it annotates that name or assigns to it.
fn assigned(statement: &str) -> Option<&str> {
    let end = statement.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (name, rest) = statement.split_at(end);
    let sets = rest.starts_with(": ") || rest.starts_with(" = ");
    (sets && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_members_and_functions_are_found() {
        let names = names(
            "__version__: str = \"1\"\n\
             BY_ID = Order(\"id\")\n\
             def of_type(*names):\n    inner: int = 1\n\
             class Space:\n    \"\"\"A space.\"\"\"\n\n    kind: str\n\n    def __init__(self):\n        \
             #: Set.\n        self.status: int = 1\n        self._own = 2\n\n    async def create(\n        \
             self, id\n    ):\n        pass\n\n    def _hidden(self):\n        pass\n",
        );
        let wanted = [
            "BY_ID",
            "Space",
            "Space.create",
            "Space.kind",
            "Space.status",
            "__version__",
            "of_type",
        ];
        assert_eq!(names.into_iter().collect::<Vec<_>>(), wanted);
    }
}
