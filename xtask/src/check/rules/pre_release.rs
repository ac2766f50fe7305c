//! `pre-release`: an input is at a version that is no release.

use super::super::{Rule, inputs};
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "pre-release",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "the tag of an input is a pre-release, or between two releases",
    reason: "v3.0.20220128-22-g09fbed34 is a commit after a release, and looks like one",
    check: |subject, findings| inputs::object(subject, RULE.code, findings),
};
