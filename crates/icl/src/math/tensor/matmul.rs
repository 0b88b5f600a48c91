use super::float::Float;
#[derive(Debug, Clone, Copy)]
pub struct MatrixRef<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    rs: usize,
    cs: usize,
}
impl<'a, T> MatrixRef<'a, T> {
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns);
        MatrixRef {
            data,
            rows,
            columns,
            rs: columns,
            cs: 1,
        }
    }
    pub fn t(self) -> Self {
        MatrixRef {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            rs: self.cs,
            cs: self.rs,
        }
    }
    pub fn rows(self, from: usize, len: usize) -> Self {
        MatrixRef {
            data: &self.data[(from * self.rs).min(self.data.len())..],
            rows: len,
            ..self
        }
    }
    pub fn columns(self, from: usize, len: usize) -> Self {
        MatrixRef {
            data: &self.data[(from * self.cs).min(self.data.len())..],
            columns: len,
            ..self
        }
    }
}
pub struct MatrixMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    columns: usize,
    rs: usize,
}
impl<'a, T> MatrixMut<'a, T> {
    pub fn new(data: &'a mut [T], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns);
        MatrixMut {
            data,
            rows,
            columns,
            rs: columns,
        }
    }
    pub fn rows(self, from: usize, len: usize) -> Self {
        let at = (from * self.rs).min(self.data.len());
        MatrixMut {
            data: &mut self.data[at..],
            rows: len,
            columns: self.columns,
            rs: self.rs,
        }
    }
    pub fn columns(self, from: usize, len: usize) -> Self {
        let at = from.min(self.data.len());
        MatrixMut {
            data: &mut self.data[at..],
            rows: self.rows,
            columns: len,
            rs: self.rs,
        }
    }
}
pub fn multiply<T: Float>(
    c: MatrixMut<'_, T>,
    a: MatrixRef<'_, T>,
    b: MatrixRef<'_, T>,
    add: bool,
) {
    assert!(c.rows == a.rows && c.columns == b.columns && a.columns == b.rows);
    for i in 0..c.rows {
        for j in 0..c.columns {
            let mut sum = T::ZERO;
            for k in 0..a.columns {
                sum += a.data[i * a.rs + k * a.cs] * b.data[k * b.rs + j * b.cs];
            }
            let place = &mut c.data[i * c.rs + j];
            *place = if add { *place + sum } else { sum };
        }
    }
}
