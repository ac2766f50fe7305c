//! What `affected` says after one change of a repository. The program `a` uses the crate `shared`, `b` does not; `app` and
//! `app=more` hold both and the files of `page`, `solo` holds `b` alone.

use crate::support::sandbox::{Ended, Sandbox};

const FILES: &[(&str, &str)] = &[
    (".gitignore", "/target\n*.bin\n/groupage.override.toml\n"),
    ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n"),
    ("Cargo.lock", LOCK),
    ("crates/shared/Cargo.toml", "[package]\nname = \"shared\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
    ("crates/shared/src/lib.rs", "pub fn word() -> u8 { 1 }\n"),
    (
        "crates/a/Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nshared = { path = \"../shared\" }\n",
    ),
    ("crates/a/src/main.rs", "fn main() { shared::word(); }\n"),
    ("crates/b/Cargo.toml", "[package]\nname = \"b\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
    ("crates/b/src/main.rs", "fn main() {}\n"),
    (
        "groupage.toml",
        "schema = 1\n[builders]\nrust = \"docker.io/library/rust:1\"\n[bases]\nstatic = \"example.com/static:1\"\n",
    ),
    (
        "components/a/component.toml",
        "schema = 1\nname = \"a\"\nowner = \"@t\"\nversion = \"1.0.0\"\n[build.cargo]\npackage = \"a\"\n[[install]]\nfrom = \"bin:a\"\nto = \"/usr/bin/a\"\n",
    ),
    (
        "components/b/component.toml",
        "schema = 1\nname = \"b\"\nowner = \"@t\"\nversion = \"1.0.0\"\n[build.cargo]\npackage = \"b\"\n[[install]]\nfrom = \"bin:b\"\nto = \"/usr/bin/b\"\n",
    ),
    (
        "components/page/component.toml",
        "schema = 1\nname = \"page\"\nowner = \"@t\"\nversion = \"1.0.0\"\n[build.files]\n[[install]]\nfrom = \"site\"\nto = \"/srv\"\n[[install]]\nfrom = \"{os}-{arch}.txt\"\nto = \"/etc/which\"\n",
    ),
    ("components/page/site/index.html", "<p>\n"),
    ("components/page/linux-amd64.txt", "amd64\n"),
    ("components/page/linux-arm64.txt", "arm64\n"),
    (
        "images/app/image.toml",
        "schema = 1\nname = \"app\"\nversion = \"1.0.0\"\nbase = \"static\"\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n[components]\na = {}\nb = {}\npage = {}\n[features]\nextra = []\n[variants.more]\nfeatures = [\"extra\"]\ntag-suffix = \"-more\"\n",
    ),
    (
        "images/solo/image.toml",
        "schema = 1\nname = \"solo\"\nversion = \"1.0.0\"\nbase = \"scratch\"\nplatforms = [\"linux/amd64\"]\n[components]\nb = {}\n",
    ),
];

const LOCK: &str = "\
version = 4

[[package]]
name = \"a\"
version = \"0.1.0\"
dependencies = [
 \"shared\",
]

[[package]]
name = \"b\"
version = \"0.1.0\"

[[package]]
name = \"shared\"
version = \"0.1.0\"
";

/// Git without any setting of this machine.
const GIT: &str = "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t; ";

/// The repository with one commit.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    FILES.iter().for_each(|(path, text)| _ = sandbox.write(path, text));
    git(&sandbox, "git init --quiet --initial-branch=main && git add . && git commit --quiet -m first");
    sandbox
}

#[track_caller]
fn git(sandbox: &Sandbox, line: &str) {
    let ended = sandbox.shell(&format!("set -e; {GIT}{line}"));
    assert_eq!(ended.code, Some(0), "{line}: {}", ended.stderr);
}

#[track_caller]
fn affected(sandbox: &Sandbox, arguments: &str) -> Ended {
    let ended = sandbox.shell(&format!("groupage affected {arguments}"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

#[track_caller]
fn check(change: &str, expect: &[&str]) {
    let sandbox = repository();
    git(&sandbox, change);
    let ended = affected(&sandbox, "--since HEAD");
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), expect, "{change}\n{}", ended.stderr);
    // whether it was committed makes no difference, and neither does the second look at the same tree
    git(&sandbox, "git add --all && git commit --quiet --allow-empty -m second");
    assert_eq!(affected(&sandbox, "--since HEAD^").stdout, ended.stdout, "{change}, committed");
    assert_eq!(affected(&sandbox, "--since HEAD").stdout, "", "{change}: nothing since");
}

#[test]
fn what_changes_nothing_touches_nothing() {
    check("true", &[]);
    check("echo '# a comment' >> components/a/component.toml; echo '# another' >> images/app/image.toml", &[]);
    check(
        "touch crates/shared/src/lib.rs; echo x > README.md; mkdir -p crates/a/tests; touch components/page/notes",
        &[],
    );
}

#[test]
fn a_source_touches_all_that_reach_it() {
    check(
        "echo '//' >> crates/shared/src/lib.rs",
        &["changed  component a", "changed  image     app, through a", "changed  image     app=more, through a"],
    );
    check(
        "echo '//' >> crates/b/src/main.rs",
        &[
            "changed  component b",
            "changed  image     app, through b",
            "changed  image     app=more, through b",
            "changed  image     solo, through b",
        ],
    );
    check(
        "chmod +x components/page/site/index.html; git update-index --chmod=+x components/page/site/index.html",
        &[
            "changed  component page",
            "changed  image     app, through page",
            "changed  image     app=more, through page",
        ],
    );
}

#[test]
fn what_is_new_or_gone_is_said() {
    check(
        "mkdir images/late; sed s/solo/late/ images/solo/image.toml > images/late/image.toml",
        &["added    image     late"],
    );
    check("rm -r images/solo", &["removed  image     solo"]);
    check(
        "sed -i '/^page/d' images/app/image.toml; rm -r components/page",
        &[
            "removed  component page",
            "changed  image     app, through page (removed)",
            "changed  image     app=more, through page (removed)",
        ],
    );
    check("echo 'a = {}' >> images/solo/image.toml", &["changed  image     solo, through a (added)"]);
}

#[test]
fn what_an_image_is_made_of_counts() {
    check(
        "sed -i s/static:1/static:2/ groupage.toml",
        &["changed  image     app, through its base", "changed  image     app=more, through its base"],
    );
    check("sed -i s/1.0.0/1.0.1/ images/solo/image.toml", &["changed  image     solo, through its references"]);
    check(
        "sed -i '/^version/a description = \"x\"' images/solo/image.toml",
        &["changed  image     solo, through its definition"],
    );
}

#[test]
fn the_matrix_names_the_platforms_that_changed() {
    let sandbox = repository();
    let none = "{\"include\":[]}\n";
    assert_eq!(affected(&sandbox, "--since HEAD --format github-matrix").stdout, none);
    git(&sandbox, "echo x >> components/page/linux-arm64.txt; rm -r images/solo");
    let matrix = affected(&sandbox, "--since HEAD --format github-matrix").stdout;
    let entry = |variant: &str| format!("{{\"image\":\"app\",\"variant\":\"{variant}\",\"platform\":\"linux/arm64\"}}");
    assert_eq!(matrix, format!("{{\"include\":[{},{}]}}\n", entry(""), entry("more")));
    let json: serde_json::Value =
        serde_json::from_str(&affected(&sandbox, "--since HEAD --format json").stdout).unwrap();
    let page = serde_json::json!([{ "name": "page", "change": "changed" }]);
    let app = |id: &str, variant: Option<&str>| {
        serde_json::json!({
            "id": id, "image": "app", "variant": variant, "change": "changed", "platforms": ["linux/arm64"],
            "through": page, "also": []
        })
    };
    let solo = serde_json::json!({
        "id": "solo", "image": "solo", "variant": null, "change": "removed", "platforms": [], "through": [], "also": []
    });
    let images = [app("app", None), app("app=more", Some("more")), solo];
    let expect = serde_json::json!({ "schema": 1, "since": "HEAD", "components": page, "images": images });
    assert_eq!(json, expect);
    assert_eq!(
        affected(&sandbox, "--since HEAD app").stdout,
        "changed  component page\nchanged  image     app, through page\n"
    );
}

#[test]
fn what_git_ignores_counts_as_unchanged() {
    let sandbox = repository();
    let install = "[[install]]\\nfrom = \"tool.bin\"\\nto = \"/usr/bin/tool\"\\n";
    git(
        &sandbox,
        &format!(
            "printf '{install}' >> components/page/component.toml; echo 1 > components/page/tool.bin; echo 2 > components/page/site/x.bin; git commit --quiet -am tool"
        ),
    );
    let ended = affected(&sandbox, "--since HEAD");
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr.lines().next().unwrap_or_default()),
        ("", "note: git ignores components/page/tool.bin, which counts as unchanged")
    );
    git(&sandbox, "echo 3 > components/page/tool.bin; echo 4 > components/page/site/y.txt");
    let expect =
        "changed  component page\nchanged  image     app, through page\nchanged  image     app=more, through page\n";
    assert_eq!(affected(&sandbox, "--since HEAD").stdout, expect);
}

