//! Reads the directory of documents: `*.yaml` and `*.yml`, sorted by name.
//!
//! Names that begin with a dot are passed over: editors leave such files behind, and in a mounted ConfigMap they are
//! the machinery behind the visible links.

use std::fs;
use std::io;
use std::path::Path;

use crate::document::{self, Document};
use crate::problem::{Place, Problem};
use crate::yaml;

/// A file that was read, or why it could not be.
type Source = (String, io::Result<String>);

/// The documents of all files, and every mistake in them.
///
/// # Errors
/// When the directory itself cannot be listed.
pub(crate) fn read(dir: &Path) -> io::Result<(Vec<Document>, Vec<Problem>)> {
    let (mut documents, mut problems) = (Vec::new(), Vec::new());
    for (file, text) in sources(dir)? {
        let (good, bad) = parse(&file, text);
        documents.extend(good);
        problems.extend(bad);
    }
    Ok((documents, problems))
}

fn parse(file: &str, text: io::Result<String>) -> (Vec<Document>, Vec<Problem>) {
    let problem = |line, message| (Vec::new(), vec![Problem { place: Place { file: file.to_owned(), line }, message }]);
    match text.map(|text| yaml::parse(&text)) {
        Ok(Ok(nodes)) => document::read(file, nodes),
        Ok(Err(yaml::Error { line, message })) => problem(line, message),
        Err(error) => problem(1, format!("failed to read the file: {error}")),
    }
}

fn sources(dir: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        // A pipe or a directory with such a name is no input; a link to nowhere is, and its error is told.
        let is_input = fs::metadata(&path).map_or(true, |metadata| metadata.is_file());
        if is_yaml && is_input && !name.starts_with('.') {
            sources.push((path.display().to_string(), fs::read_to_string(&path)));
        }
    }
    sources.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_visible_yaml_files_are_read_in_order() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path();
        let output = |name: &str| format!("kind: output\nname: {name}\ntype: stdout\n");
        fs::create_dir_all(path.join("..v1")).expect("a directory");
        fs::create_dir_all(path.join("dir.yaml")).expect("a directory");
        for (file, text) in [
            ("..v1/linked.yaml", output("linked")),
            ("z.yml", output("z")),
            ("a.yaml", output("a")),
            (".hidden.yaml", output("hidden")),
            ("notes.txt", "no: [".to_owned()),
            ("broken.yaml", "no: [".to_owned()),
        ] {
            fs::write(path.join(file), text).expect("a file");
        }
        symlink("..v1/linked.yaml", path.join("linked.yaml")).expect("a link");
        symlink("nowhere", path.join("lost.yaml")).expect("a link");

        let (documents, problems) = read(path).expect("it is readable");
        let names = documents.iter().map(|document| match document {
            Document::Flow(flow) => &*flow.name,
            Document::Output(output) => &*output.name,
        });
        assert_eq!(names.collect::<Vec<_>>(), ["a", "linked", "z"]);
        let files = problems.iter().map(|problem| problem.place.file.rsplit('/').next().unwrap_or_default());
        assert_eq!(files.collect::<Vec<_>>(), ["broken.yaml", "lost.yaml"]);
    }
}
