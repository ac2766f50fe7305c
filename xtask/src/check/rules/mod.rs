//! The rules, one file each. Adding one means a file here, a line in [`RULES`], and a case below `tests/invalid/`.

mod alias_shadows_file;
mod ambiguous_user;
mod args_only_consumers;
mod awaited_role;
mod boundary_crossing;
mod cadence_crossing;
pub(super) mod contract_changed;
mod duplicate_role;
mod empty_version;
mod environment_conflict;
mod expired_reference;
mod image_defaults;
pub(super) mod lock_drift;
mod lost_contract;
mod missing_variant;
mod moving_tag;
mod named_user;
mod network_in_hermetic_build;
mod newer_frontend;
mod path_collision;
mod port_collision;
mod pre_release;
mod program_not_installed;
mod reference_class;
mod temporary_reference;
pub(super) mod unexpanded_variable;
mod unknown_base;
mod unknown_registry;
mod unmet_need;
mod unpinned_input;
mod unsupported_platform;
mod untaken_setting;

use super::Rule;

/// All rules, in the order in which they are run and listed.
pub const RULES: &[Rule] = &[
    unknown_base::RULE,
    empty_version::RULE,
    duplicate_role::RULE,
    path_collision::RULE,
    alias_shadows_file::RULE,
    program_not_installed::RULE,
    unexpanded_variable::RULE,
    args_only_consumers::RULE,
    lost_contract::RULE,
    image_defaults::RULE,
    named_user::RULE,
    ambiguous_user::RULE,
    environment_conflict::RULE,
    port_collision::RULE,
    awaited_role::RULE,
    unmet_need::RULE,
    unsupported_platform::RULE,
    boundary_crossing::RULE,
    cadence_crossing::RULE,
    network_in_hermetic_build::RULE,
    newer_frontend::RULE,
    untaken_setting::RULE,
    reference_class::RULE,
    temporary_reference::RULE,
    expired_reference::RULE,
    unknown_registry::RULE,
    moving_tag::RULE,
    pre_release::RULE,
    unpinned_input::RULE,
    missing_variant::RULE,
    lock_drift::RULE,
    contract_changed::RULE,
];
