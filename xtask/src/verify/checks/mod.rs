//! The checks, one file each. Adding one means a file here, a line in [`CHECKS`], and a defect in the tests.

mod aliases;
mod collisions;
mod config;
mod files;
mod needs;
mod plan;
mod programs;
mod set_id;
mod undeclared;
mod users;
mod variables;

pub(super) use needs::gives;

use super::Check;

/// All checks, in the order in which they are run.
pub const CHECKS: &[Check] = &[
    programs::CHECK,
    aliases::CHECK,
    files::CHECK,
    collisions::CHECK,
    undeclared::CHECK,
    set_id::CHECK,
    users::CHECK,
    variables::CHECK,
    config::CHECK,
    needs::CHECK,
    plan::CHECK,
];
