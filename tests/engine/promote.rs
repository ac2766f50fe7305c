//! `promote` between two real registries: what arrives, what is refused, and what a killed run leaves behind.

use crate::support::environments::{Environments, attach, children, digest, raw};
use crate::support::kill::{Moments, how_often};
use crate::support::readers::programs;

/// Staging and release, with `app:1.0.0` for two platforms in staging.
fn environments() -> Option<Environments> {
    if !programs(&["skopeo"]) {
        return None;
    }
    Environments::new()
}

#[test]
fn an_image_with_attachments_arrives_by_digest_and_is_not_sent_again() {
    let Some(bench) = environments() else { return };
    let index = bench.stage("staging/app", &["1.0.0"], 1);
    let mut attached = attach(&bench.staging, "staging/app", &index, &["sbom", "signature"]);
    attached.extend(attach(&bench.staging, "staging/app", &attached[0].clone(), &["signature-of-sbom"]));
    let promote = ["promote", "app:1.0.0", "--to", "release", "--moving", "latest,{major}.{minor}"];

    let (dry, delivered) = bench.deliveries(|| bench.run(&promote).expect(0));
    assert!(delivered.is_empty() && bench.release.stored().is_empty(), "{delivered:#?}");
    let lines: Vec<&str> = dry.stdout.lines().skip(3).collect();
    assert_eq!(lines, ["  set  1.0", "  set  1.0.0", "  set  latest"], "{}", dry.stdout);
    assert!(dry.stderr.contains("note: nothing was changed; --confirm does it"), "{}", dry.stderr);

    let confirmed = [&promote[..], &["--confirm"]].concat();
    bench.run(&confirmed).expect(0);
    let expect = Some(index.digest.to_string());
    for tag in ["1.0.0", "1.0", "latest"] {
        assert_eq!(digest(&bench.release, &format!("release/app:{tag}")), expect, "{tag}");
    }
    assert_eq!(bench.release.complete("release/app", "1.0.0"), Ok(expect));
    let names = children(&index).into_iter().chain(attached.iter().map(|one| one.digest.to_string()));
    for name in names {
        let at = |registry, folder: &str| raw(registry, &format!("{folder}/app@{name}"));
        let (there, here) = (at(&bench.staging, "staging"), at(&bench.release, "release"));
        assert!(there.is_some() && there == here, "{name}");
    }
    for subject in [&index.digest, &attached[0].digest] {
        let tag = format!("app:sha256-{}", subject.hex());
        let (there, here) =
            (digest(&bench.staging, &format!("staging/{tag}")), digest(&bench.release, &format!("release/{tag}")));
        assert!(there.is_some() && there == here, "{tag}");
    }

    let ((again, delivered), asked) =
        bench.staging.requests_of(|| bench.deliveries(|| bench.run(&confirmed).expect(0)));
    assert!(delivered.is_empty(), "{delivered:#?}");
    assert!(!asked.iter().any(|request| request.path.contains("/blobs/")), "{asked:#?}");
    assert!(again.stdout.contains("was there"), "{}", again.stdout);
}

#[test]
fn a_killed_promotion_resumes_and_ends_right() {
    let Some(bench) = environments() else { return };
    let index = bench.stage("staging/app", &["1.0.0"], 1);
    attach(&bench.staging, "staging/app", &index, &["sbom", "signature"]);
    let list = format!("app:sha256-{}", index.digest.hex());
    let expect = (Some(index.digest.to_string()), digest(&bench.staging, &format!("staging/{list}")));
    let command = || bench.command(&["promote", "app:1.0.0", "--to", "release", "--confirm", "--progress", "quiet"]);
    let forget = |store: bool| {
        bench.release.clear();
        let kept = bench.workspace.root().join("target/groupage");
        if store && kept.exists() {
            std::fs::remove_dir_all(kept).unwrap();
        }
    };
    let mut moments = Moments::new(17, || {
        forget(true);
        command()
    });
    for count in 0..how_often(50) {
        // every other time, what was fetched before is still here
        forget(count % 2 == 0);
        moments.kill(command());
        let seen = bench.release.complete("release/app", "1.0.0");
        let seen = seen.unwrap_or_else(|problem| panic!("after kill {count}: {problem}"));
        assert!(seen.is_none() || seen == expect.0, "after kill {count}: {seen:?}");

        crate::support::Ended::of(&mut command()).expect(0);
        let found = (
            bench.release.complete("release/app", "1.0.0").unwrap(),
            digest(&bench.release, &format!("release/{list}")),
        );
        assert_eq!(found, expect, "after kill {count}");
    }
    moments.expect_hits();
}

