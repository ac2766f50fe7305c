//! `expired-reference`: the record of an input has expired.

use super::super::{Rule, inputs};
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "expired-reference",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "an input is used for longer than its record in [[temporary]] says",
    reason: "a record ends when the image may be gone: one was replaced 19 days before its registry would have deleted it",
    check: |subject, findings| inputs::object(subject, RULE.code, findings),
};
