//! A table, and what it is in text, Markdown and HTML.

use std::fmt::Write as _;

/// Rows with a label each, and one cell for each column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// What it is about, in one line.
    pub title: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// What the row is.
    pub label: String,
    /// How deep it stands below a row above it.
    pub depth: usize,
    /// Its cells; none for a row that only names those below it.
    pub cells: Vec<String>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: impl Into<String>, head: impl IntoIterator<Item = String>) -> Self {
        Self { title: title.into(), head: head.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, depth: usize, label: impl Into<String>, cells: Vec<String>) {
        self.rows.push(Row { label: label.into(), depth, cells });
    }

    /// In text: labels to the left, cells to the right of their columns.
    pub fn text(&self, into: &mut String) {
        let label = |row: &Row| format!("{}{}", "  ".repeat(row.depth + 1), row.label);
        let first = self.rows.iter().map(|row| width(&label(row))).chain([width(&self.title)]).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.head.len()).map(|index| self.width_of(index)).collect();
        line(into, &self.title, first, &self.head, &widths);
        self.rows.iter().for_each(|row| line(into, &label(row), first, &row.cells, &widths));
    }

    fn width_of(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.cells.get(column)).chain(self.head.get(column));
        cells.map(|cell| width(cell)).max().unwrap_or(0)
    }

    /// In GitHub's Markdown.
    pub fn markdown(&self, into: &mut String) {
        let head: String = self.head.iter().map(|name| format!(" {} |", markdown(name))).collect();
        let rule: String = self.head.iter().map(|_| " ---: |").collect();
        _ = writeln!(into, "| {} |{head}\n| :--- |{rule}", markdown(&self.title));
        for row in &self.rows {
            let cell = |index: usize| row.cells.get(index).map(|cell| markdown(cell)).unwrap_or_default();
            let cells: String = (0..self.head.len()).map(|index| format!(" {} |", cell(index))).collect();
            _ = writeln!(into, "| {}{} |{cells}", "&nbsp;&nbsp;".repeat(row.depth), markdown(&row.label));
        }
    }

    /// In HTML.
    pub fn html(&self, into: &mut String) {
        let head: String = self.head.iter().map(|name| format!("<th scope=\"col\">{}</th>", html(name))).collect();
        _ = writeln!(
            into,
            "<table>\n<thead><tr><th scope=\"col\">{}</th>{head}</tr></thead>\n<tbody>",
            html(&self.title)
        );
        for row in &self.rows {
            let label = format!("<th scope=\"row\" class=\"d{}\">{}</th>", row.depth.min(3), html(&row.label));
            let cell = |index: usize| row.cells.get(index).map(|cell| html(cell)).unwrap_or_default();
            let cells: String = (0..self.head.len()).map(|index| format!("<td>{}</td>", cell(index))).collect();
            _ = writeln!(into, "<tr>{label}{cells}</tr>");
        }
        into.push_str("</tbody>\n</table>\n");
    }
}

fn line(into: &mut String, label: &str, first: usize, cells: &[String], widths: &[usize]) {
    let mut line = format!("{label}{}", " ".repeat(first.saturating_sub(width(label))));
    for (cell, wide) in cells.iter().zip(widths) {
        line.push_str(&format!("  {}{cell}", " ".repeat(wide.saturating_sub(width(cell)))));
    }
    into.push_str(line.trim_end());
    into.push('\n');
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Text as it is shown by Markdown: nothing in it marks up, ends a cell or begins a tag.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => escaped.extend(['\\', character]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Text as it is shown by HTML, also between quotes of an attribute.
pub fn html(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("t<i>", ["a|b".to_owned(), "c".to_owned()]);
        table.push(0, "first", vec!["1".to_owned(), "22".to_owned()]);
        table.push(1, "x_y & \"z\"", vec!["333333".to_owned()]);
        table
    }

    fn check(write: fn(&Table, &mut String), expect: &str) {
        let mut text = String::new();
        write(&table(), &mut text);
        assert_eq!(text, expect);
    }

    #[test]
    fn cells_stand_below_each_other() {
        check(Table::text, "t<i>              a|b   c\n  first             1  22\n    x_y & \"z\"  333333\n");
    }

    #[test]
    fn nothing_marks_up() {
        check(
            Table::markdown,
            "| t&lt;i&gt; | a\\|b | c |\n| :--- | ---: | ---: |\n| first | 1 | 22 |\n| &nbsp;&nbsp;x\\_y &amp; \"z\" | 333333 |  |\n",
        );
        let mut text = String::new();
        table().html(&mut text);
        assert!(text.contains("<th scope=\"col\">t&lt;i&gt;</th>"), "{text}");
        assert!(text.contains("class=\"d1\">x_y &amp; &quot;z&quot;</th><td>333333</td><td></td>"), "{text}");
        assert_eq!(html("<script>'&"), "&lt;script&gt;&#39;&amp;");
        assert_eq!(markdown("a\n<b>@team"), "a &lt;b&gt;\\@team");
    }
}
