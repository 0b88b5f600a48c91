//! Matrices in somebody else's memory: windows and transposes without a copy.
//!
//! Bounds are checked when a window is made. Does not know what is done with the entries.

/// A matrix to read: row-major with a distance between rows, or the transpose of one.
#[derive(Debug, Clone, Copy)]
pub struct MatrixRef<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    stride: usize,
    transposed: bool,
}

/// A row-major matrix to write, with a distance between rows.
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    columns: usize,
    stride: usize,
}

/// Entries from the first to the last of a matrix in memory.
fn extent(rows: usize, columns: usize, stride: usize) -> usize {
    if rows == 0 || columns == 0 {
        return 0;
    }
    (rows - 1) * stride + columns
}

/// # Panics
/// If rows overlap or do not fit in `len` entries.
fn check(len: usize, rows: usize, columns: usize, stride: usize) {
    assert!(
        stride >= columns && extent(rows, columns, stride) <= len,
        "matrix: {rows} x {columns}, rows {stride} apart, in {len} entries"
    );
}

/// # Panics
/// If the window leaves the `size` rows or columns that there are.
fn check_window(from: usize, len: usize, size: usize) {
    assert!(
        len <= size && from <= size - len,
        "matrix: {len} rows or columns from {from} of {size}"
    );
}

impl<'a, T> MatrixRef<'a, T> {
    /// rows x columns, row-major, rows one behind another.
    ///
    /// # Panics
    /// If `data` does not have rows * columns entries.
    #[inline]
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> MatrixRef<'a, T> {
        assert_eq!(data.len(), rows * columns, "matrix: {rows} x {columns}");
        MatrixRef::with_stride(data, rows, columns, columns)
    }

    /// rows x columns, row-major, the first entries of rows `stride` apart.
    ///
    /// # Panics
    /// If `stride` is below `columns` or the last row is not all in `data`.
    #[inline]
    pub fn with_stride(
        data: &'a [T],
        rows: usize,
        columns: usize,
        stride: usize,
    ) -> MatrixRef<'a, T> {
        check(data.len(), rows, columns, stride);
        MatrixRef {
            data,
            rows,
            columns,
            stride,
            transposed: false,
        }
    }

    /// The transpose, without a copy.
    #[inline]
    #[must_use]
    pub fn t(self) -> MatrixRef<'a, T> {
        MatrixRef {
            rows: self.columns,
            columns: self.rows,
            transposed: !self.transposed,
            ..self
        }
    }

    #[inline]
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    #[inline]
    pub fn n_columns(&self) -> usize {
        self.columns
    }

    /// Rows `from .. from + len`.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    #[must_use]
    pub fn rows(self, from: usize, len: usize) -> MatrixRef<'a, T> {
        check_window(from, len, self.rows);
        let step = if self.transposed { 1 } else { self.stride };
        MatrixRef {
            data: self.data.get(from * step..).unwrap_or_default(),
            rows: len,
            ..self
        }
    }

    /// Columns `from .. from + len`.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    #[must_use]
    pub fn columns(self, from: usize, len: usize) -> MatrixRef<'a, T> {
        self.t().rows(from, len).t()
    }

    /// The entries as they lie in memory, the distance between rows (between columns in a
    /// transpose), and whether it is a transpose. The last may lie beyond the matrix.
    #[inline(always)]
    pub(super) fn parts(&self) -> (&'a [T], usize, bool) {
        (self.data, self.stride, self.transposed)
    }
}

impl<'a, T> MatrixMut<'a, T> {
    /// rows x columns, row-major, rows one behind another.
    ///
    /// # Panics
    /// If `data` does not have rows * columns entries.
    #[inline]
    pub fn new(data: &'a mut [T], rows: usize, columns: usize) -> MatrixMut<'a, T> {
        assert_eq!(data.len(), rows * columns, "matrix: {rows} x {columns}");
        MatrixMut::with_stride(data, rows, columns, columns)
    }

    /// rows x columns, row-major, the first entries of rows `stride` apart.
    ///
    /// # Panics
    /// If `stride` is below `columns` or the last row is not all in `data`.
    #[inline]
    pub fn with_stride(
        data: &'a mut [T],
        rows: usize,
        columns: usize,
        stride: usize,
    ) -> MatrixMut<'a, T> {
        check(data.len(), rows, columns, stride);
        MatrixMut {
            data,
            rows,
            columns,
            stride,
        }
    }

