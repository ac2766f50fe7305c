//! Images of somebody who wants this program to end badly: whatever they hold, there is an answer.

use super::*;
use crate::oci::sample::Numbers;

fn survives(sample: &Sample) -> Vec<Finding> {
    let (image, layers) = sample.build();
    run(&image, &layers, None)
}

/// Every program that is cut short, and every one with a byte that is another one.
#[test]
fn damaged_programs() {
    let whole = Program { runpath: Some("$ORIGIN".to_owned()), ..dynamic() }.bytes();
    for end in 0..whole.len() {
        survives(&Sample::new().on(glibc()).app(whole[..end].to_vec()));
    }
    let mut numbers = Numbers(7);
    for position in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[position] = numbers.next() as u8;
        survives(&Sample::new().on(glibc()).app(bytes));
    }
    for _ in 0..500 {
        let mut bytes = whole.clone();
        for _ in 0..8 {
            let position = numbers.next() as usize % bytes.len();
            bytes[position] = [0, 1, 0x7f, 0xff][numbers.next() as usize % 4];
        }
        survives(&Sample::new().on(glibc()).app(bytes));
    }
}

#[test]
fn ten_thousand_links() {
    let mut sample = Sample::new();
    for number in 0..10_000 {
        sample.own.push(Entry::link(&format!("l{number}"), &format!("l{}", (number + 1) % 10_000)));
    }
    let sample = sample.with(Entry::link("app", "l0")).file("/app", json!({ "link": "l0" }));
    let found = survives(&sample);
    assert!(found.iter().any(|finding| finding.code == "broken-alias"), "{found:?}");
    // as many as are named, and a line for the rest
    assert!(found.len() < 40, "{}", found.len());
    let many = json!((0..10_000).map(|number| format!("/l{number}")).collect::<Vec<_>>());
    survives(&sample.role("aliases", many));
}

#[test]
fn deep_names_and_odd_ones() {
    let deep = "d/".repeat(1500);
    let sample = Sample::new().with(Entry::file(&format!("{deep}f"), "x")).with(Entry::link("deep", &deep));
    assert!(!survives(&sample).is_empty());
    let mut sample = Sample::new();
    for name in ["\u{202e}x", "a\nb", "a\x1b[2J", "..a", "-", "*", "#!"] {
        sample = sample.with(Entry::file(name, "x"));
    }
    let shown: String = survives(&sample).iter().map(ToString::to_string).collect();
    assert!(!shown.contains('\x1b') && !shown.contains('\n'), "{shown:?}");
}

#[test]
fn libraries_that_need_one_another() {
    let mut base = glibc();
    for number in 0..3000 {
        base.push(program_needing(&format!("usr/lib/lib{number}.so"), &format!("lib{}.so", (number + 1) % 3000)));
    }
    base.push(Entry::file("etc/ld.so.conf", "include /etc/ld.so.conf\ninclude /etc/*\n/usr/lib\n"));
    survives(&Sample::new().on(base).app(dynamic().needing("lib0.so").bytes()));
}

/// Trees, descriptions and contents by lot.
#[test]
fn random_images() {
    let mut numbers = Numbers(42);
    let paths = [
        "usr",
        "usr/bin",
        "usr/bin/app",
        "app",
        "etc",
        "etc/app.conf",
        "lib64",
        "lib64/ld-linux-x86-64.so.2",
        "bin/sh",
        "a/b/c",
    ];
    let targets = ["..", "../..", "/", "app", "usr/bin/app", "/usr/../../app", "etc", ".", "a/b", "bin/sh"];
    let words = [
        json!("/app"),
        json!("/usr/bin/app/"),
        json!("//"),
        json!(""),
        json!("relative"),
        json!("/.."),
        json!("/a/b/c"),
    ];
    for _ in 0..600 {
        let mut pick = |count: usize| numbers.next() as usize % count;
        let mut sample = Sample::new();
        for _ in 0..pick(8) {
            let name = paths[pick(paths.len())];
            let entry = match pick(5) {
                0 => Entry::folder(name),
                1 => Entry::link(name, targets[pick(targets.len())]),
                2 => Entry { kind: b'3', ..Entry::file(name, "") },
                3 => program(name, dynamic().bytes()),
                _ => program(name, format!("#!{}\n", targets[pick(targets.len())]).into_bytes()),
            };
            // what cannot be applied is refused before it comes here
            let next = Sample { own: sample.own.clone(), ..Sample::new() }.with(entry);
            let fits = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| next.build())).is_ok();
            sample = if fits { next } else { sample };
        }
        let word = words[pick(words.len())].clone();
        let sample = match pick(4) {
            0 => sample.role("command", json!([word])),
            1 => sample.role("aliases", json!([word])),
            2 => sample.file(word.as_str().unwrap(), json!({ "mode": "99999999999" })),
            _ => sample.config("WorkingDir", word),
        };
        survives(&sample);
    }
}
