//! `schema`: the JSON Schema of a file, for editors. The texts are checked in under `schemas/`; `tests/schema` makes them from the
//! decoders and the types, and compares.

use super::args::{SchemaArguments, SchemaOf};
use super::session::Session;
use super::status::{ExitStatus, Stop};

pub(super) fn run(arguments: &SchemaArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    session.output.data(match arguments.of {
        SchemaOf::Component => include_str!("../../schemas/component.json"),
        SchemaOf::Image => include_str!("../../schemas/image.json"),
        SchemaOf::Settings => include_str!("../../schemas/settings.json"),
        SchemaOf::Ledger => include_str!("../../schemas/ledger.json"),
        SchemaOf::Plan => include_str!("../../schemas/plan.json"),
    })?;
    Ok(ExitStatus::Done)
}