#[test]
fn a_tag_that_names_something_else_is_refused_before_anything_is_copied() {
    let Some(bench) = environments() else { return };
    let first = bench.stage("staging/app", &["1.0.0"], 1);
    bench.stage("staging/other", &["1.0.0"], 2);
    let promote = ["promote", "app:1.0.0", "other:1.0.0", "--to", "release", "--confirm"];
    bench.run(&["promote", "app:1.0.0", "--to", "release", "--confirm"]).expect(0);
    // the version was built again
    let second = bench.stage("staging/app", &["1.0.0"], 3);
    for arguments in [&promote[..], &promote[..promote.len() - 1]] {
        let (refused, delivered) = bench.deliveries(|| bench.run(arguments).expect(1));
        assert!(delivered.is_empty(), "{delivered:#?}");
        let (old, new) = (first.digest.to_string(), second.digest.to_string());
        assert!(refused.stderr.contains(&old) && refused.stderr.contains(&new), "{}", refused.stderr);
        assert!(refused.stderr.contains("hint: give the image another tag"), "{}", refused.stderr);
    }
    assert_eq!(digest(&bench.release, "release/app:1.0.0"), Some(first.digest.to_string()));
    assert_eq!(digest(&bench.release, "release/other:1.0.0"), None);
}

#[test]
fn an_environment_may_want_signatures() {
    let Some(bench) = environments() else { return };
    bench.settings("");
    let text = std::fs::read_to_string(bench.workspace.root().join("groupage.toml")).unwrap();
    bench.workspace.write("groupage.toml", text.replace("protected = true", "signed = true"));
    let promote = ["promote", "app:1.0.0", "--to", "release", "--confirm"];
    let index = bench.stage("staging/app", &["1.0.0"], 1);
    attach(&bench.staging, "staging/app", &index, &["sbom"]);
    let refused = bench.run(&promote).expect(1);
    assert!(refused.stderr.contains("environment `release` wants signatures"), "{}", refused.stderr);
    assert!(refused.stderr.contains(&index.digest.to_string()) && bench.release.stored().is_empty());
    attach(&bench.staging, "staging/app", &index, &["vnd.cncf.notary.signature"]);
    bench.run(&promote).expect(0);
    let list = format!("app:sha256-{}", index.digest.hex());
    let (there, here) =
        (digest(&bench.staging, &format!("staging/{list}")), digest(&bench.release, &format!("release/{list}")));
    assert!(there.is_some() && there == here);
}

#[test]
fn tags_that_move_only_move_forward() {
    let Some(bench) = environments() else { return };
    let versions = ["1.2.3", "1.3.0", "1.2.4", "1.4.0-rc.1"];
    let digests: Vec<Option<String>> = (1..)
        .zip(versions)
        .map(|(seed, version)| Some(bench.stage("staging/app", &[version], seed).digest.to_string()))
        .collect();
    let tags = ["--tag", "{version}", "--tag", "latest", "--moving", "{major},{major}.{minor}", "--confirm"];
    let promote = |version: &str| {
        let word = format!("app:{version}");
        bench.run(&[&["promote", &word, "--to", "release"], &tags[..]].concat()).expect(0).stdout
    };
    let named = || ["latest", "1", "1.2", "1.3"].map(|tag| digest(&bench.release, &format!("release/app:{tag}")));
    let [old, new, patch] = [&digests[0], &digests[1], &digests[2]];
    promote(versions[0]);
    assert_eq!(named(), [old.clone(), old.clone(), old.clone(), None]);
    promote(versions[1]);
    assert_eq!(named(), [new.clone(), new.clone(), old.clone(), new.clone()]);
    // an older patch release after a newer one
    let told = promote(versions[2]);
    assert_eq!(named(), [new.clone(), new.clone(), patch.clone(), new.clone()]);
    assert!(told.contains("  hold latest: 1.3.0 is newer\n"), "{told}");
    let told = promote(versions[3]);
    assert_eq!(named(), [new.clone(), new.clone(), patch.clone(), new.clone()]);
    assert!(told.contains("  hold latest: 1.4.0-rc.1 is a pre-release\n"), "{told}");
    for (version, digest_of) in versions.iter().zip(&digests) {
        assert_eq!(digest(&bench.release, &format!("release/app:{version}")), *digest_of);
    }
}

