//! Lines of text in columns.

/// A header and rows, padded to the same widths.
pub struct Grid {
    rows: Vec<Vec<String>>,
}

/// No column is wider; longer cells push the rest of their line.
const WIDEST: usize = 44;

impl Grid {
    /// A grid with a header.
    pub fn new(header: &[&str]) -> Self {
        Grid {
            rows: vec![header.iter().map(|cell| cell.to_string()).collect()],
        }
    }

    /// Adds a row, as long as the header.
    pub fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(cells.map(str::to_owned).to_vec());
    }

    /// Whether there is only the header.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// Header and the first `limit` rows, then how many more there are; nothing without rows.
    pub fn text(&self, limit: usize) -> String {
        if self.is_empty() {
            return String::new();
        }
        let shown = &self.rows[..self.rows.len().min(limit.saturating_add(1))];
        let width = |column: usize| {
            let widths = shown.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or(0).min(WIDEST)
        };
        let widths: Vec<usize> = (0..self.rows[0].len()).map(width).collect();
        let mut text = String::new();
        for row in shown {
            let cells = row.iter().zip(&widths);
            let line: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            text += line.join("  ").trim_end();
            text.push('\n');
        }
        let more = self.rows.len() - shown.len();
        if more > 0 {
            text += &format!("... and {more} more (--all shows them)\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_rest_is_counted() {
        let mut grid = Grid::new(&["a", "bb"]);
        assert_eq!(grid.text(5), "");
        grid.row(["ccc", ""]);
        grid.row(["d", "e"]);
        assert_eq!(grid.text(5), "a    bb\nccc\nd    e\n");
        assert_eq!(
            grid.text(1),
            "a    bb\nccc\n... and 1 more (--all shows them)\n"
        );
    }
}
