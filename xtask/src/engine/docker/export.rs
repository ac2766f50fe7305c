//! An image as the daemon writes it: the archive of `docker save`.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::{Docker, errors, images};
use crate::engine::EngineError;

impl Docker {
    /// The archive of an image, piece by piece.
    ///
    /// # Errors
    /// [`EngineError::InvalidReference`]; in the stream, the daemon's words.
    pub fn export(&self, reference: &str) -> Result<impl Stream<Item = Result<Bytes, EngineError>>, EngineError> {
        let action = format!("read {reference} from the daemon");
        let archive = self.api.export_image(images::checked(reference)?);
        Ok(archive.map(move |piece| piece.map_err(|error| errors::other(action.clone(), &error))))
    }
}
