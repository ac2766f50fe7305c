//! Who answers for a path, by `CODEOWNERS`: the last line that fits wins.
//! <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>

use super::facts::Inferred;

/// Where the file may be, the first that is there counts.
pub const FILES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// The first owner of a path, relative to the root of the repository.
pub fn owner(file: &str, text: &str, path: &str) -> Option<Inferred> {
    let fitting = |(index, line): (usize, &str)| {
        let line = line.split(" #").next().unwrap_or(line).trim();
        let mut words = line.split_whitespace();
        let pattern = words.next().filter(|pattern| !pattern.starts_with(['#', '[']))?;
        fits(pattern, path).then(|| (index + 1, words.next().map(str::to_owned)))
    };
    // a line without an owner takes it away
    let (line, owner) = text.lines().enumerate().filter_map(fitting).last()?;
    let value = owner.filter(|owner| !owner.contains(char::is_control))?;
    Some(Inferred { value, from: format!("{file}, line {line}") })
}

/// As in `.gitignore`, without `!` and ranges: a pattern with a `/` inside begins at the root, and one that fits a folder fits all
/// in it. `*` alone in the last segment does not reach into folders.
fn fits(pattern: &str, path: &str) -> bool {
    let is_anchored = pattern.trim_end_matches('/').contains('/');
    let only_folders = pattern.ends_with('/');
    let wanted: Vec<&str> = pattern.trim_matches('/').split('/').collect();
    let segments: Vec<&str> = path.split('/').collect();
    let starts = if is_anchored { 0..1 } else { 0..segments.len() };
    let reaches_files = wanted.last() == Some(&"*") && wanted.len() > 1;
    starts.into_iter().any(|start| {
        (start + 1..=segments.len()).any(|end| {
            let is_folder = end < segments.len();
            let allowed = if is_folder { !reaches_files } else { !only_folders };
            allowed && fits_segments(&wanted, &segments[start..end])
        })
    })
}

fn fits_segments(wanted: &[&str], segments: &[&str]) -> bool {
    match wanted {
        [] => segments.is_empty(),
        ["**", rest @ ..] => (0..=segments.len()).any(|skipped| fits_segments(rest, &segments[skipped..])),
        [first, rest @ ..] => {
            segments.split_first().is_some_and(|(own, below)| fits_segment(first, own) && fits_segments(rest, below))
        }
    }
}

/// `*` stands for any text, `?` for one character.
fn fits_segment(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // places of the pattern that fit what was read so far
    let mut now = vec![false; pattern.len() + 1];
    now[0] = true;
    let skip = |now: &mut Vec<bool>| {
        for at in 0..pattern.len() {
            now[at + 1] |= now[at] && pattern[at] == '*';
        }
    };
    skip(&mut now);
    for letter in text {
        let mut next = vec![false; now.len()];
        for at in 0..pattern.len() {
            match pattern[at] {
                '*' => next[at] |= now[at],
                '?' => next[at + 1] |= now[at],
                wanted => next[at + 1] |= now[at] && wanted == letter,
            }
        }
        skip(&mut next);
        now = next;
    }
    now[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, path: &str, expect: Option<(&str, &str)>) {
        let found = owner("CODEOWNERS", text, path);
        let found = found.as_ref().map(|found| (found.value.as_str(), found.from.as_str()));
        assert_eq!(found, expect, "{text:?} {path}");
    }

    #[test]
    fn the_last_line_wins() {
        let text =
            "# all\n*  @all @more\n/a/  @a  # why\nDockerfile.* @docker\n/a/none/\ndocs/* @docs\n**/deep/**/x @deep\n";
        check(text, "Dockerfile", Some(("@all", "CODEOWNERS, line 2")));
        check(text, "a/b/Dockerfile", Some(("@a", "CODEOWNERS, line 3")));
        check(text, "b/a/Dockerfile", Some(("@all", "CODEOWNERS, line 2")));
        check(text, "b/Dockerfile.x", Some(("@docker", "CODEOWNERS, line 4")));
        check(text, "a/none/Dockerfile", None);
        check(text, "docs/Dockerfile", Some(("@docs", "CODEOWNERS, line 6")));
        check(text, "docs/a/Dockerfile", Some(("@all", "CODEOWNERS, line 2")));
        check(text, "a/deep/b/c/x", Some(("@deep", "CODEOWNERS, line 7")));
        check("", "Dockerfile", None);
        check("a", "b", None);
    }
}
