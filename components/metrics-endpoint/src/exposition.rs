//! The Prometheus text exposition format 0.0.4, as a writer.
//!
//! The format escapes in two ways: help text escapes backslash and newline; label values also escape the double quote.
//! Metric and label names cannot be escaped at all, so they are literals of the calling program, never input.

use std::fmt::{self, Write as _};

use crate::Histogram;

/// The type of a metric family, written into its `TYPE` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value that only grows; its name ends in `_total`.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Observations counted into buckets, see [`Histogram`].
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        })
    }
}

/// The value of a sample. Integers stay exact, however large they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A count or a size.
    Integer(u64),
    /// Anything else, the special values included.
    Float(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Integer(u64::from(value))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::Integer(value) => write!(f, "{value}"),
            Value::Float(value) if value.is_nan() => f.write_str("NaN"),
            Value::Float(f64::INFINITY) => f.write_str("+Inf"),
            Value::Float(f64::NEG_INFINITY) => f.write_str("-Inf"),
            Value::Float(value) => write!(f, "{value}"),
        }
    }
}

/// Collects metric families into the text of one scrape.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a metric family; its samples follow through the returned [`Family`].
    pub fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Family<'a> {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        push(&mut self.text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { text: &mut self.text, name }
    }

    /// The text to answer a scrape with.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

/// One metric family that accepts samples.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Family<'_> {
    /// Adds one sample with its labels.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) -> &mut Self {
        self.line("", labels, None, value.into());
        self
    }

    /// Adds the `_bucket`, `_sum` and `_count` samples of one histogram.
    pub fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Histogram) -> &mut Self {
        for (bound, count) in histogram.cumulative() {
            let bound = Value::Float(bound).to_string();
            self.line("_bucket", labels, Some(("le", &bound)), Value::Integer(count));
        }
        self.line("_sum", labels, None, Value::Float(histogram.sum()));
        self.line("_count", labels, None, Value::Integer(histogram.count()));
        self
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], extra: Option<(&str, &str)>, value: Value) {
        push(self.text, format_args!("{}{suffix}", self.name));
        let mut separator = '{';
        for (label, text) in labels.iter().copied().chain(extra) {
            push(self.text, format_args!("{separator}{label}=\"{}\"", escape_label(text)));
            separator = ',';
        }
        if separator == ',' {
            self.text.push('}');
        }
        push(self.text, format_args!(" {value}\n"));
    }
}

fn push(text: &mut String, arguments: fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String cannot fail");
}

fn escape_label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl FnOnce(&mut Exposition), expected: &str) {
        let mut exposition = Exposition::new();
        write(&mut exposition);
        assert_eq!(exposition.finish(), expected);
    }

    #[test]
    fn a_family_has_help_type_and_samples() {
        check(
            |exposition| {
                let mut family = exposition.family("files", Kind::Gauge, "Files waiting.");
                family.sample(&[], 3_u64).sample(&[("a", "x"), ("b", "y")], 0.5);
            },
            "# HELP files Files waiting.\n# TYPE files gauge\nfiles 3\nfiles{a=\"x\",b=\"y\"} 0.5\n",
        );
    }

    #[test]
    fn help_and_labels_escape_what_would_end_them() {
        check(
            |exposition| {
                exposition.family("x", Kind::Counter, "a\\b\nc\"").sample(&[("l", "a\\b\nc\"")], 1_u64);
            },
            "# HELP x a\\\\b\\nc\"\n# TYPE x counter\nx{l=\"a\\\\b\\nc\\\"\"} 1\n",
        );
    }

    #[test]
    fn numbers_are_written_as_prometheus_reads_them() {
        let cases: [(Value, &str); 7] = [
            (u64::MAX.into(), "18446744073709551615"),
            (true.into(), "1"),
            (1.0.into(), "1"),
            (0.25.into(), "0.25"),
            (f64::NAN.into(), "NaN"),
            (f64::INFINITY.into(), "+Inf"),
            (f64::NEG_INFINITY.into(), "-Inf"),
        ];
        for (value, expected) in cases {
            assert_eq!(value.to_string(), expected);
        }
    }

    #[test]
    fn a_histogram_is_cumulative_and_ends_in_infinity() {
        let mut histogram = Histogram::new(&[10.0, 100.0]);
        for value in [5.0, 10.0, 50.0, 5000.0] {
            histogram.observe(value);
        }
        check(
            |exposition| {
                exposition.family("size", Kind::Histogram, "Sizes.").histogram(&[("b", "x")], &histogram);
            },
            "# HELP size Sizes.\n# TYPE size histogram\n\
             size_bucket{b=\"x\",le=\"10\"} 2\nsize_bucket{b=\"x\",le=\"100\"} 3\nsize_bucket{b=\"x\",le=\"+Inf\"} 4\n\
             size_sum{b=\"x\"} 5065\nsize_count{b=\"x\"} 4\n",
        );
    }
}
