//! A comparison as text: Markdown tables of ratios and of what each set is worth. On a terminal, tables that are too wide are
//! printed in parts, ratios have colours and means have bars; elsewhere the text depends on the figures only.

use super::Comparison;
use super::compare::Column;
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

/// Ratios that differ less from 1 are taken for noise.
const NOISE: f64 = 0.05;

/// So many benchmarks are named in a line of the summary.
const NAMED: usize = 4;

/// Characters in the longest bar.
const BAR: f64 = 16.0;

/// What a bar of one character stands for, unless longer bars ask for more: means that hardly differ have hardly a bar.
const FINEST: f64 = 0.01;

/// A field of a table.
#[derive(Clone, Default)]
struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    fn new(text: impl Into<String>) -> Cell {
        Cell {
            text: text.into(),
            style: Style::new(),
        }
    }

    /// Red for slower, green for faster.
    fn ratio(value: Option<f64>) -> Cell {
        let Some(ratio) = value else {
            return Cell::new("-");
        };
        let style = match ratio {
            r if r > 1.0 + NOISE => AnsiColor::Red.on_default(),
            r if r < 1.0 - NOISE => AnsiColor::Green.on_default(),
            _ => Style::new(),
        };
        let text = format!("{ratio:.2}");
        Cell { text, style }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    fn is_number(&self) -> bool {
        self.text.chars().all(|d| "0123456789.-".contains(d))
    }
}

type Row = Vec<Cell>;

/// Prints the table, the summary and the failures, with escape sequences for colours. `screen` is the width of the terminal, if
/// `out` is one.
pub fn write(all: &Comparison, screen: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let Some((first, others)) = all.columns.split_first() else {
        return Ok(());
    };
    for rows in parts(&table(all, first, others), screen) {
        write_table(&rows, out)?;
        writeln!(out)?;
    }
    write_table(&summary(all, first, others, screen.is_some()), out)?;
    for failure in &all.failures {
        writeln!(out, "FAILED {failure}")?;
    }
    Ok(())
}

/// A row for each benchmark, a column for each set.
fn table(all: &Comparison, first: &Column, others: &[Column]) -> Vec<Row> {
    let mut rows = vec![vec![
        Cell::new("benchmark"),
        Cell::new(format!("{} (us)", first.name)),
    ]];
    rows[0].extend(others.iter().map(|c| Cell::new(&*c.name)));
    for benchmark in all.benchmarks() {
        let micros = first.times[benchmark] / 1e3;
        let mut row = vec![Cell::new(benchmark), Cell::new(format!("{micros:.1}"))];
        row.extend(others.iter().map(|c| Cell::ratio(all.ratio(c, benchmark))));
        rows.push(row);
    }
    let mut means = vec![Cell::new("geometric mean"), Cell::default()];
    means.extend(others.iter().map(|c| Cell::ratio(all.mean(c))));
    rows.push(means);
    rows
}

/// Tables that fit on the screen, with the two columns at the left in each of them.
fn parts(rows: &[Row], screen: Option<usize>) -> Vec<Vec<Row>> {
    let widths = widths(rows);
    let room = screen.unwrap_or(usize::MAX);
    // Of a column: its text, a space at both sides and a line; and the line at the end.
    let left: usize = widths[..2].iter().map(|w| w + 3).sum::<usize>() + 1;
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut used = 0;
    for (column, width) in widths.iter().enumerate().skip(2) {
        if groups.is_empty() || used + width + 3 > room {
            groups.push(vec![0, 1]);
            used = left;
        }
        used += width + 3;
        if let Some(group) = groups.last_mut() {
            group.push(column);
        }
    }
    let part = |group: &Vec<usize>| {
        let row = |row: &Row| group.iter().map(|&c| row[c].clone()).collect();
        rows.iter().map(row).collect()
    };
    groups.iter().map(part).collect()
}

/// Which benchmarks each set changes most; the set that costs most comes first.
fn summary(all: &Comparison, first: &Column, others: &[Column], bars: bool) -> Vec<Row> {
    let head = format!("against {}", first.name);
    let titles = [&*head, "mean", "", "slower", "faster"];
    let shown = |column: &usize| bars || *column != 2;
    let kept = |row: Vec<Cell>| -> Row {
        let cells = row.into_iter().enumerate();
        cells.filter(|c| shown(&c.0)).map(|c| c.1).collect()
    };
    let mut sorted: Vec<(f64, &Column)> = others
        .iter()
        .filter_map(|c| Some((all.mean(c)?, c)))
        .collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let longest = sorted.iter().map(|(m, _)| m.ln().abs());
    let scale = longest.fold(BAR * FINEST, f64::max) / BAR;
    let mut rows = vec![kept(titles.map(Cell::new).to_vec())];
    for (mean, column) in sorted {
        let mut ratios: Vec<_> = all
            .benchmarks()
            .filter_map(|b| Some((all.ratio(column, b)?, b)))
            .collect();
        ratios.sort_by(|a, b| b.0.total_cmp(&a.0));
        let slower = ratios.iter().filter(|(r, _)| *r > 1.0 + NOISE);
        let faster = ratios.iter().rev().filter(|(r, _)| *r < 1.0 - NOISE);
        let named = |(r, b): &(f64, &str)| format!("{b} {r:.2}");
        let bar = Cell {
            text: bar(mean.ln().abs() / scale),
            ..Cell::ratio(Some(mean))
        };
        rows.push(kept(vec![
            Cell::new(&*column.name),
            Cell::ratio(Some(mean)),
            bar,
            Cell::new(slower.take(NAMED).map(named).collect::<Vec<_>>().join(", ")),
            Cell::new(faster.take(NAMED).map(named).collect::<Vec<_>>().join(", ")),
        ]));
    }
    rows
}

