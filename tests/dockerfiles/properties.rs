//! What holds for every Dockerfile.

use groupage::dockerfile::{
    Dockerfile, Edit, Extent, Kind, Quoting, Source, StepKind, TransferSource, Value, evaluate, rewrite,
};

use super::corpus::cases;
use super::summary;

/// Pieces and parts stand side by side and print back; edits of nothing change nothing.
pub fn tiles(file: &Dockerfile) {
    let text = file.text();
    let mut at = 0;
    for piece in file.pieces() {
        assert_eq!(piece.span.start, at, "{text}");
        at = piece.span.end;
    }
    assert_eq!(at, text.len(), "{text}");
    at = 0;
    for part in file.parts() {
        assert_eq!(part.span.start, at, "{part:?} {text}");
        assert!(part.span.end > at, "{part:?} {text}");
        at = part.span.end;
    }
    assert_eq!(at, text.len(), "{text}");
    assert_eq!(rewrite(file, &[]).as_deref(), Ok(text));
}

#[test]
fn pieces_and_parts_tile_every_case() {
    for case in cases() {
        tiles(&Dockerfile::parse(&case.text).expect("it is read elsewhere"));
    }
}

/// The words of an instruction say where they stand: what is there is the word again, if it is written on one line.
#[test]
fn words_stand_where_they_say() {
    for case in cases() {
        let file = Dockerfile::parse(&case.text).expect("it is read elsewhere");
        for instruction in file.instructions() {
            for word in instruction.words() {
                let there = word.span.of(file.text());
                let is_plain = word.quoting == Quoting::Plain && !there.contains('\n');
                assert!(!is_plain || there == word.text(), "{}: {there:?} is not {:?}", case.name, word.text());
                for (at, c) in word.text().char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()) {
                    let place = word.extent(at..at + 1).of(file.text());
                    assert!(
                        place == c.encode_utf8(&mut [0; 4]) || place == "\\",
                        "{}: {place:?} is not {c}",
                        case.name
                    );
                }
            }
        }
    }
}

/// Renamed at every place that was found, a file means the same by other names.
fn renamed(case: &str, text: &str, edits: &[Edit]) -> Dockerfile {
    let file = Dockerfile::parse(text).expect("it is read elsewhere");
    let new = rewrite(&file, edits).unwrap_or_else(|error| panic!("{case}: {error}"));
    Dockerfile::parse(&new).unwrap_or_else(|errors| panic!("{case}: {errors:?} in {new}"))
}

#[test]
fn stages_can_be_renamed() {
    let mut edited = 0;
    for case in cases() {
        let file = Dockerfile::parse(&case.text).expect("it is read elsewhere");
        let names = file.stages().iter().filter_map(|stage| stage.name.as_ref()).map(|name| name.span);
        let uses = file.stage_uses().into_iter().map(|at| at.span);
        let is_name = |span: &Extent| !span.of(&case.text).starts_with(|c: char| c.is_ascii_digit());
        let mark = |span: Extent| Edit { span: Extent::new(span.start, span.start), text: "zz-".to_owned() };
        let edits: Vec<Edit> = names.chain(uses).filter(is_name).map(mark).collect();
        edited += edits.len();
        let new = renamed(&case.name, &case.text, &edits);
        assert_eq!(summary::of(&new, &case.args).replace("zz-", ""), summary::of(&file, &case.args), "{}", case.name);
    }
    assert!(edited > 60, "{edited}");
}

/// Variables that somebody else sets keep their names.
const OTHERS: [&str; 1] = ["PATH"];

#[test]
fn variables_can_be_renamed() {
    let mut edited = 0;
    for case in cases() {
        let file = Dockerfile::parse(&case.text).expect("it is read elsewhere");
        let is_ours = |name: &str| {
            !name.starts_with("TARGET")
                && !name.starts_with("BUILD")
                && !OTHERS.contains(&name)
                && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        let uses = file.variable_uses();
        assert!(
            uses.iter().all(|at| at.span.of(&case.text) == at.name || at.span.of(&case.text).contains('\\')),
            "{}",
            case.name
        );
        let edits: Vec<Edit> = uses
            .into_iter()
            .filter(|at| is_ours(&at.name))
            .map(|at| Edit { span: Extent::new(at.span.start, at.span.start), text: "ZZ_".to_owned() })
            .collect();
        edited += edits.len();
        let new = renamed(&case.name, &case.text, &edits);
        let rename = |(name, value): (&String, &String)| {
            (if is_ours(name) { format!("ZZ_{name}") } else { name.clone() }, value.clone())
        };
        let args = case.args.iter().map(rename).collect();
        assert_eq!(summary::of(&new, &args).replace("ZZ_", ""), summary::of(&file, &case.args), "{}", case.name);
    }
    assert!(edited > 60, "{edited}");
}

/// Whatever is written in the place of a source of a `COPY` is read as it is.
#[test]
fn a_source_can_be_replaced_by_any_name() {
    let mut edited = 0;
    for case in cases() {
        let file = Dockerfile::parse(&case.text).expect("it is read elsewhere");
        let Some(stage) = file.stages().last() else { continue };
        for (index, instruction) in file.stage_instructions(stage).iter().enumerate() {
            let Kind::Copy(transfer) = &instruction.kind else { continue };
            let TransferSource::Written(word) = &transfer.sources[0] else { continue };
            let blank = if word.quoting == Quoting::Json { " \n" } else { "" };
            for name in [format!("o'dd$na\"me\\`{{x}}é{blank}"), "comp/plain".to_owned()] {
                let text = word.written(&name, file.escape()).expect("it has no blanks");
                let new = renamed(&case.name, &case.text, &[Edit { span: word.span, text }]);
                let facts =
                    evaluate(&new, None, &case.args).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.name));
                let step = facts.steps.iter().find(|step| step.instruction == stage.instructions.start + index);
                let Some(StepKind::Copy(copy)) = step.map(|step| &step.kind) else { panic!("{}", case.name) };
                assert_eq!(copy.sources[0].value, Source::Path(Value::Known(name)), "{}", case.name);
                edited += 1;
            }
        }
    }
    assert!(edited > 40, "{edited}");
}

/// What a file of the list holds is a case.
#[test]
fn the_list_of_what_can_be_built_is_right() {
    let list = std::fs::read_to_string(super::corpus::shelf().join("buildable.txt")).expect("a list");
    let names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    for line in list.lines() {
        let mut words = line.split(' ');
        assert!(words.next().is_some_and(|name| names.iter().any(|case| case == name)), "{line}");
        assert!(words.all(|builder| builder == "docker" || builder == "buildah"), "{line}");
    }
    assert!(list.lines().count() >= 35);
}
