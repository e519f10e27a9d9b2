//! The name of a call, a field or a variant in each language, as the habits of the language have it.

use super::api::{Call, Field};
use super::declared::Language;

/// What a call is named, unless `deviations` say otherwise.
pub fn of_call(call: &Call, language: Language) -> String {
    let owner = of_type(&call.owner, language);
    match (language, call.owner.as_str()) {
        (Language::C, "") => format!("echodb_{}", call.name),
        (Language::C, _) => format!("{owner}_{}", call.name),
        (Language::Cpp | Language::Python, "") => call.name.clone(),
        (Language::Cpp, _) => format!("{owner}::{}", call.name),
        (Language::Python, _) => format!("{owner}.{}", call.name),
        (_, "") => camel(&call.name),
        (_, _) => format!("{owner}.{}", member(&call.name, language)),
    }
}

/// What a type of the facade is named.
pub fn of_type(name: &str, language: Language) -> String {
    match (language, name) {
        (Language::C, "EchoError") => "echodb_error".into(),
        (Language::C, _) => format!("echodb_{}", snake(name)),
        (Language::Cpp, "EchoError") => "Error".into(),
        (Language::Kotlin, "EchoError") => "EchoException".into(),
        _ => name.to_owned(),
    }
}

/// What a record's field is named; in C it is a key of JSON.
pub fn of_field(field: &Field, language: Language) -> String {
    match language {
        Language::C | Language::Cpp | Language::Python => field.name.clone(),
        Language::Kotlin => camel(&field.name),
        Language::Swift if field.is_bool && !field.name.starts_with("is_") => {
            camel(&format!("is_{}", field.name))
        }
        Language::Swift => member(&field.name, language),
    }
}

/// What a variant of an enumeration is named.
pub fn of_variant(enumeration: &str, variant: &str, language: Language) -> String {
    let word = snake(variant).to_uppercase();
    match language {
        Language::C | Language::Cpp => match enumeration {
            "LogLevel" => format!("ECHODB_LOG_{word}"),
            "EncryptionMode" => format!("ECHODB_ENCRYPTION_{word}"),
            "MarkExpand" => format!("ECHODB_MARK_EXPAND_{word}"),
            "InvitationState" => format!("ECHODB_INVITATION_{word}"),
            "IdentityChange" => format!("ECHODB_IDENTITY_{word}"),
            "BlobFetchState" => format!("ECHODB_BLOB_{word}"),
            // Of the others, C sees words in JSON.
            _ => format!("\"{}\"", snake(variant)),
        },
        Language::Python | Language::Kotlin => format!("{enumeration}.{word}"),
        Language::Swift => format!("{enumeration}.{}", camel(&snake(variant))),
    }
}

/// Swift writes abbreviations in one case: `exportJSON`.
fn member(name: &str, language: Language) -> String {
    match language {
        Language::Swift => camel(name).replace("Json", "JSON"),
        _ => camel(name),
    }
}

/// `snake_case` as `lowerCamelCase`.
pub fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let mut letters = word.chars();
        all.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        all.push_str(letters.as_str());
        all
    })
}

/// `CamelCase` as `snake_case`.
pub fn snake(name: &str) -> String {
    let mut all = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !all.is_empty() {
            all.push('_');
        }
        all.push(c.to_ascii_lowercase());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_habits() {
        let call = Call {
            owner: "Space".into(),
            name: "export_json".into(),
        };
        let names = Language::ALL.map(|language| of_call(&call, language));
        let wanted = [
            "echodb_space_export_json",
            "Space::export_json",
            "Space.export_json",
            "Space.exportJson",
            "Space.exportJSON",
        ];
        assert_eq!(names, wanted);
        assert_eq!(snake("ReadyForAuthentication"), "ready_for_authentication");
        let field = Field {
            name: "online".into(),
            is_bool: true,
        };
        assert_eq!(of_field(&field, Language::Swift), "isOnline");
    }
}
