//! A comparison as SVG: a bar for the geometric mean of each set, above a map with a cell for each benchmark and set.

use super::Comparison;
use super::compare::Column;
use svg::node::element::{Line, Rectangle, Text, Title};
use svg::{Document, Node};

/// Sizes in pixels.
const CELL_WIDTH: f64 = 46.0;
const CELL_HEIGHT: f64 = 16.0;
const LEFT: f64 = 150.0;
const BARS: f64 = 140.0;
const HEADS: f64 = 130.0;
const TOP: f64 = 40.0;

/// A ratio of this (or one over it) has the full colour.
const FULL: f64 = 4.0;

/// The drawing's text.
pub fn draw(all: &Comparison) -> String {
    let rows = all.benchmarks().count() as f64;
    let width = LEFT + CELL_WIDTH * all.columns.len() as f64 + 20.0;
    let map = TOP + BARS + HEADS;
    let height = map + rows * CELL_HEIGHT + 20.0;
    let mut page = Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("width", width)
        .set("height", height)
        .set("font-family", "sans-serif")
        .set("font-size", 10);
    page.append(
        Rectangle::new()
            .set("width", "100%")
            .set("height", "100%")
            .set("fill", "white"),
    );
    page.append(label(&title(all), 10.0, 18.0).set("font-size", 13));
    bars(all, &mut page);
    for (row, benchmark) in all.benchmarks().enumerate() {
        let y = map + row as f64 * CELL_HEIGHT;
        page.append(label(benchmark, LEFT - 6.0, y + 12.0).set("text-anchor", "end"));
        for (index, column) in all.columns.iter().enumerate() {
            cell(all, column, benchmark, (left(index), y), &mut page);
        }
    }
    page.to_string()
}

fn title(all: &Comparison) -> String {
    let base = all.columns.first().map_or("", |c| &c.name);
    format!("Times as multiples of those under {base}: geometric means, then each benchmark")
}

fn left(index: usize) -> f64 {
    LEFT + index as f64 * CELL_WIDTH
}

fn label(text: &str, x: f64, y: f64) -> Text {
    Text::new(text).set("x", x).set("y", y)
}

/// The bars, their names below them and the line at 1.
fn bars(all: &Comparison, page: &mut Document) {
    let means: Vec<_> = all.columns.iter().map(|c| all.mean(c)).collect();
    let highest = means.iter().flatten().fold(1.0f64, |a, b| a.max(*b));
    let bottom = TOP + BARS;
    let scale = (BARS - 20.0) / highest;
    for (index, (column, mean)) in all.columns.iter().zip(&means).enumerate() {
        let middle = left(index) + CELL_WIDTH / 2.0;
        if let Some(mean) = mean {
            let top = bottom - mean * scale;
            let bar = Rectangle::new()
                .set("x", left(index) + 4.0)
                .set("y", top)
                .set("width", CELL_WIDTH - 8.0)
                .set("height", mean * scale)
                .set("fill", "steelblue");
            page.append(bar);
            page.append(
                label(&format!("{mean:.2}"), middle, top - 4.0).set("text-anchor", "middle"),
            );
        }
        let y = bottom + 10.0;
        let name =
            label(&column.name, middle, y).set("transform", format!("rotate(60 {middle} {y})"));
        page.append(name);
    }
    let one = bottom - scale;
    let line = Line::new()
        .set("x1", LEFT)
        .set("x2", left(all.columns.len()));
    page.append(
        line.set("y1", one)
            .set("y2", one)
            .set("stroke", "black")
            .set("stroke-dasharray", "4 3"),
    );
}

fn cell(
    all: &Comparison,
    column: &Column,
    benchmark: &str,
    (x, y): (f64, f64),
    page: &mut Document,
) {
    let Some(ratio) = all.ratio(column, benchmark) else {
        return;
    };
    let nanoseconds = column.times[benchmark];
    let hint = format!("{benchmark}, {}: {:.1} us", column.name, nanoseconds / 1e3);
    let cell = Rectangle::new()
        .set("x", x)
        .set("y", y)
        .set("width", CELL_WIDTH - 1.0)
        .set("height", CELL_HEIGHT - 1.0)
        .set("fill", colour(ratio))
        .add(Title::new(hint));
    page.append(cell);
    let text = label(&format!("{ratio:.2}"), x + CELL_WIDTH / 2.0, y + 12.0);
    page.append(text.set("text-anchor", "middle"));
}

/// Red for slower, green for faster.
fn colour(ratio: f64) -> String {
    let strength = (ratio.ln().abs() / FULL.ln()).min(1.0);
    let faded = (255.0 - 155.0 * strength) as u8;
    match ratio > 1.0 {
        true => format!("#ff{faded:02x}{faded:02x}"),
        false => format!("#{faded:02x}ff{faded:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_xml_with_a_cell_for_each_time() {
        let column = |name: &str, times: &[(&str, f64)]| Column {
            name: name.into(),
            times: times.iter().map(|(b, t)| ((*b).to_owned(), *t)).collect(),
        };
        let all = Comparison {
            columns: vec![
                column("all", &[("a<b>", 2.0), ("c", 4.0)]),
                column("-gvn", &[("a<b>", 8.0)]),
            ],
            failures: Vec::new(),
        };
        let text = draw(&all);
        let parsed = roxmltree::Document::parse(&text).expect("well-formed");
        let count = |tag: &str| parsed.descendants().filter(|n| n.has_tag_name(tag)).count();
        // The page, two bars, three cells.
        assert_eq!(count("rect"), 6, "{text}");
        assert_eq!(count("title"), 3, "{text}");
        let texts: Vec<_> = parsed
            .descendants()
            .filter_map(|n| n.text())
            .map(str::trim)
            .collect();
        for expected in ["a<b>", "c", "all", "-gvn", "4.00", "a<b>, -gvn: 0.0 us"] {
            assert!(texts.contains(&expected), "{expected} in {texts:?}");
        }
    }

    #[test]
    fn colours() {
        assert_eq!(colour(1.0), "#ffffff");
        assert_eq!(colour(100.0), "#ff6464");
        assert_eq!(colour(0.25), "#64ff64");
    }
}
