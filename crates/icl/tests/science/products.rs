//! Products of matrices beside a plain loop, to the bit: all small sizes, windows, transposes,
//! precisions and levels.

use icl::math::simd::{Level, supported_levels};
use icl::math::stream::Stream;
use icl::math::tensor::float::Float;
use icl::math::tensor::matmul::{multiply, multiply_at};
use icl::math::tensor::matrix::{MatrixMut, MatrixRef};

/// How a factor lies in memory: entries between its rows (or columns, if it is a transpose) that are
/// not its own, rows and columns before it.
#[derive(Debug, Clone, Copy)]
struct Layout {
    transposed: bool,
    gap: usize,
    before: usize,
}

const PLAIN: Layout = Layout {
    transposed: false,
    gap: 0,
    before: 0,
};

const LAYOUTS: [Layout; 4] = [
    PLAIN,
    Layout {
        transposed: true,
        ..PLAIN
    },
    Layout {
        transposed: false,
        gap: 3,
        before: 1,
    },
    Layout {
        transposed: true,
        gap: 5,
        before: 2,
    },
];

/// A matrix with its memory; what is not its own is NaN, so that nobody reads it unnoticed.
struct Matrix<T> {
    data: Vec<T>,
    layout: Layout,
    rows: usize,
    columns: usize,
}

impl<T: Float> Matrix<T> {
    fn random(stream: &mut Stream, rows: usize, columns: usize, layout: Layout) -> Matrix<T> {
        let (outer, inner) = if layout.transposed {
            (columns, rows)
        } else {
            (rows, columns)
        };
        let stride = inner + layout.gap + layout.before;
        let mut data = vec![T::from_f64(f64::NAN); (outer + layout.before) * stride];
        for i in 0..outer {
            for j in 0..inner {
                let value = T::from_f64(stream.normal());
                data[(i + layout.before) * stride + layout.before + j] = value;
            }
        }
        Matrix {
            data,
            layout,
            rows,
            columns,
        }
    }

    fn view(&self) -> MatrixRef<'_, T> {
        let Layout {
            transposed,
            gap,
            before,
        } = self.layout;
        let (outer, inner) = if transposed {
            (self.columns, self.rows)
        } else {
            (self.rows, self.columns)
        };
        let width = inner + gap + before;
        let whole = MatrixRef::new(&self.data, outer + before, width);
        let window = whole.rows(before, outer).columns(before, inner);
        if transposed { window.t() } else { window }
    }

    fn at(&self, i: usize, j: usize) -> T {
        let Layout {
            transposed,
            gap,
            before,
        } = self.layout;
        let (i, j, inner) = if transposed {
            (j, i, self.rows)
        } else {
            (i, j, self.columns)
        };
        self.data[(i + before) * (inner + gap + before) + before + j]
    }
}

/// All tiles under all instructions: a machine may be told to use narrower ones than it has.
fn pairs() -> impl Iterator<Item = (Level, Level)> {
    [Level::Baseline, Level::Avx2, Level::Avx512]
        .into_iter()
        .flat_map(|tiles| supported_levels().map(move |level| (tiles, level)))
}

/// The definition.
fn plain<T: Float>(c: T, a: &Matrix<T>, b: &Matrix<T>, i: usize, j: usize, add: bool) -> T {
    let mut sum = if add { c } else { T::ZERO };
    for k in 0..a.columns {
        sum += a.at(i, k) * b.at(k, j);
    }
    sum
}

/// C beside the definition at every level; what surrounds C stays as it was.
fn check<T: Float>(
    stream: &mut Stream,
    [m, n, k]: [usize; 3],
    [left, right]: [Layout; 2],
    gap: usize,
    add: bool,
) {
    let a = Matrix::<T>::random(stream, m, k, left);
    let b = Matrix::<T>::random(stream, k, n, right);
    let width = n + 2 * gap;
    let before: Vec<T> = (0..(m + gap) * width)
        .map(|_| T::from_f64(stream.normal()))
        .collect();
    let mut wanted = before.clone();
    for i in 0..m {
        for j in 0..n {
            let entry = &mut wanted[(i + gap) * width + gap + j];
            *entry = plain(*entry, &a, &b, i, j, add);
        }
    }
    let bits = |c: &[T]| -> Vec<u64> { c.iter().map(|x| x.to_f64().to_bits()).collect() };
    for (tiles, level) in pairs() {
        let mut c = before.clone();
        let window = MatrixMut::new(&mut c, m + gap, width)
            .rows(gap, m)
            .columns(gap, n);
        multiply_at((tiles, level), window, a.view(), b.view(), add);
        assert!(
            bits(&c) == bits(&wanted),
            "{tiles:?} {level:?} {m} x {k} x {n}, {left:?} {right:?}, gap {gap}, add {add}"
        );
    }
}

fn all_small_sizes<T: Float>() {
    let mut stream = Stream::new(0, "products", &[]);
    let mut turn = 0;
    for m in 0..=20 {
        for n in 0..=20 {
            for k in 0..=20 {
                // Each size in four of the combinations, each combination in thousands of sizes.
                for _ in 0..4 {
                    turn += 1;
                    let layouts = [LAYOUTS[turn % 4], LAYOUTS[turn / 4 % 4]];
                    let gap = turn / 16 % 3;
                    check::<T>(&mut stream, [m, n, k], layouts, gap, turn / 48 % 2 == 0);
                }
            }
        }
    }
}

#[test]
fn all_small_sizes_of_f32() {
    all_small_sizes::<f32>();
}

#[test]
fn all_small_sizes_of_f64() {
    all_small_sizes::<f64>();
}

/// Every width of the last panels, several strips of rows, and an inner dimension that is cut.
#[test]
fn panels_strips_and_cuts() {
    fn sizes<T: Float>() {
        let mut stream = Stream::new(1, "products", &[]);
        for (turn, n) in (21..=150).step_by(3).chain([191, 192, 193]).enumerate() {
            let m = [1, 7, 8, 9, 34, 50][turn % 6];
            let k = [1, 23, 96, 511, 513, 768, 1100][turn % 7];
            let layouts = [LAYOUTS[turn % 4], LAYOUTS[turn / 4 % 4]];
            check::<T>(&mut stream, [m, n, k], layouts, turn % 2, turn % 5 < 2);
        }
    }
    sizes::<f32>();
    sizes::<f64>();
}

#[test]
fn the_inner_dimension_may_come_in_pieces() {
    let mut stream = Stream::new(2, "products", &[]);
    let a = Matrix::<f32>::random(&mut stream, 34, 700, PLAIN);
    let b = Matrix::<f32>::random(&mut stream, 700, 40, PLAIN);
    let (mut whole, mut pieces) = (vec![0.0_f32; 34 * 40], vec![7.0_f32; 34 * 40]);
    multiply(
        MatrixMut::new(&mut whole, 34, 40),
        a.view(),
        b.view(),
        false,
    );
    for (from, len) in [(0, 33), (33, 600), (633, 67)] {
        let part = MatrixMut::new(&mut pieces, 34, 40);
        let (a, b) = (a.view().columns(from, len), b.view().rows(from, len));
        multiply(part, a, b, from > 0);
    }
    assert_eq!(whole, pieces);
}

#[test]
#[should_panic(expected = "product: rows, columns and inner size")]
fn shapes_that_do_not_fit() {
    let (a, b, mut c) = ([0.0_f64; 6], [0.0_f64; 6], [0.0_f64; 4]);
    let a = MatrixRef::new(&a, 2, 3);
    let b = MatrixRef::new(&b, 2, 3);
    multiply(MatrixMut::new(&mut c, 2, 2), a, b, false);
}