#[test]
fn overrides_hold_on_both_sides() {
    let sandbox = repository();
    git(&sandbox, "printf '[bases]\\nstatic = \"here/static:9\"\\n' > groupage.override.toml");
    assert_eq!(affected(&sandbox, "--since HEAD").stdout, "");
    assert_eq!(affected(&sandbox, "--since HEAD --set builders.rust=here/rust:9").stdout, "");
    // it replaces what was changed
    git(&sandbox, "sed -i s/static:1/static:2/ groupage.toml");
    assert_eq!(affected(&sandbox, "--since HEAD").stdout, "");
}

#[test]
fn without_a_plan_of_the_revision_everything_counts() {
    let all = "changed  component a\nchanged  component b\nchanged  component page\nchanged  image     app\nchanged  image     app=more\nchanged  image     solo\n";
    let check = |change: &str, mend: &str, why: &str| {
        let sandbox = repository();
        git(&sandbox, &format!("{change}; git add --all; git commit --quiet -m broken; {mend}"));
        let ended = affected(&sandbox, "--since HEAD");
        assert_eq!(ended.stdout, all, "{change}");
        let line = ended.stderr.lines().next().unwrap_or_default().to_owned();
        assert_eq!(line, format!("note: everything counts as affected, because HEAD has no plan: {why}"));
    };
    let back = "git checkout --quiet HEAD^ -- .";
    check("git rm --quiet groupage.toml", back, "there is no groupage.toml");
    check("echo nonsense >> components/a/component.toml", back, "invalid TOML: key with no value, expected `=`");
    check("sed -i 's/schema = 1/schema = 9/' groupage.toml", back, "this version of groupage reads schema 1");
}