/// A bar of so many characters, to an eighth of one.
fn bar(length: f64) -> String {
    let eighths = (length * 8.0).round() as usize;
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + rest
}

/// The width of each column.
fn widths(rows: &[Row]) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |c: usize| rows.iter().map(|r| r[c].width()).max().unwrap_or(0).max(3);
    (0..columns).map(width).collect()
}

/// Markdown whose columns line up; columns of numbers are flush right.
fn write_table(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let widths = widths(rows);
    let numeric = |c: usize| {
        let mut body = rows[1..].iter().map(|r| &r[c]);
        c > 0 && body.clone().all(Cell::is_number) && body.any(|cell| !cell.text.is_empty())
    };
    let numeric: Vec<_> = (0..widths.len()).map(numeric).collect();
    for (index, row) in rows.iter().enumerate() {
        for ((cell, w), numeric) in row.iter().zip(&widths).zip(&numeric) {
            let (text, w, style) = (&cell.text, *w, cell.style);
            match numeric {
                true => write!(out, "| {style}{text:>w$}{style:#} ")?,
                false => write!(out, "| {style}{text:<w$}{style:#} ")?,
            }
        }
        writeln!(out, "|")?;
        if index == 0 {
            for (w, numeric) in widths.iter().zip(&numeric) {
                let end = if *numeric { ":" } else { "-" };
                write!(out, "|{}{end}", "-".repeat(w + 1))?;
            }
            writeln!(out, "|")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison() -> Comparison {
        let column = |name: &str, times: &[(&str, f64)]| Column {
            name: name.into(),
            times: times.iter().map(|(b, t)| ((*b).to_owned(), *t)).collect(),
        };
        Comparison {
            columns: vec![
                column("all", &[("sum", 2000.0), ("sort", 4000.0)]),
                column("-gvn", &[("sum", 2000.0), ("sort", 4080.0)]),
                column("-licm", &[("sum", 8000.0), ("sort", 2000.0)]),
            ],
            failures: vec!["x (all): why".into()],
        }
    }

    /// Without colours.
    fn text(screen: Option<usize>) -> String {
        let mut out = Vec::new();
        write(&comparison(), screen, &mut out).expect("memory takes it");
        let text = String::from_utf8(out).expect("text");
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_table() {
        let expected = "\
| benchmark      | all (us) | -gvn | -licm |
|----------------|---------:|-----:|------:|
| sum            |      2.0 | 1.00 |  4.00 |
| sort           |      4.0 | 1.02 |  0.50 |
| geometric mean |          | 1.01 |  1.41 |

| against all | mean | slower   | faster    |
|-------------|-----:|----------|-----------|
| -licm       | 1.41 | sum 4.00 | sort 0.50 |
| -gvn        | 1.01 |          |           |
FAILED x (all): why
";
        assert_eq!(text(None), expected);
    }

    #[test]
    fn on_a_screen_tables_fit_and_means_have_bars() {
        let expected = "\
| benchmark      | all (us) | -gvn |
|----------------|---------:|-----:|
| sum            |      2.0 | 1.00 |
| sort           |      4.0 | 1.02 |
| geometric mean |          | 1.01 |

| benchmark      | all (us) | -licm |
|----------------|---------:|------:|
| sum            |      2.0 |  4.00 |
| sort           |      4.0 |  0.50 |
| geometric mean |          |  1.41 |

| against all | mean |                  | slower   | faster    |
|-------------|-----:|------------------|----------|-----------|
| -licm       | 1.41 | ████████████████ | sum 4.00 | sort 0.50 |
| -gvn        | 1.01 | ▌                |          |           |
FAILED x (all): why
";
        assert_eq!(text(Some(39)), expected);
        // The line with all columns has 44 characters.
        assert_eq!(text(Some(44)).matches("benchmark").count(), 1);
        assert_eq!(text(Some(43)).matches("benchmark").count(), 2);
        // A column that never fits is printed all the same.
        assert_eq!(text(Some(1)).matches("benchmark").count(), 2);
    }

    #[test]
    fn slower_is_red_and_faster_green() {
        let color = |r| Cell::ratio(Some(r)).style.get_fg_color();
        assert_eq!(color(1.2), Some(AnsiColor::Red.into()));
        assert_eq!(color(0.8), Some(AnsiColor::Green.into()));
        assert_eq!(color(1.04), None);
    }
}
