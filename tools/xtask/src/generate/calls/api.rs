//! What `src/api` makes public, read from its source: calls, records with their fields, enumerations
//! with their variants.

use crate::run::Outcome;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::fs;
use std::path::Path;
use syn::{Attribute, Fields, ImplItem, Item, Meta, TraitItem, Type, Visibility};

/// A function of the facade, or a method of one of its types.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The type it belongs to; empty for a function.
    pub owner: String,
    pub name: String,
}

impl Call {
    /// `Type::name`, or the function's name.
    pub fn path(&self) -> String {
        match self.owner.as_str() {
            "" => self.name.clone(),
            owner => format!("{owner}::{}", self.name),
        }
    }
}

/// A structure of plain data.
#[derive(Debug)]
pub struct Record {
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub is_bool: bool,
}

/// An enumeration, its variants in order.
#[derive(Debug)]
pub struct Enumeration {
    pub name: String,
    pub variants: Vec<String>,
}

/// The facade.
#[derive(Debug, Default)]
pub struct Api {
    pub calls: Vec<Call>,
    pub records: Vec<Record>,
    pub enumerations: Vec<Enumeration>,
}

/// Reads the facade from the files of a folder, in the order of their names.
pub fn read(folder: &Path) -> Outcome<Api> {
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let mut api = Api::default();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        api.add(&text)
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(api)
}

impl Api {
    /// Adds what a file makes public.
    pub fn add(&mut self, text: &str) -> syn::Result<()> {
        for item in syn::parse_file(text)?.items {
            self.add_item(item);
        }
        Ok(())
    }

    fn add_item(&mut self, item: Item) {
        match item {
            Item::Fn(function) if is_public(&function.vis) && !is_twin(&function.attrs) => {
                self.call("", &function.sig.ident);
            }
            Item::Impl(block) if block.trait_.is_none() && !is_twin(&block.attrs) => {
                let owner = type_name(&block.self_ty);
                for item in block.items {
                    if let ImplItem::Fn(method) = item
                        && is_public(&method.vis)
                    {
                        self.call(&owner, &method.sig.ident);
                    }
                }
            }
            // Listeners and sinks: what a program implements.
            Item::Trait(listener) if is_public(&listener.vis) => {
                for item in listener.items {
                    if let TraitItem::Fn(method) = item {
                        self.call(&listener.ident.to_string(), &method.sig.ident);
                    }
                }
            }
            Item::Struct(data) if is_public(&data.vis) => self.record(data),
            Item::Enum(data) if is_public(&data.vis) => self.enumerations.push(Enumeration {
                name: data.ident.to_string(),
                variants: data.variants.iter().map(|v| v.ident.to_string()).collect(),
            }),
            Item::Macro(rules) => self.add_tokens(rules.mac.tokens),
            _ => {}
        }
    }

    fn call(&mut self, owner: &str, name: &syn::Ident) {
        self.calls.push(Call {
            owner: owner.to_owned(),
            name: name.to_string(),
        });
    }

    /// A record; one whose fields are private is an object instead.
    fn record(&mut self, data: syn::ItemStruct) {
        let Fields::Named(fields) = data.fields else {
            return;
        };
        let fields: Vec<Field> = fields
            .named
            .iter()
            .filter(|field| is_public(&field.vis))
            .filter_map(|field| {
                Some(Field {
                    name: field.ident.as_ref()?.to_string(),
                    is_bool: type_name(&field.ty) == "bool",
                })
            })
            .collect();
        if !fields.is_empty() {
            self.records.push(Record {
                name: data.ident.to_string(),
                fields,
            });
        }
    }

    /// The methods that a macro writes: `impl NAME { pub fn … }` within its body.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            let TokenTree::Group(group) = token else {
                continue;
            };
            let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
            match (before(2), before(1)) {
                (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(owner)))
                    if word == "impl" && group.delimiter() == Delimiter::Brace =>
                {
                    self.add_methods(&owner.to_string(), group.stream());
                }
                _ => self.add_tokens(group.stream()),
            }
        }
    }

    fn add_methods(&mut self, owner: &str, body: TokenStream) {
        let words: Vec<String> = body.into_iter().map(|token| token.to_string()).collect();
        for words in words.windows(3) {
            if words[0] == "pub" && words[1] == "fn" {
                self.calls.push(Call {
                    owner: owner.to_owned(),
                    name: words[2].clone(),
                });
            }
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether it exists for the generated bindings alone: the asynchronous form of another call.
fn is_twin(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, Meta::List(list) if list.tokens.to_string().contains("\"bindings\""))
    })
}

/// The last part of a type's name.
fn type_name(of: &Type) -> String {
    match of {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_records_and_enumerations_are_found() {
        let mut api = Api::default();
        api.add(
            r#"
            pub struct Handle { inner: u8 }
            pub struct Options { pub on: bool, pub name: String, secret: u8 }
            pub enum State { Open = 1, Closed = 2 }
            pub fn version() -> String { String::new() }
            fn hidden() {}
            impl Handle { pub fn open(&self) {} pub(crate) fn inner(&self) {} }
            #[cfg(feature = "bindings")]
            impl Handle { pub async fn open_async(&self) {} }
            #[cfg_attr(feature = "bindings", uniffi::export)]
            impl Handle { pub fn id(&self) {} }
            impl Clone for Handle { fn clone(&self) -> Self { Handle { inner: 0 } } }
            pub trait Listener { fn heard(&self); }
            macro_rules! error { () => { impl Fault { pub fn status(&self) -> i32 { 0 } fn own() {} } }; }
            "#,
        )
        .unwrap();
        let paths: Vec<String> = api.calls.iter().map(Call::path).collect();
        let wanted = [
            "version",
            "Handle::open",
            "Handle::id",
            "Listener::heard",
            "Fault::status",
        ];
        assert_eq!(paths, wanted);
        let [options] = &api.records[..] else {
            panic!("{:?}", api.records);
        };
        let fields: Vec<_> = options
            .fields
            .iter()
            .map(|f| (f.name.as_str(), f.is_bool))
            .collect();
        assert_eq!(fields, [("on", true), ("name", false)]);
        assert_eq!(api.enumerations[0].variants, ["Open", "Closed"]);
    }
}
