//! Charts as SVG: bars in groups, and lines over a size. All are on white, so that they are the same on light and dark pages.

use std::path::Path;

use plotters::coord::ranged1d::{KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Result;
use crate::figures::Role;

const INK: RGBColor = RGBColor(31, 41, 55);
const FAINT: RGBColor = RGBColor(107, 114, 128);
const GRID: RGBColor = RGBColor(229, 231, 235);
const FONT: &str = "Helvetica, Arial, sans-serif";
const WIDTH: u32 = 900;

impl Role {
    /// What is ours is blue in every chart, what calls the kernel red.
    pub(crate) fn colour(self) -> RGBColor {
        match self {
            Role::Limit => RGBColor(148, 163, 184),
            Role::Subject => RGBColor(37, 99, 235),
            Role::Peer => RGBColor(217, 119, 6),
            Role::Call => RGBColor(220, 38, 38),
        }
    }
}

pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) role: Role,
    pub(crate) value: f64,
    /// At its end.
    pub(crate) text: String,
}

/// Bars under a heading.
pub(crate) struct Group {
    pub(crate) heading: String,
    pub(crate) bars: Vec<Bar>,
}

/// How long a bar is.
#[derive(Clone, Copy)]
pub(crate) enum Scale {
    /// From zero.
    Linear,
    /// Each vertical line is ten times the one to its left, and says what it is.
    Logarithmic(fn(f64) -> String),
}

fn text(size: u32, colour: RGBColor, horizontal: HPos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&colour).pos(Pos::new(horizontal, VPos::Center))
}

/// Horizontal bars with their names before and their values behind them.
pub(crate) fn bars(path: &Path, title: &str, axis: &str, scale: Scale, groups: &[Group]) -> Result<()> {
    const LEFT: i32 = 290;
    const RIGHT: i32 = 170;
    const TOP: i32 = 84;
    let (bar, heading, gap) = (24, 26, 12);
    let rows: usize = groups.iter().map(|group| group.bars.len()).sum();
    let headings = groups.iter().filter(|group| !group.heading.is_empty()).count();
    let height = TOP + rows as i32 * bar + headings as i32 * heading + groups.len() as i32 * gap + 8;
    let root = SVGBackend::new(path, (WIDTH, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title.to_owned(), (20, 26), text(20, INK, HPos::Left)))?;
    root.draw(&Text::new(axis.to_owned(), (20, 50), text(13, FAINT, HPos::Left)))?;

    let values: Vec<f64> = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.value).collect();
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let least = values.iter().copied().filter(|&value| value > 0.0).fold(most, f64::min);
    let (low, high) = match scale {
        Scale::Linear => (0.0, most),
        // The shortest bar is still to be seen.
        Scale::Logarithmic(_) => ((least / 2.0).log10().floor(), most.log10().ceil()),
    };
    let room = f64::from(WIDTH as i32 - LEFT - RIGHT);
    let end = |value: f64| {
        let place = match scale {
            Scale::Linear => value / high,
            Scale::Logarithmic(_) if value <= 0.0 => 0.0,
            Scale::Logarithmic(_) => (value.log10() - low) / (high - low),
        };
        LEFT + (place * room).round() as i32
    };
    if let Scale::Logarithmic(name) = scale {
        for value in (low as i32..=high as i32).map(|power| 10_f64.powi(power)) {
            let x = end(value);
            root.draw(&PathElement::new(vec![(x, TOP - 6), (x, height - 8)], GRID))?;
            root.draw(&Text::new(name(value), (x, TOP - 14), text(11, FAINT, HPos::Center)))?;
        }
    }
    let mut y = TOP;
    for group in groups {
        if !group.heading.is_empty() {
            root.draw(&Text::new(group.heading.clone(), (20, y + heading / 2), text(15, INK, HPos::Left)))?;
            y += heading;
        }
        for Bar { label, role, value, text: behind } in &group.bars {
            let (middle, end) = (y + bar / 2, end(*value));
            root.draw(&Text::new(label.clone(), (LEFT - 8, middle), text(13, INK, HPos::Right)))?;
            let shape = [(LEFT, y + 4), (end.max(LEFT + 2), y + bar - 3)];
            root.draw(&Rectangle::new(shape, role.colour().filled()))?;
            let colour = if *role == Role::Subject { role.colour() } else { INK };
            root.draw(&Text::new(behind.clone(), (end.max(LEFT + 2) + 6, middle), text(13, colour, HPos::Left)))?;
            y += bar;
        }
        y += gap;
    }
    root.present()?;
    Ok(())
}

/// A line, named at its end.
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) colour: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
    /// The model of it, drawn thin.
    pub(crate) model: Vec<(f64, f64)>,
}

