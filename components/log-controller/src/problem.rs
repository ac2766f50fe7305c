//! What is wrong with the input, and where.

use std::fmt;

/// A place in an input file. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One mistake in the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Collects the problems of one file.
#[derive(Debug)]
pub(crate) struct Problems<'a> {
    file: &'a str,
    found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    pub(crate) fn new(file: &'a str) -> Self {
        Problems { file, found: Vec::new() }
    }

    pub(crate) fn add(&mut self, line: usize, message: impl Into<String>) {
        self.found.push(Problem { place: self.place(line), message: message.into() });
    }

    pub(crate) fn place(&self, line: usize) -> Place {
        Place { file: self.file.to_owned(), line }
    }

    pub(crate) fn into_found(self) -> Vec<Problem> {
        self.found
    }
}
