//! Rectangles whose areas are bytes: a squarified treemap, by Bruls, Huizing and van Wijk.
//! <https://www.win.tue.nl/~vanwijk/stm.pdf>

use super::model::{Column, LayerRow, OwnerRow};

/// A rectangle, in units of the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A layer as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile<'r> {
    /// Whose it is.
    pub owner: &'r OwnerRow,
    /// The layer.
    pub layer: &'r LayerRow,
    /// Where it is drawn.
    pub area: Area,
}

impl Area {
    /// Its size.
    pub fn size(&self) -> f64 {
        self.width * self.height
    }

    fn short_side(&self) -> f64 {
        self.width.min(self.height)
    }

    /// Takes a strip of some size off the longer side; what is left stays in `self`.
    fn strip(&mut self, size: f64) -> Self {
        if self.width >= self.height {
            let width = if self.height > 0.0 { (size / self.height).min(self.width) } else { 0.0 };
            let strip = Self { width, ..*self };
            self.x += width;
            self.width -= width;
            strip
        } else {
            let height = if self.width > 0.0 { (size / self.width).min(self.height) } else { 0.0 };
            let strip = Self { height, ..*self };
            self.y += height;
            self.height -= height;
            strip
        }
    }
}

/// Divides a rectangle among weights, in their order, as squarely as can be; weights are best given largest first. Areas are
/// proportional to weights, and a weight of 0 gets none.
pub fn squarified(weights: &[u64], frame: Area) -> Vec<Area> {
    let total: f64 = weights.iter().map(|weight| *weight as f64).sum();
    let scale = if total > 0.0 { frame.size() / total } else { 0.0 };
    let sizes: Vec<f64> = weights.iter().map(|weight| *weight as f64 * scale).collect();
    let (mut rest, mut areas, mut from) = (frame, Vec::with_capacity(sizes.len()), 0);
    while from < sizes.len() {
        let to = row_end(&sizes, from, rest.short_side());
        let row = &sizes[from..to];
        let strip = rest.strip(row.iter().sum());
        lay_out(row, strip, &mut areas);
        from = to;
    }
    areas
}

/// How many of the next sizes make the row whose worst rectangle is the squarest.
fn row_end(sizes: &[f64], from: usize, side: f64) -> usize {
    let mut to = from + 1;
    while to < sizes.len() && worst(&sizes[from..=to], side) <= worst(&sizes[from..to], side) {
        to += 1;
    }
    to
}

/// The largest ratio of sides in a row along a side.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let ratio = |size: &f64| {
        let (long, wide) = (side * side * size, sum * sum);
        if long > 0.0 && wide > 0.0 { (long / wide).max(wide / long) } else { f64::INFINITY }
    };
    row.iter().map(ratio).fold(0.0, f64::max)
}

/// Puts a row into its strip, side by side along the longer side of the strip.
fn lay_out(row: &[f64], mut strip: Area, areas: &mut Vec<Area>) {
    let along_x = strip.width >= strip.height;
    let total: f64 = row.iter().sum();
    let (start, length) = if along_x { (strip.x, strip.width) } else { (strip.y, strip.height) };
    let mut before = 0.0;
    for size in row {
        let at = |sum: f64| if total > 0.0 { start + length * sum / total } else { start };
        let (begin, end) = (at(before), at(before + size));
        before += size;
        if along_x {
            (strip.x, strip.width) = (begin, end - begin);
        } else {
            (strip.y, strip.height) = (begin, end - begin);
        }
        areas.push(strip);
    }
}

/// The layers of a set, grouped by whose they are.
pub(super) fn treemap(column: &Column, frame: Area) -> Vec<Tile<'_>> {
    let weights: Vec<u64> = column.owners.iter().map(|owner| owner.size.weight()).collect();
    let groups = column.owners.iter().zip(squarified(&weights, frame));
    let tiles = groups.flat_map(|(owner, area)| {
        let weights: Vec<u64> = owner.layers.iter().map(|layer| layer.size.weight()).collect();
        let areas = squarified(&weights, area);
        owner.layers.iter().zip(areas).map(move |(layer, area)| Tile { owner, layer, area })
    });
    tiles.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Area = Area { x: 10.0, y: 20.0, width: 600.0, height: 400.0 };

    fn check(weights: &[u64]) -> Vec<Area> {
        let areas = squarified(weights, FRAME);
        assert_eq!(areas.len(), weights.len());
        let total: u64 = weights.iter().sum();
        for (area, weight) in areas.iter().zip(weights) {
            let expect = FRAME.size() * *weight as f64 / total.max(1) as f64;
            assert!((area.size() - expect).abs() < 1e-6 * FRAME.size(), "{weight}: {area:?}, not {expect}");
            let inside = area.x >= FRAME.x - 1e-6
                && area.y >= FRAME.y - 1e-6
                && area.x + area.width <= FRAME.x + FRAME.width + 1e-6
                && area.y + area.height <= FRAME.y + FRAME.height + 1e-6;
            assert!(inside, "{area:?} leaves the frame");
        }
        for (index, a) in areas.iter().enumerate() {
            for b in &areas[..index] {
                let over = |a0: f64, a1: f64, b0: f64, b1: f64| (a0 + a1).min(b0 + b1) - a0.max(b0);
                let both = over(a.x, a.width, b.x, b.width).max(0.0) * over(a.y, a.height, b.y, b.height).max(0.0);
                assert!(both < 1e-6 * FRAME.size(), "{a:?} and {b:?} overlap");
            }
        }
        areas
    }

    #[test]
    fn areas_are_proportional_and_inside() {
        check(&[]);
        check(&[7]);
        check(&[6, 6, 4, 3, 2, 2, 1]);
        check(&[1, 1_000_000, 0, 3]);
        check(&[u64::MAX / 4, u64::MAX / 4, 1]);
        check(&(1..60).rev().map(|n| n * n * n).collect::<Vec<u64>>());
        let nothing = squarified(&[0, 0], FRAME);
        assert!(nothing.iter().all(|area| area.size() == 0.0), "{nothing:?}");
    }

    #[test]
    fn rectangles_are_nearly_square() {
        let areas = check(&[6, 6, 4, 3, 2, 2, 1]);
        let ratio = |area: &Area| (area.width / area.height).max(area.height / area.width);
        // the paper's example has none beyond 3
        assert!(areas.iter().all(|area| ratio(area) < 3.0), "{areas:?}");
    }
}