/// Lines over a size; both axes are logarithmic.
pub(crate) fn lines(
    path: &Path,
    title: &str,
    axis: &str,
    of_x: impl Fn(f64) -> String,
    of_y: impl Fn(f64) -> String,
    lines: &[Line],
) -> Result<()> {
    const RIGHT: u32 = 220;
    let root = SVGBackend::new(path, (WIDTH, 460)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title.to_owned(), (20, 26), text(20, INK, HPos::Left)))?;
    root.draw(&Text::new(axis.to_owned(), (20, 50), text(13, FAINT, HPos::Left)))?;
    let all = || lines.iter().flat_map(|line| &line.points);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = || all().map(of);
        values().fold(f64::MAX, f64::min)..values().fold(f64::MIN_POSITIVE, f64::max)
    };
    let (x, y) = (range(|point| point.0), range(|point| point.1));
    let y = 10_f64.powf(y.start.log10().floor())..10_f64.powf(y.end.log10().ceil());
    let xs: Vec<f64> = {
        let mut xs: Vec<f64> = all().map(|point| point.0).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        xs
    };
    let mut chart = ChartBuilder::on(&root)
        .margin_top(68)
        .margin_left(12)
        .margin_right(RIGHT)
        .margin_bottom(8)
        .x_label_area_size(30)
        .y_label_area_size(64)
        .build_cartesian_2d(At { range: x.clone(), places: xs }, Powers(y))?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(FAINT)
        .label_style((FONT, 13).into_font().color(&INK))
        .x_label_formatter(&|x| of_x(*x))
        .y_label_formatter(&|y| of_y(*y))
        .draw()?;
    let mut ends: Vec<(i32, &Line)> = Vec::new();
    for line in lines {
        chart.draw_series(LineSeries::new(line.points.clone(), line.colour.stroke_width(3)))?;
        chart.draw_series(line.points.iter().map(|&point| Circle::new(point, 4, line.colour.filled())))?;
        if !line.model.is_empty() {
            chart.draw_series(LineSeries::new(line.model.clone(), INK.mix(0.6).stroke_width(1)))?;
        }
        if let Some(&last) = line.points.last() {
            ends.push((chart.backend_coord(&last).1, line));
        }
    }
    // Names that would cover one another are moved down.
    ends.sort_by_key(|end| end.0);
    let mut free = i32::MIN;
    for (y, line) in ends {
        let y = y.max(free);
        free = y + 17;
        let at = ((WIDTH - RIGHT + 10) as i32, y);
        root.draw(&Text::new(line.label.clone(), at, text(13, line.colour, HPos::Left)))?;
    }
    root.present()?;
    Ok(())
}

fn place(range: &std::ops::Range<f64>, value: f64, limit: (i32, i32)) -> i32 {
    let span = range.end.log10() - range.start.log10();
    let part = if span == 0.0 { 0.5 } else { (value.log10() - range.start.log10()) / span };
    limit.0 + (part * f64::from(limit.1 - limit.0)).round() as i32
}

/// A logarithmic axis with marks where something was measured.
struct At {
    range: std::ops::Range<f64>,
    places: Vec<f64>,
}

impl Ranged for At {
    type FormatOption = plotters::coord::ranged1d::DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        place(&self.range, *value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.places.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.range.clone()
    }
}

/// A logarithmic axis with marks at the powers of ten.
struct Powers(std::ops::Range<f64>);

impl Ranged for Powers {
    type FormatOption = plotters::coord::ranged1d::DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        place(&self.0, *value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        let powers = self.0.start.log10().round() as i32..=self.0.end.log10().round() as i32;
        powers.map(|power| 10_f64.powi(power)).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Bar, Group, Line, Scale, bars, lines};
    use crate::figures::Role;
    use crate::numbers::time;

    #[test]
    fn charts_hold_what_they_are_given() {
        let directory = std::env::temp_dir().join(format!("bpfvar-charts-{}", std::process::id()));
        fs::create_dir(&directory).expect("a new directory");
        let path = directory.join("chart.svg");
        let bar = |value, role| Bar { label: format!("way <{value}>"), role, value, text: time(value) };
        let groups = [Group {
            heading: "an operation".to_owned(),
            bars: vec![bar(0.0, Role::Limit), bar(0.5, Role::Subject), bar(1500.0, Role::Call)],
        }];
        for scale in [Scale::Linear, Scale::Logarithmic(time)] {
            bars(&path, "A title", "ns", scale, &groups).expect("it can be written");
            let svg = fs::read_to_string(&path).expect("it was written");
            for text in ["A title", "an operation", "way &lt;0.5&gt;", "1.5 µs", "#2563EB"] {
                assert!(svg.contains(text), "{text} in {svg}");
            }
            assert!(!svg.contains("NaN"), "{svg}");
        }
        let line =
            |points| Line { label: "mmap".to_owned(), colour: Role::Subject.colour(), points, model: Vec::new() };
        for points in [vec![(1.0, 5000.0), (4096.0, 1e6)], vec![(1.0, 5000.0)]] {
            lines(&path, "A title", "time", |x| x.to_string(), time, &[line(points)]).expect("it can be written");
            let svg = fs::read_to_string(&path).expect("it was written");
            assert!(svg.contains("mmap") && svg.contains("10 µs"), "{svg}");
        }
        fs::remove_dir_all(directory).expect("it was there");
    }
}
