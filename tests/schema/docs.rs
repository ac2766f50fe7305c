//! Documentation comments of types, read from the sources: what editors show of a key is what the field says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{Attribute, Expr, Fields, Item, Lit, Meta};

/// All types of some modules, by their paths as `type_name` has them.
pub struct Docs {
    types: BTreeMap<String, Documented>,
}

/// One type.
pub struct Documented {
    /// What it is.
    pub text: String,
    /// Its fields or variants, by names as they are written in Rust.
    pub parts: BTreeMap<String, String>,
    /// The source of it.
    pub item: Item,
}

impl Docs {
    /// Reads modules of the library, with all below them.
    pub fn read(modules: &[&str]) -> Self {
        let mut docs = Self { types: BTreeMap::new() };
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for module in modules {
            docs.read_below(&sources.join(module), &format!("groupage::{module}"));
        }
        docs
    }

    fn read_below(&mut self, folder: &Path, module: &str) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                self.read_below(&path, &format!("{module}::{name}"));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = if name == "mod" { module.to_owned() } else { format!("{module}::{name}") };
                self.read_file(&fs::read_to_string(&path).unwrap(), &module);
            }
        }
    }

    fn read_file(&mut self, text: &str, module: &str) {
        for item in syn::parse_file(text).unwrap().items {
            let (name, text, parts) = match &item {
                Item::Struct(found) => (found.ident.to_string(), documentation(&found.attrs), fields(&found.fields)),
                Item::Enum(found) => {
                    let parts = found.variants.iter().map(|one| (one.ident.to_string(), documentation(&one.attrs)));
                    (found.ident.to_string(), documentation(&found.attrs), parts.collect())
                }
                _ => continue,
            };
            self.types.insert(format!("{module}::{name}"), Documented { text, parts, item });
        }
    }

    /// A type by its path.
    pub fn of(&self, path: &str) -> Option<&Documented> {
        self.types.get(path)
    }

    /// The only type of a name that has `Serialize`.
    pub fn serialised(&self, name: &str) -> Option<&Documented> {
        let end = format!("::{name}");
        let mut found = self.types.iter().filter(|(path, one)| path.ends_with(&end) && is_derived(&one.item));
        let first = found.next().map(|(_, one)| one);
        assert!(found.next().is_none(), "two types are called {name}");
        first
    }
}

fn is_derived(item: &Item) -> bool {
    let attributes = match item {
        Item::Struct(found) => &found.attrs,
        Item::Enum(found) => &found.attrs,
        _ => return false,
    };
    let derives = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("derive") => Some(list.tokens.to_string()),
        _ => None,
    });
    derives
        .flat_map(|list| list.split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>())
        .any(|one| one.ends_with("Serialize"))
}

fn fields(fields: &Fields) -> BTreeMap<String, String> {
    let named =
        fields.iter().filter_map(|field| Some((field.ident.as_ref()?.to_string(), documentation(&field.attrs))));
    named.collect()
}

/// A documentation comment as text: lines of one paragraph are joined, links are only their text.
pub fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let Expr::Lit(literal) = &pair.value else { return None };
        let Lit::Str(text) = &literal.lit else { return None };
        pair.path.is_ident("doc").then(|| text.value().trim().to_owned())
    });
    let mut text = String::new();
    for line in lines {
        match (line.is_empty(), text.is_empty() || text.ends_with('\n')) {
            (true, _) => text.push_str("\n\n"),
            (false, true) => text.push_str(&line),
            (false, false) => text.push_str(&format!(" {line}")),
        }
    }
    text.trim().replace("[`", "`").replace("`]", "`")
}

/// `ThirdParty` and `third_party` as they are written in manifests: `third-party`.
pub fn kebab(name: &str) -> String {
    let mut word = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(letter.to_lowercase().map(|letter| if letter == '_' { '-' } else { letter }));
    }
    word
}
