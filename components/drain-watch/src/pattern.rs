//! The globs of `--ignore`, matched against file names.

/// A pattern in which `*` stands for any characters and `?` for exactly one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern(Vec<char>);

impl Pattern {
    /// `None` for what can never match a file name: nothing at all, or a path.
    #[must_use]
    pub(crate) fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('/')).then(|| Pattern(text.chars().collect()))
    }

    /// Whether the whole name matches. Takes time in proportion to pattern times name, whatever the pattern.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut taken) = (0, 0);
        // The last `*` seen and how much of the name it has swallowed: the only place to go back to.
        let mut star: Option<(usize, usize)> = None;
        while taken < name.len() {
            match self.0.get(at) {
                Some('*') => {
                    star = Some((at, taken));
                    at += 1;
                }
                Some(expected) if *expected == '?' || *expected == name[taken] => {
                    at += 1;
                    taken += 1;
                }
                _ => match &mut star {
                    Some((star_at, swallowed)) => {
                        *swallowed += 1;
                        (at, taken) = (*star_at + 1, *swallowed);
                    }
                    None => return false,
                },
            }
        }
        self.0[at..].iter().all(|rest| *rest == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let compiled = Pattern::new(pattern).expect("a pattern");
        for name in matching {
            assert!(compiled.matches(name), "{pattern} matches {name:?}");
        }
        for name in others {
            assert!(!compiled.matches(name), "{pattern} does not match {name:?}");
        }
    }

    #[test]
    fn names_match_as_a_whole() {
        check("lock", &["lock"], &["", "locks", "a.lock"]);
        check("*.lock", &[".lock", "a.lock", "a.lock.lock"], &["lock", "a.lock2"]);
        check("a?c", &["abc", "a\u{fc}c"], &["ac", "abbc"]);
        check("*", &["", "anything"], &[]);
        check("a*b*c", &["abc", "axxbyyc", "abcbc"], &["ab", "acb"]);
        check("*a*a*a*a*b", &["aaaab"], &[&"a".repeat(2000)]);
    }

    #[test]
    fn a_path_is_no_pattern() {
        assert_eq!((Pattern::new(""), Pattern::new("a/b")), (None, None));
    }
}
