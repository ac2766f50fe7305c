//! Reports of sets of images that are told here.

use super::*;

/// A layer whose digest is its name.
fn layer(name: &str, owner: Owner, bytes: u64, gzip: u64) -> LayerFacts {
    LayerFacts { diff_id: name.to_owned(), name: name.to_owned(), owner, bytes: Some(bytes), gzip: Some(gzip) }
}

fn of(component: &str, bytes: u64, gzip: u64) -> LayerFacts {
    layer(&format!("comp-{component}"), Owner::Component(component.to_owned()), bytes, gzip)
}

fn image(id: &str, roles: &[&str], layers: Vec<LayerFacts>) -> ImageFacts {
    let definition = id.split(['/', '+']).next().unwrap_or_default().to_owned();
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    ImageFacts { id: id.to_owned(), definition, platform: "linux/amd64".to_owned(), roles, layers }
}

fn column(name: &str, origin: Origin, images: Vec<ImageFacts>) -> ColumnFacts {
    let release = Release { images: images.len(), platform_images: images.len() * 2, tags: images.len() };
    ColumnFacts {
        name: name.to_owned(),
        origin,
        images,
        release: Figure::Is(release),
        build: Figure::NotMeasured("everything was there already".to_owned()),
        unknown: None,
    }
}

/// Two programs that share certificates, and what becomes of them.
fn facts() -> Facts {
    let describe = |image: &str| layer(&format!("image-{image}"), Owner::Image, 20, 10);
    let split = vec![
        image("app/a", &["a"], vec![of("a", 1000, 400), of("certs", 300, 200), describe("a")]),
        image("app/b", &["b"], vec![of("b", 500, 300), of("certs", 300, 200), describe("b")]),
    ];
    let colocated = vec![image(
        "app",
        &["a", "b"],
        vec![of("a", 1000, 400), of("b", 500, 300), of("certs", 300, 200), describe("m")],
    )];
    let program = layer("comp-multicall", Owner::Program(vec!["a".to_owned(), "b".to_owned()]), 1100, 450);
    let multicall = vec![image("app+multicall", &["a", "b"], vec![program, of("certs", 300, 200), describe("x")])];
    Facts {
        columns: vec![
            column("split", Origin::Before, split),
            column("colocated", Origin::After, colocated),
            column("multicall", Origin::After, multicall),
        ],
        memory: Figure::NotMeasured("--measure-memory was not asked for".to_owned()),
    }
}

fn with_evil_names() -> Facts {
    let mut facts = facts();
    let evil = "<script>alert(1)</script>|\"'&";
    facts.columns[0].images[0].layers[0].owner = Owner::Component(evil.to_owned());
    facts.columns[0].images[0].roles = vec![evil.to_owned()];
    facts.columns[1].name = evil.to_owned();
    facts
}

#[test]
fn layers_count_once_in_the_union() {
    let report = report(facts());
    let [split, colocated, multicall] = &report.platforms[0].columns[..] else { panic!("three columns") };
    let size = |bytes, gzip| Size { bytes: Some(bytes), gzip: Some(gzip) };
    assert_eq!((split.image_count, split.total, split.unique), (2, size(2140, 1120), size(1840, 920)));
    assert_eq!((colocated.image_count, colocated.total, colocated.unique), (1, size(1820, 910), size(1820, 910)));
    assert_eq!((multicall.total, multicall.unique), (size(1420, 660), size(1420, 660)));
    for column in &report.platforms[0].columns {
        let sum: Size = column.owners.iter().map(|owner| owner.size).sum();
        assert_eq!(sum, column.unique, "owners of {} have all of it", column.name);
    }
    let certs = split.owners.iter().find(|owner| owner.owner == "certs").unwrap();
    assert_eq!(certs.layers[0].images, ["app/a", "app/b"]);
}

#[test]
fn a_node_with_one_role_may_get_worse_and_is_told() {
    let remarks = remarks(&report(facts()));
    let expect = "linux/amd64: a node that runs only `b` of app gets worse: with colocated it pulls 910 B instead of 510 B (+78.4 %)";
    assert!(remarks.iter().any(|remark| remark == expect), "{remarks:#?}");
    let of_a = "linux/amd64: a node that runs only `a` of app gets worse: with multicall it pulls 660 B instead of 610 B (+8.2 %)";
    assert!(remarks.iter().any(|remark| remark == of_a), "{remarks:#?}");
}

#[test]
fn what_is_not_known_of_a_layer_is_not_known_of_the_sum() {
    let mut facts = facts();
    let published = LayerFacts { bytes: None, owner: Owner::Unknown, ..of("x", 0, 77) };
    facts.columns.push(ColumnFacts {
        release: Figure::NotMeasured("it is not of this workspace".to_owned()),
        unknown: Some("a registry tells compressed sizes alone".to_owned()),
        ..column("old/x:1", Origin::Baseline, vec![image("old/x:1", &[], vec![published])])
    });
    let report = report(facts);
    let column = report.platforms[0].columns.last().unwrap();
    assert_eq!(column.unique, Size { bytes: None, gzip: Some(77) });
    let json = serde_json::to_value(json(&report)).unwrap();
    assert_eq!(json["platforms"][0]["columns"][3]["unique"], serde_json::json!({ "bytes": null, "gzip": 77 }));
    assert_eq!(json["platforms"][0]["columns"][3]["reason"], "a registry tells compressed sizes alone");
    assert_eq!(json["releases"][3]["value"], serde_json::Value::Null);
    assert_eq!(json["releases"][3]["reason"], "it is not of this workspace");
    assert_eq!(json["memory"]["value"], serde_json::Value::Null);
    assert!(text(&report).contains("not known"), "{}", text(&report));
}

#[test]
fn names_mark_nothing_up() {
    let report = report(with_evil_names());
    let page = html(&report);
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;|&quot;&#39;&amp;"), "{page}");
    let marked = markdown(&report);
    assert!(!marked.contains("<script") && marked.contains("&lt;script&gt;alert(1)&lt;/script&gt;\\|"), "{marked}");
}

#[test]
fn the_page_needs_nothing_else() {
    let page = html(&report(facts()));
    for foreign in ["http://", "https://", "src=", "href=", "@import", "url(", "<script"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<svg ").count(), 3);
    assert_eq!(page, html(&report(facts())), "the same every time");
}
