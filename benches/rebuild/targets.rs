//! What a figure must not exceed.

/// All targets that could be looked at.
#[derive(Default)]
pub struct Targets {
    lines: Vec<(String, bool)>,
}

impl Targets {
    /// `value` may be at most `most`.
    pub fn at_most(&mut self, what: impl Into<String>, value: f64, most: f64) {
        let what = what.into();
        let verdict = if value <= most { "met" } else { "MISSED" };
        self.lines.push((format!("{verdict:<7} {what}: {value:.4} of at most {most:.4}"), value <= most));
    }

    /// Prints them; true when all are met.
    pub fn tell(&self) -> bool {
        println!();
        self.lines.iter().for_each(|(line, _)| println!("{line}"));
        self.lines.iter().all(|(_, met)| *met)
    }
}
