//! The schema of what is serialised, from the Rust types themselves: their fields, their `serde` attributes, their comments.
//!
//! A type whose `Serialize` is not derived is written as a text; `into = "…"` names the type that is written instead. Attributes that
//! are not known here end the test, and plans of real workspaces are held against the result, so that neither can go unnoticed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use syn::{Attribute, Expr, Field, Fields, GenericArgument, Ident, Item, Lit, PathArguments, Type};

use crate::docs::{Docs, documentation};
use crate::manifests::DIALECT;

struct Writer<'a> {
    docs: &'a Docs,
    definitions: BTreeMap<String, Value>,
    open: BTreeSet<String>,
    silent: &'a mut Vec<String>,
}

/// What `serde` attributes say of a type, a variant or a field.
#[derive(Default)]
struct Serde {
    rename_all: Option<String>,
    rename: Option<String>,
    tag: Option<String>,
    skip: bool,
    may_be_absent: bool,
    flatten: bool,
    as_text: bool,
    into: Option<String>,
    transparent: bool,
    untagged: bool,
}

/// The keys of an object: schema, and whether it is always there.
type Object = BTreeMap<String, (Value, bool)>;

/// The schema of what `start` is serialised as.
pub fn schema(name: &str, file: &str, start: &str, docs: &Docs, silent: &mut Vec<String>) -> Value {
    let mut writer = Writer { docs, definitions: BTreeMap::new(), open: BTreeSet::new(), silent };
    let root = writer.named(start);
    assert_eq!(root, json!({ "$ref": format!("#/$defs/{start}") }), "{name} is no object");
    let mut schema = writer.definitions.remove(start).unwrap();
    let map = schema.as_object_mut().unwrap();
    map.insert("$schema".into(), DIALECT.into());
    map.insert("title".into(), format!("groupage: {file}").into());
    map.insert("$defs".into(), writer.definitions.into_iter().collect::<Map<_, _>>().into());
    schema
}

