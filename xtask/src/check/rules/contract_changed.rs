//! `contract-changed`: a contract of a retired image means something else, under the id that it had.
//!
//! `groupage.lock` remembers what each id meant, so [`super::super::lock_drift`] finds this, as it does `lock-drift`. A workspace
//! without a lock file remembers nothing.

use super::super::Rule;
use crate::manifest::RuleLevel;

pub(in super::super) const RULE: Rule = Rule {
    code: "contract-changed",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a contract of a retired image means something else than groupage.lock remembers for its id",
    reason: "consumers were told what an id promises; a promise that changes without a trace is found out in production",
    check: |_, _| {},
};