    #[inline]
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    #[inline]
    pub fn n_columns(&self) -> usize {
        self.columns
    }

    /// The same matrix for a shorter while, so that it can be used again.
    #[inline]
    pub fn by_ref(&mut self) -> MatrixMut<'_, T> {
        MatrixMut {
            data: self.data,
            rows: self.rows,
            columns: self.columns,
            stride: self.stride,
        }
    }

    /// The same matrix to read.
    #[inline]
    pub fn as_ref(&self) -> MatrixRef<'_, T> {
        MatrixRef {
            data: self.data,
            rows: self.rows,
            columns: self.columns,
            stride: self.stride,
            transposed: false,
        }
    }

    /// Rows `from .. from + len`.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    #[must_use]
    pub fn rows(self, from: usize, len: usize) -> MatrixMut<'a, T> {
        check_window(from, len, self.rows);
        MatrixMut {
            data: self.data.get_mut(from * self.stride..).unwrap_or_default(),
            rows: len,
            ..self
        }
    }

    /// Columns `from .. from + len`.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    #[must_use]
    pub fn columns(self, from: usize, len: usize) -> MatrixMut<'a, T> {
        check_window(from, len, self.columns);
        MatrixMut {
            data: self.data.get_mut(from..).unwrap_or_default(),
            columns: len,
            ..self
        }
    }

    /// The entries as they lie in memory and the distance between rows.
    #[inline(always)]
    pub(super) fn parts(&mut self) -> (&mut [T], usize) {
        (self.data, self.stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(matrix: MatrixRef<'_, u8>) -> Vec<Vec<u8>> {
        let (data, stride, transposed) = matrix.parts();
        let place = |i: usize, j: usize| match transposed {
            false => i * stride + j,
            true => i + j * stride,
        };
        (0..matrix.n_rows())
            .map(|i| (0..matrix.n_columns()).map(|j| data[place(i, j)]).collect())
            .collect()
    }

    #[test]
    fn windows_and_transposes_commute() {
        let data: Vec<u8> = (0..23).collect();
        // The last row ends where the data end.
        let all = MatrixRef::with_stride(&data, 4, 5, 6);
        assert_eq!(
            entries(all.rows(1, 2).columns(2, 3)),
            [[8, 9, 10], [14, 15, 16]]
        );
        let turned = all.t().columns(1, 2).rows(2, 3).t();
        assert_eq!(entries(turned), entries(all.rows(1, 2).columns(2, 3)));
        assert_eq!(entries(all.rows(3, 1)), [[18, 19, 20, 21, 22]]);
        assert_eq!(all.rows(4, 0).n_rows(), 0);
        assert_eq!(entries(all.columns(5, 0)), vec![Vec::<u8>::new(); 4]);
    }

    #[test]
    fn a_window_to_write_touches_only_itself() {
        let mut data = [0_u8; 12];
        let mut matrix = MatrixMut::new(&mut data, 3, 4);
        let mut window = matrix.by_ref().rows(1, 2).columns(1, 2);
        let (entries_there, stride) = window.parts();
        entries_there[stride] = 7;
        assert_eq!(entries(matrix.as_ref().rows(2, 1)), [[0, 7, 0, 0]]);
    }

    #[test]
    #[should_panic(expected = "matrix: 3 rows or columns from 2 of 4")]
    fn a_window_beyond_the_end() {
        let _ = MatrixRef::new(&[0_u8; 16], 4, 4).columns(2, 3);
    }

    #[test]
    #[should_panic(expected = "matrix: 3 x 4, rows 5 apart, in 13 entries")]
    fn a_last_row_that_is_cut() {
        let _ = MatrixRef::with_stride(&[0_u8; 13], 3, 4, 5);
    }
}
