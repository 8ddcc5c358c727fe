//! Charts as SVG inside the page: plain shapes in the colours of the page, so that they print and follow light and dark.

use super::escaped;
use std::fmt::Write;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
/// A bar that lies, with the gap to the next; room for its label and for its number.
const BAR: f64 = 24.0;
const BAR_LEFT: f64 = 172.0;
const BAR_RIGHT: f64 = 52.0;

/// Columns at most; more runs are put together.
pub(super) const MOST_COLUMNS: usize = 60;

/// One line or one part of each column.
pub(super) struct Series {
    pub(super) name: String,
    /// One per column; `None` leaves a gap.
    pub(super) values: Vec<Option<f64>>,
}

/// What is drawn: labels of the columns, and a series of values per name.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) labels: &'a [String],
    pub(super) series: &'a [Series],
}

/// A number near or above the largest that reads well on an axis.
fn ceiling(largest: f64) -> f64 {
    if largest <= 4.0 {
        return 4.0;
    }
    let unit = 10_f64.powf(largest.log10().floor());
    let nice = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0]
        .into_iter()
        .find(|step| step * unit >= largest);
    nice.unwrap_or(10.0) * unit
}

fn short(number: f64) -> String {
    if number >= 10_000.0 {
        format!("{}k", number / 1000.0)
    } else {
        format!("{number}")
    }
}

