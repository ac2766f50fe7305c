//! JSON pointers (RFC 6901), as the patch library of Velero splits them.

/// The keys of a pointer. What stands before the first `/` is passed over there, and an empty key after the last one is a key.
///
/// ```
/// use groupage::migrate::modifiers::pointer::{print, split};
/// assert_eq!(split("/metadata/labels/a.io~1b"), ["metadata", "labels", "a.io/b"]);
/// assert_eq!(split("/spec/template/"), ["spec", "template", ""]);
/// assert_eq!(print(&split("/a~1b/~0")), "/a~1b/~0");
/// ```
pub fn split(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect()
}

/// The pointer of some keys.
pub fn print(keys: &[String]) -> String {
    keys.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Whether a key is a place in a list: a number, or `-` for the end.
pub fn is_index(key: &str) -> bool {
    key == "-" || (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The keys below some others, if they are below them or the same.
pub fn below<'a>(keys: &'a [String], top: &[&str]) -> Option<&'a [String]> {
    let (head, rest) = keys.split_at_checked(top.len())?;
    head.iter().eq(top.iter()).then_some(rest)
}