#[test]
fn what_is_recorded_can_be_promoted_from() {
    let Some(bench) = environments() else { return };
    let one = bench.stage("staging/app", &["1.0.0-3-gabcdef1"], 1);
    let two = bench.stage("staging/team/other", &["1.0.0"], 2);
    let promote = |words: &[&str]| {
        let more = ["--to", "release", "--record", "images.yaml", "--format", "json"];
        bench.run(&[&["promote"], words, &more[..]].concat()).expect(0)
    };
    let path = bench.workspace.root().join("images.yaml");
    let words = ["app:1.0.0-3-gabcdef1", "--tag", "1.0.0", "--tag", "latest"];
    promote(&words);
    assert!(!path.exists(), "a dry run writes nothing");
    promote(&[&words[..], &["--confirm"]].concat());
    promote(&["team/other:1.0.0", "--confirm"]);
    let block = |name: &str, digest: &str| format!("- name: {name}\n  dmap:\n    \"{digest}\": [\"1.0.0\"]\n");
    let text = block("app", &one.digest.to_string()) + &block("team/other", &two.digest.to_string());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    promote(&["team/other:1.0.0", "--confirm"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "a second time changes nothing");

    // another registry gets what the file says, by digest, from where it is
    bench.release.clear();
    let from_file = ["promote", "--manifest", "images.yaml", "--to", "release", "--confirm"];
    bench.run(&from_file).expect(0);
    assert_eq!(digest(&bench.release, "release/app:1.0.0"), Some(one.digest.to_string()));
    assert_eq!(digest(&bench.release, "release/team/other:1.0.0"), Some(two.digest.to_string()));
    // what is there need not be at the source any more; what is nowhere is an error
    bench.staging.clear();
    bench.run(&from_file).expect(0);
    std::fs::write(&path, text + &block("app", &format!("sha256:{}", "0".repeat(64))).replace("1.0.0", "2.0.0"))
        .unwrap();
    let refused = bench.run(&from_file).expect(1);
    assert!(refused.stderr.contains("is neither there nor at"), "{}", refused.stderr);
}

#[test]
fn environments_say_where_images_are() {
    let Some(bench) = environments() else { return };
    bench.stage("staging/app", &["1.0.0"], 1);
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let ended = bench.run(arguments).expect(code);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    };
    fails(&["promote", "app:1.0.0", "--to", "relese"], 2, "did you mean `release`?");
    fails(&["promote", "app:1.0.0", "--to", "staging"], 2, "nothing says where the images are");
    let other = bench.release.name();
    fails(&["promote", "app:1.0.0", "--from", "release", "--to", "release"], 2, "takes its images from `staging`");
    fails(&["promote", "app:2.0.0", "--to", "release"], 1, "is neither there nor at");
    fails(&["promote", "app", "--to", "release"], 2, "there is no image `app`");
    fails(&["promote", "app:1.0.0"], 2, "--to");
    // a registry and path will do
    let to = format!("{other}/elsewhere");
    bench.run(&["promote", "app:1.0.0", "--from", "staging", "--to", &to, "--confirm"]).expect(0);
    assert!(digest(&bench.release, "elsewhere/app:1.0.0").is_some());
}

#[test]
fn one_registry_takes_blobs_from_itself() {
    let Some(bench) = environments() else { return };
    let index = bench.stage("staging/app", &["1.0.0"], 1);
    let (from, to) = (format!("{}/staging", bench.staging.name()), format!("{}/release", bench.staging.name()));
    let promote = ["promote", "app:1.0.0", "--from", &from, "--to", &to, "--confirm"];
    let (done, requests) = bench.staging.requests_of(|| bench.run(&promote).expect(0));
    assert!(done.stdout.contains("copied 3 manifests, 0 blobs (0 B), 5 mounted"), "{}", done.stdout);
    assert!(!requests.iter().any(|one| one.method == "GET" && one.path.contains("/blobs/")), "{requests:#?}");
    assert_eq!(bench.staging.complete("release/app", "1.0.0"), Ok(Some(index.digest.to_string())));
}