#[test]
fn the_tree_may_lie_below_the_top_and_be_changed_by_nobody() {
    let sandbox = repository();
    git(
        &sandbox,
        "mkdir sub; git mv Cargo.toml Cargo.lock crates groupage.toml components images sub/; git commit --quiet -m moved",
    );
    git(&sandbox, "echo '//' >> sub/crates/b/src/main.rs");
    let ended = sandbox.shell("cd sub && groupage affected --since HEAD solo");
    assert_eq!(ended.stdout, "changed  component b\nchanged  image     solo, through b\n", "{}", ended.stderr);
    // somebody writes into the kept tree: it is written anew
    git(
        &sandbox,
        "for f in sub/target/groupage/revisions/*/sub/crates/b/src/main.rs; do cp sub/crates/b/src/main.rs $f; done",
    );
    let ended = sandbox.shell("cd sub && groupage affected --since HEAD solo");
    assert_eq!(ended.stdout, "changed  component b\nchanged  image     solo, through b\n", "{}", ended.stderr);
    let before = sandbox.shell("cd sub && groupage affected --since HEAD^");
    assert!(before.stderr.contains("HEAD^ has no plan: there is no groupage.toml"), "{}", before.stderr);
}

#[test]
fn neither_work_tree_nor_index_is_touched_and_few_trees_are_kept() {
    let sandbox = repository();
    git(
        &sandbox,
        "for n in 1 2 3 4 5 6; do echo $n > note; git add .; git commit --quiet -m $n; done; echo 7 > staged; git add staged; echo 8 > note",
    );
    let state = "git status --porcelain=v2 --branch; git stash list; git worktree list; sha256sum .git/index";
    let before = sandbox.shell(state).stdout;
    (1..=6).for_each(|count| _ = affected(&sandbox, &format!("--since HEAD~{count}")));
    assert_eq!(sandbox.shell(state).stdout, before);
    let kept = sandbox.shell("ls target/groupage/revisions | grep -c seal").stdout;
    assert_eq!(kept.trim(), "4");
}