impl Chart<'_> {
    fn y(value: f64, top: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top
    }

    fn column(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.labels.len().max(1) as f64
    }

    fn frame(&self, svg: &mut String, top: f64) {
        let _ = write!(
            svg,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escaped(self.title)
        );
        for part in 0..=4 {
            let value = top * f64::from(part) / 4.0;
            let y = Self::y(value, top);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                short(value)
            );
        }
        // The first, the middle and the last label have room.
        let last = self.labels.len().saturating_sub(1);
        let mut shown = vec![(0, "start"), (last / 2, "middle"), (last, "end")];
        shown.dedup_by_key(|(at, _)| *at);
        for (at, anchor) in shown {
            let Some(label) = self.labels.get(at) else { continue };
            let x = match anchor {
                "start" => LEFT,
                "end" => WIDTH - RIGHT,
                _middle => LEFT + self.column() * (at as f64 + 0.5),
            };
            let _ = write!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                HEIGHT - 7.0,
                escaped(label)
            );
        }
    }

    /// The names of the series, each with its colour; in their order where none are given.
    fn legend(&self, colours: &[usize]) -> String {
        let mut legend = "<ul class=\"legend\">".to_owned();
        for (number, series) in self.series.iter().enumerate() {
            let _ = write!(
                legend,
                "<li><svg viewBox=\"0 0 10 10\"><rect class=\"k{}\" width=\"10\" height=\"10\"/></svg>{}</li>",
                colours.get(number).copied().unwrap_or(number % 8),
                escaped(&series.name)
            );
        }
        legend + "</ul>"
    }

    fn whole(&self, svg: String) -> String {
        self.whole_in(svg, &[])
    }

    fn whole_in(&self, svg: String, colours: &[usize]) -> String {
        format!(
            "<figure><figcaption>{}</figcaption>{svg}</svg>{}</figure>",
            escaped(self.title),
            self.legend(colours)
        )
    }

    /// A bar per label, every label written out, of which each series is a part; for kinds of things that have no order.
    pub(super) fn bars(&self, colours: &[usize]) -> String {
        let of = |at: usize| self.series.iter().filter_map(move |series| series.values[at]);
        let totals: Vec<f64> = (0..self.labels.len()).map(|at| of(at).sum()).collect();
        let most = totals.iter().copied().fold(1.0, f64::max);
        let height = TOP + BAR * self.labels.len() as f64;
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
            escaped(self.title)
        );
        let room = WIDTH - BAR_LEFT - BAR_RIGHT;
        for (at, label) in self.labels.iter().enumerate() {
            let y = TOP / 2.0 + BAR * at as f64;
            let middle = y + BAR / 2.0 + 4.0;
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
                BAR_LEFT - 7.0,
                escaped(label)
            );
            let mut x = BAR_LEFT;
            for (number, series) in self.series.iter().enumerate() {
                let Some(value) = series.values[at].filter(|value| *value > 0.0) else {
                    continue;
                };
                // What is there is seen, however little it is.
                let width = (room * value / most).max(1.5);
                let _ = write!(
                    svg,
                    "<rect class=\"k{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\">\
                     <title>{}: {value} {}</title></rect>",
                    colours.get(number).copied().unwrap_or(number % 8),
                    y + 3.0,
                    BAR - 6.0,
                    escaped(label),
                    escaped(&series.name)
                );
                x += width;
            }
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{middle:.1}\">{}</text>",
                x + 6.0,
                totals[at]
            );
        }
        self.whole_in(svg, colours)
    }

    /// Columns of which each series is a part, on top of each other.
    pub(super) fn stacked(&self) -> String {
        let sum = |at: usize| -> f64 { self.series.iter().filter_map(|series| series.values[at]).sum() };
        let top = ceiling((0..self.labels.len()).map(sum).fold(0.0, f64::max));
        let mut svg = String::new();
        self.frame(&mut svg, top);
        let column = self.column();
        let gap = (column * 0.15).min(3.0);
        for (at, label) in self.labels.iter().enumerate() {
            let mut below = 0.0;
            for (number, series) in self.series.iter().enumerate() {
                let Some(value) = series.values[at].filter(|value| *value > 0.0) else {
                    continue;
                };
                let (y, foot) = (Self::y(below + value, top), Self::y(below, top));
                below += value;
                let _ = write!(
                    svg,
                    "<rect class=\"k{}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
                     <title>{}: {} {}</title></rect>",
                    number % 8,
                    LEFT + column * at as f64 + gap / 2.0,
                    (column - gap).min(40.0),
                    foot - y,
                    escaped(label),
                    value,
                    escaped(&series.name)
                );
            }
        }
        self.whole(svg)
    }

    /// A line per series.
    pub(super) fn lines(&self) -> String {
        let all = self.series.iter().flat_map(|series| series.values.iter().flatten());
        let top = ceiling(all.copied().fold(0.0, f64::max));
        let mut svg = String::new();
        self.frame(&mut svg, top);
        let column = self.column();
        for (number, series) in self.series.iter().enumerate() {
            let known = series.values.iter().enumerate();
            let points: Vec<(f64, f64, String)> = known
                .filter_map(|(at, value)| {
                    let value = (*value)?;
                    let title = format!("{}: {value} in {}", self.labels[at], series.name);
                    Some((LEFT + column * (at as f64 + 0.5), Self::y(value, top), title))
                })
                .collect();
            let path: Vec<String> = points.iter().map(|(x, y, _)| format!("{x:.1},{y:.1}")).collect();
            let class = number % 8;
            let _ = write!(svg, "<polyline class=\"l{class}\" points=\"{}\"/>", path.join(" "));
            for (x, y, title) in points {
                let _ = write!(
                    svg,
                    "<circle class=\"k{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\"><title>{}</title></circle>",
                    escaped(&title)
                );
            }
        }
        self.whole(svg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (largest, top) in [(0.0, 4.0), (3.0, 4.0), (7.0, 8.0), (178.0, 200.0), (41_000.0, 50_000.0)] {
            assert_eq!(ceiling(largest), top, "{largest}");
        }
    }

    #[test]
    fn names_are_escaped_and_gaps_stay_gaps() {
        let series = [Series {
            name: "<script>".to_owned(),
            values: vec![Some(3.0), None],
        }];
        let labels = ["a".to_owned(), "b".to_owned()];
        let chart = Chart {
            title: "People",
            labels: &labels,
            series: &series,
        };
        for svg in [chart.lines(), chart.stacked()] {
            assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
            assert_eq!(svg.matches("<title>").count(), 1, "{svg}");
        }
    }

    #[test]
    fn lying_bars_name_every_label_and_its_total() {
        let series = |name: &str, values: [f64; 3]| Series {
            name: name.to_owned(),
            values: values.into_iter().map(Some).collect(),
        };
        let labels = ["e-mail", "login", "none <b>"].map(str::to_owned);
        let chart = Chart {
            title: "Keys",
            labels: &labels,
            series: &[series("unique", [3000.0, 1.0, 0.0]), series("shared", [20.0, 0.0, 0.0])],
        };
        let svg = chart.bars(&[2, 3]);
        for text in [
            ">e-mail</text>",
            ">login</text>",
            ">none &lt;b&gt;</text>",
            ">3020</text>",
            ">0</text>",
        ] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert_eq!(svg.matches("class=\"k3\"").count(), 2, "one bar and its name: {svg}");
    }
}
