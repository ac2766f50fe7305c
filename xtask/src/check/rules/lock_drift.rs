//! `lock-drift`: the lock file is not what `lock` would write.
//!
//! The one rule that looks at the workspace and not at an image: [`super::super::lock_drift`] runs it, once, and nothing in an
//! `image.toml` can accept it. It has nothing to say about a workspace without a lock file, which pins nothing and says so
//! by not having one.

use super::super::Rule;
use crate::manifest::RuleLevel;

pub(in super::super) const RULE: Rule = Rule {
    code: "lock-drift",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "groupage.lock lacks a reference that the manifests name, or holds one that nothing uses",
    reason: "what is not pinned can be another image tomorrow, and a run with --locked refuses to build on it",
    check: |_, _| {},
};
