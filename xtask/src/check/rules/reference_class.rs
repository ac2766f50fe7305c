//! `reference-class`: an input is of a class that the environment does not accept, and no record excuses it.

use super::super::{Rule, inputs};
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "reference-class",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "an input is of a class that is not accepted, and [[temporary]] has no record of it",
    reason: "a staging image once reached a beta because the fix was on the main branch and not in the tag; staging registries delete after weeks",
    check: |subject, findings| inputs::object(subject, RULE.code, findings),
};
