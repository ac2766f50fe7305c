//! `temporary-reference`: an input is recorded as temporary, and the environment does not accept that.

use super::super::{Rule, inputs};
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "temporary-reference",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "an input is recorded in [[temporary]], and this environment waits for its release",
    reason: "what is open in [[temporary]] is what the next release waits for",
    check: |subject, findings| inputs::object(subject, RULE.code, findings),
};
