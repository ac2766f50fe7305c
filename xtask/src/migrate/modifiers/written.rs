//! Resource modifiers as they were written, with places; [`super::rule`] is what they mean.
//!
//! A [`Text`] knows what arrives in Velero, which is not always what stands in the file: see [`super::scalar`].

use std::collections::BTreeMap;

use super::rule::{Conditions, Expression, Match, Modifiers, Patch, Rule, Selector};
use crate::source::Span;

/// A text of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What arrives.
    pub value: String,
    /// What stands in the file, without quotes.
    pub written: String,
    /// Where it stands, with quotes.
    pub span: Span,
}

/// A list, and the whole entry that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// Its key.
    pub key: Span,
    /// Key and values.
    pub entry: Span,
    /// What it holds.
    pub items: Vec<T>,
    /// Whether all items could be read.
    pub is_whole: bool,
}

/// One file of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All of it.
    pub span: Span,
    /// `version`.
    pub version: Option<Text>,
    /// Rules, in order.
    pub rules: Vec<WrittenRule>,
    /// Whether the rules are a bare list, with nothing around it.
    pub is_list: bool,
    /// Whether it can be edited by place.
    pub editable: bool,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRule {
    /// All of it.
    pub span: Span,
    /// Its conditions.
    pub conditions: WrittenConditions,
    /// `patches`.
    pub patches: Option<Listed<WrittenPatch>>,
    /// `mergePatches`, as their `patchData`.
    pub merge_patches: Option<Listed<Text>>,
    /// `strategicPatches`, as their `patchData`.
    pub strategic_patches: Option<Listed<Text>>,
}

/// The conditions of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenConditions {
    /// All of them, or the rule where there are none.
    pub span: Span,
    /// `groupResource`.
    pub group_resource: Option<Text>,
    /// `resourceNameRegex`.
    pub resource_name_regex: Option<Text>,
    /// `namespaces`.
    pub namespaces: Vec<Text>,
    /// `labelSelector`, and where it stands.
    pub label_selector: Option<(Selector, Span)>,
    /// `matches`.
    pub matches: Option<Listed<WrittenMatch>>,
}

/// One entry of `matches`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenMatch {
    /// All of it.
    pub span: Span,
    /// `path`.
    pub path: Option<Text>,
    /// `value`.
    pub value: Option<Text>,
}

/// One operation of `patches`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPatch {
    /// All of it.
    pub span: Span,
    /// `operation`.
    pub operation: Option<Text>,
    /// `from`.
    pub from: Option<Text>,
    /// `path`.
    pub path: Option<Text>,
    /// `value`.
    pub value: Option<Text>,
}

/// The value of a text that may be absent.
pub(super) fn value(text: Option<&Text>) -> String {
    text.map(|text| text.value.clone()).unwrap_or_default()
}

impl Written {
    /// What it means.
    pub fn meant(&self) -> Modifiers {
        Modifiers { version: value(self.version.as_ref()), rules: self.rules.iter().map(WrittenRule::meant).collect() }
    }
}

impl WrittenRule {
    /// What it means.
    pub fn meant(&self) -> Rule {
        let data = |list: &Option<Listed<Text>>| {
            list.iter().flat_map(|list| &list.items).map(|text| text.value.clone()).collect()
        };
        Rule {
            conditions: self.conditions.meant(),
            patches: self.patches.iter().flat_map(|list| &list.items).map(WrittenPatch::meant).collect(),
            merge_patches: data(&self.merge_patches),
            strategic_patches: data(&self.strategic_patches),
        }
    }

    /// Operations with their places.
    pub fn operations(&self) -> impl Iterator<Item = &WrittenPatch> {
        self.patches.iter().flat_map(|list| &list.items)
    }

    /// The patch data of both kinds of merges, and whether it is strategic.
    pub fn patch_data(&self) -> impl Iterator<Item = (&Text, bool)> {
        let merges = self.merge_patches.iter().flat_map(|list| &list.items).map(|text| (text, false));
        merges.chain(self.strategic_patches.iter().flat_map(|list| &list.items).map(|text| (text, true)))
    }

    /// Where to point when the target of the rule is meant.
    pub fn target(&self) -> Span {
        self.conditions.group_resource.as_ref().map_or(self.conditions.span, |text| text.span)
    }
}

impl WrittenConditions {
    fn meant(&self) -> Conditions {
        let matches = self.matches.iter().flat_map(|list| &list.items);
        Conditions {
            group_resource: value(self.group_resource.as_ref()),
            resource_name_regex: value(self.resource_name_regex.as_ref()),
            namespaces: self.namespaces.iter().map(|text| text.value.clone()).collect(),
            label_selector: self.label_selector.as_ref().map(|(selector, _)| selector.clone()),
            matches: matches
                .map(|one| Match { path: value(one.path.as_ref()), value: value(one.value.as_ref()) })
                .collect(),
        }
    }
}

impl WrittenPatch {
    fn meant(&self) -> Patch {
        Patch {
            operation: value(self.operation.as_ref()),
            from: value(self.from.as_ref()),
            path: value(self.path.as_ref()),
            value: value(self.value.as_ref()),
        }
    }
}

/// A selector from its parts, which need no places.
pub(super) fn selector(labels: Vec<(String, Text)>, match_expressions: Vec<Expression>) -> Selector {
    let match_labels: BTreeMap<String, String> = labels.into_iter().map(|(key, text)| (key, text.value)).collect();
    Selector { match_labels, match_expressions }
}