#[test]
fn submodules_are_taken_from_their_own_repository() {
    let sandbox = repository();
    let install = "[[install]]\\nfrom = \"lib\"\\nto = \"/lib/own\"\\n";
    git(
        &sandbox,
        &format!(
            "git init --quiet ../own; echo 1 > ../own/one; git -C ../own add .; git -C ../own commit --quiet -m one; \
             git -c protocol.file.allow=always submodule --quiet add ../own components/page/lib; \
             printf '{install}' >> components/page/component.toml; git add .; git commit --quiet -m sub"
        ),
    );
    let ended = affected(&sandbox, "--since HEAD");
    assert_eq!(ended.stdout, "", "{}", ended.stderr);
    git(&sandbox, "echo 2 > components/page/lib/one");
    assert!(affected(&sandbox, "--since HEAD").stdout.starts_with("changed  component page\n"));
    git(
        &sandbox,
        "rm -rf target components/page/lib/.git components/page/lib/one .git/modules; echo 1 > components/page/lib/one",
    );
    let ended = affected(&sandbox, "--since HEAD");
    assert!(
        ended.stderr.contains("note: the submodule components/page/lib does not have its commit"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.starts_with("changed  component page\n"), "{}", ended.stdout);
}

#[test]
fn what_export_ignore_hides_is_there() {
    let sandbox = repository();
    git(&sandbox, "echo 'components export-ignore' > .gitattributes; git add .; git commit --quiet -m attributes");
    assert_eq!(affected(&sandbox, "--since HEAD").stdout, "");
}

#[test]
fn a_revision_that_is_not_there_is_an_error() {
    let check = |sandbox: &Sandbox, folder: &str, since: &str, expect: &str| {
        let ended = sandbox.shell(&format!("cd {folder} && groupage affected --since={since}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{since}: {}", ended.stderr);
        assert!(ended.stderr.contains(expect) && ended.stderr.contains("\nhint: "), "{since}: {}", ended.stderr);
    };
    let sandbox = repository();
    check(&sandbox, ".", "nowhere", "error: there is no revision `nowhere` in this repository");
    check(&sandbox, ".", "0123456789012345678901234567890123456789", "error: there is no revision `0123");
    check(&sandbox, ".", "--output=x", "error: `--output=x` is no revision");
    check(&sandbox, ".", "", "error: `` is no revision");
    check(&sandbox, ".", "HEAD:groupage.toml", "error: there is no revision `HEAD:groupage.toml`");
    git(
        &sandbox,
        "echo x > note; git add .; git commit --quiet -m second; git clone --quiet --depth 1 file://$PWD ../shallow",
    );
    check(&sandbox, "../shallow", "HEAD^", "hint: run `git fetch --unshallow`");
    git(&sandbox, "git archive --format=tar --prefix=plain/ HEAD | tar -x -C ..");
    check(&sandbox, "../plain", "HEAD", "is in no git repository");
    let ended = sandbox.shell(
        "mkdir ../few && ln -s $(command -v cargo) ../few/ && PATH=../few ../programs/groupage affected --since HEAD",
    );
    assert!(ended.stderr.contains("git cannot be started"), "{}", ended.stderr);
    assert_eq!(ended.code, Some(2));
}

/// Line ends and filters, as git-lfs has one, are those of the work tree; hooks do not run.
#[test]
fn files_are_as_a_checkout_makes_them() {
    let sandbox = repository();
    git(
        &sandbox,
        "git config filter.up.smudge 'tr a-z A-Z'; git config filter.up.clean 'tr A-Z a-z'; git config core.hooksPath hooks; \
         mkdir hooks; printf '#!/bin/sh\\necho ran >> ../ran' > hooks/post-checkout; cp hooks/post-checkout hooks/post-index-change; \
         chmod +x hooks/*; printf '*.html text eol=crlf\\n*.big filter=up\\n' > .gitattributes; echo WORD > components/page/site/a.big; \
         printf '<p>\\r\\n' > components/page/site/index.html; git add .; git commit --quiet -m attributes; rm -f ../ran",
    );
    assert_eq!(sandbox.shell("git show HEAD:components/page/site/a.big").stdout, "word\n");
    assert_eq!(affected(&sandbox, "--since HEAD").stdout, "");
    assert_eq!(sandbox.shell("ls ../ran").code, Some(2));
}

#[test]
fn a_linked_work_tree_and_a_sparse_one_are_compared_as_well() {
    let sandbox = repository();
    git(&sandbox, "git worktree add --quiet ../linked; echo '//' >> ../linked/crates/b/src/main.rs");
    let ended = sandbox.shell("cd ../linked && groupage affected --since main solo");
    assert_eq!(ended.stdout, "changed  component b\nchanged  image     solo, through b\n", "{}", ended.stderr);
    git(&sandbox, "git sparse-checkout set --no-cone '/*' '!/images/solo/'");
    let ended = affected(&sandbox, "--since HEAD");
    assert_eq!(ended.stdout, "removed  image     solo\n");
    assert!(ended.stderr.starts_with("note: this clone is sparse"), "{}", ended.stderr);
}
