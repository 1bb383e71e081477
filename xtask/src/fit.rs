//! The model of a cost against a size: something once, and something for each.

/// `once + each * size`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) once: f64,
    pub(crate) each: f64,
}

impl Line {
    /// The line of least squares, where all deviations count by their ratio to the value: sizes span decades. `None` if there are
    /// fewer than two sizes.
    pub(crate) fn fit(points: &[(f64, f64)]) -> Option<Line> {
        let [mut w, mut wx, mut wxx, mut wy, mut wxy] = [0.0; 5];
        for &(x, y) in points {
            let weight = 1.0 / (y * y);
            w += weight;
            wx += weight * x;
            wxx += weight * x * x;
            wy += weight * y;
            wxy += weight * x * y;
        }
        let determinant = w * wxx - wx * wx;
        if points.len() < 2 || determinant.abs() <= f64::EPSILON * w * wxx {
            return None;
        }
        let each = (w * wxy - wx * wy) / determinant;
        Some(Line { once: (wy - each * wx) / w, each })
    }

    pub(crate) fn at(self, size: f64) -> f64 {
        self.once + self.each * size
    }

    /// The largest deviation of a point, as a ratio.
    pub(crate) fn deviation(self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|&(x, y)| (self.at(x) / y - 1.0).abs()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn a_line_is_found_over_decades() {
        let line = Line { once: 5000.0, each: 270.0 };
        let points = [1.0, 16.0, 4096.0, 262_144.0].map(|size| (size, line.at(size)));
        let found = Line::fit(&points).expect("four sizes");
        assert!(
            (found.once / line.once - 1.0).abs() < 1e-6 && (found.each / line.each - 1.0).abs() < 1e-6,
            "{found:?}"
        );
        assert!(found.deviation(&points) < 1e-6);
    }

    #[test]
    fn small_sizes_count_as_much_as_large_ones() {
        // The last is 10 % off; the first must not be off by more for it.
        let points = [(1.0, 100.0), (10.0, 190.0), (1e6, 1.1e7)];
        let found = Line::fit(&points).expect("three sizes");
        assert!(found.deviation(&points) < 0.1, "{found:?}");
    }

    #[test]
    fn one_size_makes_no_line() {
        assert_eq!(Line::fit(&[(1.0, 2.0)]), None);
        assert_eq!(Line::fit(&[(3.0, 2.0), (3.0, 2.1)]), None);
    }
}