impl Writer<'_> {
    fn value(&mut self, found: &Type) -> Value {
        let path = match found {
            Type::Path(path) => path,
            Type::Reference(to) => return self.value(&to.elem),
            _ => panic!("a type without a name is not known to the writer of schemas"),
        };
        let last = path.path.segments.last().unwrap();
        let arguments: Vec<&Type> = match &last.arguments {
            PathArguments::AngleBracketed(list) => list.args.iter().filter_map(of_type).collect(),
            _ => Vec::new(),
        };
        match (last.ident.to_string().as_str(), arguments.as_slice()) {
            ("String" | "Utf8PathBuf" | "str", []) => json!({ "type": "string" }),
            ("bool", []) => json!({ "type": "boolean" }),
            ("u16" | "u32" | "u64" | "usize", []) => json!({ "type": "integer", "minimum": 0 }),
            ("Option", [one]) => json!({ "anyOf": [self.value(one), { "type": "null" }] }),
            ("Vec" | "BTreeSet", [one]) => json!({ "type": "array", "items": self.value(one) }),
            ("BTreeMap", [_, one]) => json!({ "type": "object", "additionalProperties": self.value(one) }),
            ("Box", [one]) => self.value(one),
            (name, []) => self.named(name),
            (name, _) => panic!("`{name}` is not known to the writer of schemas"),
        }
    }

    /// A type of ours.
    fn named(&mut self, name: &str) -> Value {
        let Some(found) = self.docs.serialised(name) else { return json!({ "type": "string" }) };
        let attributes = match &found.item {
            Item::Struct(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            _ => unreachable!("only these are read"),
        };
        let serde = Serde::read(attributes);
        if let Some(into) = &serde.into {
            return self.value(&syn::parse_str(into).unwrap());
        }
        if let (true, Item::Struct(item)) = (serde.transparent, &found.item) {
            return self.value(&item.fields.iter().next().unwrap().ty);
        }
        if self.open.insert(name.to_owned()) {
            let mut schema = match &found.item {
                Item::Struct(item) => objects(self.fields(name, &item.fields, None)),
                Item::Enum(item) if serde.tag.is_none() => self.words(item, &serde),
                Item::Enum(_) => objects(self.variants(name)),
                _ => unreachable!("only these are read"),
            };
            schema.as_object_mut().unwrap().insert("description".into(), found.text.clone().into());
            self.definitions.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// The words that an enum without a tag may be, and what else one of its variants says.
    fn words(&mut self, item: &syn::ItemEnum, serde: &Serde) -> Value {
        let (mut words, mut forms) = (Vec::new(), Vec::new());
        for variant in &item.variants {
            match (Serde::read(&variant.attrs).untagged, variant.fields.iter().next()) {
                (true, Some(field)) => forms.push(self.value(&field.ty)),
                (false, None) => words.push(serde.renamed(&variant.ident.to_string())),
                _ => panic!("{}::{} is not known to the writer of schemas", item.ident, variant.ident),
            }
        }
        let words = json!({ "type": "string", "enum": words });
        if forms.is_empty() {
            return words;
        }
        forms.insert(0, words);
        json!({ "anyOf": forms })
    }

    /// The objects that an enum with a tag may be.
    fn variants(&mut self, name: &str) -> Vec<Object> {
        let Item::Enum(item) = &self.docs.serialised(name).unwrap().item else { panic!("{name} is no enum") };
        let serde = Serde::read(&item.attrs);
        let tag = serde.tag.clone().unwrap_or_else(|| panic!("{name} has no tag"));
        let variants = item.variants.iter().flat_map(|variant| {
            let word = serde.renamed(&variant.ident.to_string());
            let first = (tag.clone(), (json!({ "const": word, "description": documentation(&variant.attrs) }), true));
            // the keys of what a variant holds stand beside the tag
            if let Fields::Unnamed(fields) = &variant.fields {
                let mut objects = self.flattened(&fields.unnamed.first().unwrap().ty);
                objects.iter_mut().for_each(|object| _ = object.insert(first.0.clone(), first.1.clone()));
                return objects;
            }
            self.fields(&format!("{name}::{}", variant.ident), &variant.fields, Some(first))
        });
        variants.collect()
    }

    /// The objects that fields may be: one, unless an enum is flattened into them.
    fn fields(&mut self, holder: &str, fields: &Fields, first: Option<(String, (Value, bool))>) -> Vec<Object> {
        let mut objects: Vec<Object> = vec![first.into_iter().collect()];
        for field in fields {
            let serde = Serde::read(&field.attrs);
            let name = field.ident.as_ref().unwrap_or_else(|| panic!("{holder} has fields without names"));
            if serde.skip {
                continue;
            }
            if serde.flatten {
                let below = self.flattened(&field.ty);
                let joined = |object: &Object, one: &Object| object.clone().into_iter().chain(one.clone()).collect();
                objects = objects.iter().flat_map(|object| below.iter().map(move |one| joined(object, one))).collect();
                continue;
            }
            let key = self.field(holder, name, field, &serde);
            objects.iter_mut().for_each(|object| _ = object.insert(key.0.clone(), key.1.clone()));
        }
        objects
    }

    /// The objects that a type may be whose keys stand among those of another one.
    fn flattened(&mut self, found: &Type) -> Vec<Object> {
        let Type::Path(path) = found else { panic!("a plan holds paths only") };
        let last = path.path.segments.last().unwrap();
        if let PathArguments::AngleBracketed(list) = &last.arguments {
            let there: Vec<Object> = list.args.iter().filter_map(of_type).flat_map(|one| self.flattened(one)).collect();
            return match last.ident.to_string().as_str() {
                "Option" => std::iter::once(Object::new()).chain(there).collect(),
                "Box" => there,
                other => panic!("the keys of `{other}` are not known to the writer of schemas"),
            };
        }
        let name = last.ident.to_string();
        match &self.docs.serialised(&name).unwrap_or_else(|| panic!("{name} is not serialised")).item {
            Item::Struct(item) => self.fields(&name, &item.fields, None),
            _ => self.variants(&name),
        }
    }

    fn field(&mut self, holder: &str, name: &Ident, field: &Field, serde: &Serde) -> (String, (Value, bool)) {
        let mut schema = match serde.as_text {
            true => json!({ "type": "string" }),
            false => self.value(&field.ty),
        };
        let text = documentation(&field.attrs);
        if text.is_empty() {
            self.silent.push(format!("{holder}.{name}"));
        }
        schema.as_object_mut().unwrap().insert("description".into(), text.into());
        (serde.rename.clone().unwrap_or_else(|| name.to_string()), (schema, !serde.may_be_absent))
    }
}

/// One object, or one of several.
fn objects(objects: Vec<Object>) -> Value {
    let mut all: Vec<Value> = objects.into_iter().map(object).collect();
    if all.len() == 1 { all.remove(0) } else { json!({ "oneOf": all }) }
}

fn object(keys: Object) -> Value {
    let required: Vec<&String> = keys.iter().filter(|(_, (_, always))| *always).map(|(name, _)| name).collect();
    let required = json!(required);
    let properties: Map<String, Value> = keys.into_iter().map(|(name, (schema, _))| (name, schema)).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn of_type(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(found) => Some(found),
        _ => None,
    }
}

impl Serde {
    fn read(attributes: &[Attribute]) -> Self {
        let mut serde = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            let read = attribute.parse_nested_meta(|meta| {
                let text = || -> syn::Result<String> {
                    let Expr::Lit(literal) = meta.value()?.parse()? else { return Err(meta.error("a text")) };
                    let Lit::Str(text) = literal.lit else { return Err(meta.error("a text")) };
                    Ok(text.value())
                };
                match meta.path.get_ident().map(ToString::to_string).unwrap_or_default().as_str() {
                    "rename_all" => serde.rename_all = Some(text()?),
                    "rename" => serde.rename = Some(text()?),
                    "tag" => serde.tag = Some(text()?),
                    "skip" => serde.skip = true,
                    "skip_serializing_if" => serde.may_be_absent = text().map(|_| true)?,
                    "untagged" => serde.untagged = true,
                    "transparent" => serde.transparent = true,
                    "flatten" => serde.flatten = true,
                    "into" => serde.into = Some(text()?),
                    "try_from" => _ = text()?,
                    "serialize_with" => serde.as_text = text().map(|_| true)?,
                    other => panic!("the attribute `{other}` of serde is not known to the writer of schemas"),
                }
                Ok(())
            });
            read.unwrap();
        }
        serde
    }

    fn renamed(&self, variant: &str) -> String {
        match self.rename_all.as_deref() {
            Some("lowercase") => variant.to_lowercase(),
            Some("kebab-case") => crate::docs::kebab(variant),
            None => variant.to_owned(),
            Some(other) => panic!("`rename_all = {other}` is not known to the writer of schemas"),
        }
    }
}
