//! One page that needs nothing else: no network, no script, readable on paper, in light and in dark.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::bytes::iec;
use super::super::table::html as escaped;
use super::figure::shown;
use super::model::{Column, OnPlatform, Report};
use super::remarks::remarks;
use super::tables::tables;
use super::treemap::{Area, Tile, treemap};

/// Colours are those of the reader's system; on paper what is filled stays filled.
const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8886;--soft:#8882}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;max-width:74rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2.5rem}
.maps{display:grid;grid-template-columns:repeat(var(--sets),minmax(0,1fr));gap:1.5rem;align-items:start}
@media(max-width:42rem){.maps{grid-template-columns:minmax(0,1fr)}}
figure{margin:0;break-inside:avoid}
figcaption{margin:.2rem 0 .5rem}
svg{display:block;width:100%;height:auto;print-color-adjust:exact;-webkit-print-color-adjust:exact}
svg text{font:11px system-ui,sans-serif;fill:#111;pointer-events:none}
svg .small{font-size:10px;fill:#333}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:1rem 0;break-inside:avoid}
th,td{padding:.25rem .8rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child{text-align:left}tbody th{font-weight:400}thead th{background:var(--soft)}
.d1{padding-left:2rem}.d2{padding-left:3.2rem}.d3{padding-left:4.4rem}
li{margin:.3rem 0}
@media print{body{margin:0;max-width:none;font-size:11px}table{break-inside:auto}tr{break-inside:avoid}}
";

/// Width of the drawing of the largest set, in units of its own.
const WIDTH: f64 = 520.0;
/// Height of the drawing of the largest set.
const HEIGHT: f64 = 360.0;

/// Most drawings that stand side by side.
const MOST_BESIDE: usize = 3;

/// The whole page.
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    page.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    _ = writeln!(page, "<title>What merging these images gains</title>\n<style>\n{STYLE}</style>\n</head>\n<body>");
    page.push_str("<h1>What merging these images gains</h1>\n");
    report.platforms.iter().for_each(|on| maps(on, &mut page));
    page.push_str("<h2>Figures</h2>\n");
    for table in tables(report) {
        page.push_str("<div class=\"wide\">\n");
        table.html(&mut page);
        page.push_str("</div>\n");
    }
    notes(report, &mut page);
    page.push_str("</body>\n</html>\n");
    page
}

fn notes(report: &Report, page: &mut String) {
    let remarks = remarks(report);
    if remarks.is_empty() {
        return;
    }
    page.push_str("<h2>What the figures do not say</h2>\n<ul>\n");
    remarks.iter().for_each(|remark| _ = writeln!(page, "<li>{}</li>", escaped(remark)));
    page.push_str("</ul>\n");
}

/// The sets side by side, in one scale: the same area is the same number of bytes in all of them.
fn maps(on: &OnPlatform, page: &mut String) {
    let most = on.columns.iter().map(|column| column.unique.weight()).max().unwrap_or(0);
    let owners: BTreeSet<&str> =
        on.columns.iter().flat_map(|column| &column.owners).map(|owner| owner.owner.as_str()).collect();
    let owners: Vec<&str> = owners.into_iter().collect();
    _ = writeln!(page, "<h2>Unique bytes by component and layer on {}</h2>", escaped(&on.platform));
    page.push_str("<p>Each rectangle is a layer, of the same colour for the same component; equal areas are equal numbers of bytes, as a registry gets them where that is known.</p>\n");
    _ = writeln!(page, "<div class=\"maps\" style=\"--sets:{}\">", on.columns.len().min(MOST_BESIDE));
    for column in &on.columns {
        let images = column.image_count;
        let caption = format!(
            "<strong>{}</strong>: {images} image{}, {} gzip, {} unpacked",
            escaped(&column.name),
            if images == 1 { "" } else { "s" },
            shown(column.unique.gzip),
            shown(column.unique.bytes)
        );
        _ = writeln!(page, "<figure>\n<figcaption>{caption}</figcaption>");
        drawing(column, most, &owners, page);
        page.push_str("</figure>\n");
    }
    page.push_str("</div>\n");
}

fn drawing(column: &Column, most: u64, owners: &[&str], page: &mut String) {
    let part = if most > 0 { column.unique.weight() as f64 / most as f64 } else { 0.0 };
    // both sides shrink alike, so that a small set is as readable as it can be
    let frame = Area { x: 0.5, y: 0.5, width: (WIDTH - 1.0) * part.sqrt(), height: (HEIGHT - 1.0) * part.sqrt() };
    _ = writeln!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {:.1}\" role=\"img\" aria-label=\"{}\">",
        frame.height + 2.0,
        escaped(&format!("unique bytes of {} by component and layer", column.name))
    );
    for tile in treemap(column, frame) {
        let colour = owners.iter().position(|owner| *owner == tile.owner.owner).unwrap_or(0);
        draw(&tile, colour, page);
    }
    page.push_str("</svg>\n");
}

fn draw(tile: &Tile<'_>, colour: usize, page: &mut String) {
    let Area { x, y, width, height } = tile.area;
    // the golden angle: neighbours in the list are far apart in colour
    let hue = colour * 137 % 360;
    let size = tile.layer.size;
    let title = format!(
        "{}: {} {}, {} gzip, {} unpacked, in {}",
        tile.owner.owner,
        tile.layer.name,
        tile.layer.diff_id,
        shown(size.gzip),
        shown(size.bytes),
        tile.layer.images.join(", ")
    );
    _ = writeln!(
        page,
        "<g><title>{}</title><rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"hsl({hue} 60% 74%)\" stroke=\"#333\" stroke-width=\"0.7\"/>",
        escaped(&title)
    );
    let lines = [(14.0, "", tile.owner.owner.as_str()), (27.0, " class=\"small\"", &iec(size.weight()))];
    for (below, class, words) in lines {
        if height > below + 3.0
            && let Some(words) = fitting(words, width)
        {
            let (x, y) = (x + 4.0, y + below);
            _ = writeln!(page, "<text x=\"{x:.2}\" y=\"{y:.2}\"{class}>{}</text>", escaped(&words));
        }
    }
    page.push_str("</g>\n");
}

/// As much of some words as a width has room for; nothing when that says nothing.
fn fitting(words: &str, width: f64) -> Option<String> {
    const OF_CHARACTER: f64 = 6.2;
    let room = ((width - 8.0) / OF_CHARACTER).max(0.0) as usize;
    let length = words.chars().count();
    match room {
        _ if length <= room => Some(words.to_owned()),
        0..=4 => None,
        _ => Some(words.chars().take(room - 1).chain(['…']).collect()),
    }
}
