//! The order of paths.

use std::cmp::Ordering;

/// The order that paths have, for clean ones, without taking them apart: a `/` comes before all that names can hold.
pub(super) fn by_folder(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let order = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => order(a).cmp(&order(b)),
        None => a.len().cmp(&b.len()),
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;

    #[test]
    fn it_is_that_of_paths() {
        let paths = ["", "a", "a/b", "a/b/c", "a b", "a-b", "a.b", "a0", "ab", "b", "ü/x", "ü", "a/b-c/d", "a/b/d"];
        for (a, b) in paths.iter().flat_map(|a| paths.iter().map(move |b| (*a, *b))) {
            assert_eq!(by_folder(a, b), Utf8Path::new(a).cmp(Utf8Path::new(b)), "{a:?} {b:?}");
        }
    }
}
