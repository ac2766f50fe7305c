//! One JSON object per line: `--progress json`. The fields are those of [`Event`].

use std::io;

use super::{Consumer, Lines};
use crate::engine::Event;

/// Writes JSON lines.
pub struct Json<'a> {
    lines: Lines<'a>,
}

impl<'a> Json<'a> {
    /// Writes to `out`.
    pub fn new(out: &'a mut dyn io::Write) -> Self {
        Self { lines: Lines::new(out) }
    }
}

impl Consumer for Json<'_> {
    fn event(&mut self, event: &Event) {
        match serde_json::to_string(event) {
            Ok(line) => self.lines.line(&line),
            Err(error) => self.lines.trouble = Some(error.into()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.lines.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_per_line() {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        json.event(&Event::Started { image: "a\nb".into() });
        json.event(&Event::Sending { image: "a".into(), bytes: 7, files: 1 });
        json.finish().unwrap();
        let expect = "{\"event\":\"started\",\"image\":\"a\\nb\"}\n\
                      {\"event\":\"sending\",\"image\":\"a\",\"bytes\":7,\"files\":1}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }
}
