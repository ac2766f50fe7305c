//! What `cache show` counts and `cache prune` removes, with real builds of the native engine.

use crate::support::sandbox::{Ended, Sandbox};

/// Images `app` of `a` and `b`, and `solo` of `b`.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("groupage.toml", "schema = 1\n");
    for name in ["a", "b"] {
        let text = format!(
            "schema = 1\nname = \"{name}\"\nowner = \"@t\"\nversion = \"1.0.0\"\n[build.files]\n[[install]]\nfrom = \"data\"\nto = \"/srv/{name}\"\n"
        );
        sandbox.write(&format!("components/{name}/component.toml"), text);
        sandbox.write(&format!("components/{name}/data"), name.repeat(10_000));
    }
    for (name, parts) in [("app", "a = {}\nb = {}\n"), ("solo", "b = {}\n")] {
        let text = format!(
            "schema = 1\nname = \"{name}\"\nversion = \"1.0.0\"\nbase = \"scratch\"\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n[components]\n{parts}"
        );
        sandbox.write(&format!("images/{name}/image.toml"), text);
    }
    sandbox
}

#[track_caller]
fn run(sandbox: &Sandbox, line: &str) -> Ended {
    // a daemon that is not there: what others have in theirs does not count
    let ended = sandbox.shell(&format!("DOCKER_HOST=unix:///nowhere groupage {line}"));
    assert_eq!(ended.code, Some(0), "{line}: {}", ended.stderr);
    ended
}

/// Bytes of everything, and the number and bytes of a part.
fn shown(sandbox: &Sandbox, part: &str) -> (u64, u64, u64) {
    let json: serde_json::Value = serde_json::from_str(&run(sandbox, "cache show --format json").stdout).unwrap();
    let rows = json["parts"].as_array().unwrap();
    let row = rows.iter().find(|row| row["part"] == part);
    let number = |name: &str| row.map_or(0, |row| row[name].as_u64().unwrap());
    (json["bytes"].as_u64().unwrap(), number("count"), number("bytes"))
}

/// Bytes of all files below `target/groupage`, each counted once, as another program has it.
fn counted(sandbox: &Sandbox) -> u64 {
    let line = "find target/groupage -type f -o -type l | xargs -r stat --format '%d:%i %s' | sort -u | awk '{ all += $2 } END { print all + 0 }'";
    sandbox.shell(line).stdout.trim().parse().unwrap()
}

#[test]
fn everything_counts_once() {
    let sandbox = workspace();
    assert_eq!(
        run(&sandbox, "cache show").stdout,
        "total                                      0 B  in target/groupage\n"
    );
    assert_eq!(run(&sandbox, "cache prune --keep 0").stdout, "0 B of 0 B left\n");
    assert!(!sandbox.root().join("target").exists(), "looking makes nothing");
    run(&sandbox, "build --engine native --progress quiet");
    let (all, layers, bytes) = shown(&sandbox, "made-layers");
    assert_eq!(layers, 4, "two components and two descriptions");
    assert!(bytes >= 20_000 && all >= bytes);
    assert_eq!(all, counted(&sandbox));
    assert_eq!(shown(&sandbox, "layouts").1, 2);
    let text = run(&sandbox, "cache show").stdout;
    assert!(text.contains(" counted above\n") && text.ends_with("in target/groupage\n"), "{text}");
}

#[test]
fn layouts_keep_what_they_need() {
    let sandbox = workspace();
    run(&sandbox, "build --engine native --progress quiet");
    run(&sandbox, "build app --engine native --progress quiet --output type=oci,dest=app.tar,compression=gzip");
    sandbox.write("components/a/data", "another");
    let built = run(&sandbox, "build --engine native --progress quiet").stdout;
    assert_ne!(shown(&sandbox, "compressed-layers").1, 0);
    let dry = run(&sandbox, "cache prune --keep 0 --dry-run").stdout;
    assert!(dry.contains("would remove") && dry.ends_with("would be left\n"), "{dry}");
    let before = counted(&sandbox);
    let told = run(&sandbox, "cache prune --keep 0");
    assert!(told.stderr.contains("note: what is left is needed by layouts"), "{}", told.stderr);
    assert_eq!((shown(&sandbox, "compressed-layers").1, shown(&sandbox, "made-layers").1), (0, 4));
    assert!(counted(&sandbox) < before && shown(&sandbox, "layouts").0 == counted(&sandbox));
    // nothing of it has to be made again
    let again = run(&sandbox, "build --engine native --progress plain");
    assert_eq!(again.stdout, built);
    assert!(!again.stderr.contains("DONE"), "{}", again.stderr);
    run(&sandbox, "cache prune --keep 0 --all");
    assert_eq!((shown(&sandbox, "layouts").1, shown(&sandbox, "made-layers")), (0, (counted(&sandbox), 0, 0)));
    assert_eq!(run(&sandbox, "build --engine native --progress quiet").stdout, built, "all of it can be made again");
}

#[test]
fn what_fits_stays() {
    let sandbox = workspace();
    run(&sandbox, "build --engine native --progress quiet");
    let before = counted(&sandbox);
    assert!(run(&sandbox, "cache prune --keep 1GB --all").stdout.ends_with(" left\n"));
    assert_eq!(counted(&sandbox), before);
    let ended = sandbox.shell("groupage cache prune --keep lots");
    assert!(ended.code == Some(2) && ended.stderr.contains("such as 500MB"), "{}", ended.stderr);
}

#[test]
fn builds_and_prunes_at_once_do_no_harm() {
    let sandbox = workspace();
    let built = run(&sandbox, "build --engine native --progress quiet").stdout;
    let line = "for n in 1 2 3 4 5 6 7 8; do groupage cache prune --keep 0 --all --host unix:///nowhere >/dev/null || exit 1; done & \
                for n in 1 2 3 4 5 6 7 8; do groupage build --engine native --progress quiet || exit 1; done; wait $!";
    let ended = sandbox.shell(line);
    assert_eq!((ended.code, ended.stdout), (Some(0), built.repeat(8)), "{}", ended.stderr);
    run(&sandbox, "cache prune --keep 0");
    assert_eq!(run(&sandbox, "build --engine native --progress quiet").stdout, built);
}

#[test]
fn a_killed_prune_leaves_nothing_half_removed() {
    let sandbox = workspace();
    let built = run(&sandbox, "build --engine native --progress quiet").stdout;
    for delay in ["0", "0.002", "0.004", "0.006", "0.008", "0.01", "0.015", "0.02"] {
        // whether it is hit in the middle is up to the machine: whatever is left must do
        _ = sandbox.shell(&format!("timeout --signal=KILL {delay}1 groupage cache prune --keep 0 --all"));
        assert_eq!(run(&sandbox, "build --engine native --progress quiet").stdout, built);
        assert_eq!(sandbox.shell("ls target/groupage/cache/tmp").stdout, "");
    }
}
