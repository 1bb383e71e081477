//! Graphs in one line: of the last minute, of an array, of one element.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols;
use ratatui::widgets::Sparkline;

use super::super::series::{LEVELS, level};

/// Levels, the last of them on the right.
pub(super) fn line(frame: &mut Frame<'_>, area: Rect, levels: &[Option<u64>], style: Style) {
    let width = (levels.len() as u16).min(area.width);
    let area = Rect { x: area.right() - width, width, ..area };
    let shown = &levels[levels.len() - usize::from(width)..];
    let graph = Sparkline::default().data(shown.iter().copied()).max(LEVELS).style(style);
    frame.render_widget(graph.absent_value_symbol(" "), area);
}

/// A bar for each number; where there are more than cells, one for the greatest of some.
pub(super) fn bars(numbers: &[f64], width: usize) -> Vec<Option<u64>> {
    if width == 0 || numbers.is_empty() {
        return Vec::new();
    }
    let each = numbers.len().div_ceil(width);
    let highest = |some: &[f64]| some.iter().copied().map(f64::abs).fold(0.0, f64::max);
    let high = highest(numbers);
    numbers.chunks(each).map(|some| Some(level(highest(some), 0.0, high))).collect()
}

/// A bar of so many cells for a share of them, to the eighth of a cell.
pub(super) fn bar(share: f64, width: usize) -> String {
    use symbols::block::{FULL, ONE_EIGHTH};
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    match (eighths, share > 0.0) {
        // Whatever is there is seen.
        (0, true) if width > 0 => ONE_EIGHTH.to_owned(),
        _ => FULL.repeat(eighths / 8) + PARTS[eighths % 8],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!(bar(0.0, 10), "");
        assert_eq!(bar(0.5, 10), "█████");
        assert_eq!(bar(1.0, 3), "███");
        assert_eq!(bar(0.55, 10), "█████▌");
        assert_eq!(bar(1e-9, 10), "▏");
        assert_eq!((bar(f64::NAN, 10).as_str(), bar(2.0, 1).as_str(), bar(1.0, 0).as_str()), ("", "█", ""));
    }

    #[test]
    fn bars_of_many_numbers_show_the_greatest() {
        assert_eq!(bars(&[0.0, 1.0, 2.0, 4.0], 4), [Some(1), Some(4), Some(5), Some(8)]);
        assert_eq!(bars(&[0.0, 1.0, 2.0, 4.0, 4.0], 2), [Some(5), Some(8)]);
        assert_eq!(bars(&[0.0, 0.0], 9), [Some(1), Some(1)]);
        assert_eq!(bars(&[1.0], 0), []);
    }
}
