//! `inspect`: what is inside an image, by its own description and configuration, wherever the image is: see [`super::look`].

mod shown;

use self::shown::Several;
use super::args::{Format, InspectArguments};
use super::look;
use super::session::Session;
use super::status::{ExitStatus, Stop};

pub(super) fn run(arguments: &InspectArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let images = look::images(&arguments.reference, arguments.host.as_deref(), session)?;
    match (arguments.format, images.as_slice()) {
        (Format::Json, [one]) => session.output.json(one)?,
        (Format::Json, images) => session.output.json(&Several { reference: &arguments.reference, images })?,
        (Format::Text, images) => {
            session.output.data(&images.iter().map(shown::text).collect::<Vec<_>>().join("\n"))?;
        }
    }
    Ok(ExitStatus::Done)
}
