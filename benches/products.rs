//! How fast matrices are multiplied, at each level of instructions, in the shapes of the transformer.
//!
//! `cargo bench --locked --bench products`; one thread. The last columns count floating-point operations, a
//! multiplication and an addition a term. Nothing is asserted.

use divan::Bencher;
use divan::counter::ItemsCount;
use icl::math::simd::{Level, supported_levels};
use icl::math::tensor::float::Float;
use icl::math::tensor::matmul::multiply_at;
use icl::math::tensor::matrix::{MatrixMut, MatrixRef};

fn main() {
    divan::main();
}

/// C is rows x columns; `left` and `right` say which factor lies in memory as its transpose.
#[derive(Debug, Clone, Copy)]
struct Shape {
    rows: usize,
    inner: usize,
    columns: usize,
    left: bool,
    right: bool,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let turned = |turned: bool| if turned { "'" } else { "" };
        write!(
            f,
            "{}x{}{} {}x{}{}",
            self.rows,
            self.inner,
            turned(self.left),
            self.inner,
            self.columns,
            turned(self.right)
        )
    }
}

const fn forward(rows: usize, inner: usize, columns: usize) -> Shape {
    Shape {
        rows,
        inner,
        columns,
        left: false,
        right: false,
    }
}

/// dX = dY W^T.
const fn to_input(rows: usize, inner: usize, columns: usize) -> Shape {
    Shape {
        right: true,
        ..forward(rows, inner, columns)
    }
}

/// dW = X^T dY: the inner dimension are the tokens.
const fn to_weight(rows: usize, tokens: usize, columns: usize) -> Shape {
    Shape {
        left: true,
        ..forward(rows, tokens, columns)
    }
}

const SHAPES: [Shape; 18] = [
    // Words: 64 prompts of 34 tokens, width 96.
    forward(2176, 96, 96),
    forward(2176, 96, 288),
    forward(2176, 96, 384),
    forward(2176, 384, 96),
    to_input(2176, 96, 96),
    to_input(2176, 384, 96),
    to_weight(96, 2176, 96),
    to_weight(96, 2176, 384),
    to_weight(384, 2176, 96),
    // An eighth of the batch.
    forward(272, 96, 384),
    to_weight(96, 272, 96),
    // A head: scores, and what they read.
    to_input(34, 24, 34),
    forward(34, 34, 24),
    // Regression: rows of 21 tokens, width 32.
    forward(2688, 32, 32),
    forward(2688, 32, 128),
    to_weight(32, 2688, 128),
    forward(2688, 7, 32),
    forward(2688, 32, 1),
];

fn cases() -> Vec<(Level, Shape)> {
    supported_levels()
        .flat_map(|level| SHAPES.into_iter().map(move |shape| (level, shape)))
        .collect()
}

/// A product with its operands in memory.
#[divan::bench(types = [f32, f64], args = cases().into_iter().map(Case), sample_count = 30)]
fn multiply<T: Float>(bencher: Bencher, case: &Case) {
    let Case((level, shape)) = *case;
    let Shape {
        rows,
        inner,
        columns,
        left,
        right,
    } = shape;
    let entries = |len: usize| -> Vec<T> {
        (0..len)
            .map(|i| T::from_f64((i % 17) as f64 / 16.0 - 0.5))
            .collect()
    };
    let (a, b) = (entries(rows * inner), entries(inner * columns));
    let mut c = entries(rows * columns);
    let view = |data, rows, columns, turned| {
        if turned {
            MatrixRef::new(data, columns, rows).t()
        } else {
            MatrixRef::new(data, rows, columns)
        }
    };
    bencher
        .counter(ItemsCount::new(2 * rows * inner * columns))
        .bench_local(|| {
            let (a, b) = (view(&a, rows, inner, left), view(&b, inner, columns, right));
            let c = MatrixMut::new(divan::black_box(&mut c), rows, columns);
            multiply_at((level, level), c, a, b, false);
        });
}

/// A level and a shape with a name.
struct Case((Level, Shape));

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Case((level, shape)) = self;
        write!(f, "{level:?} {shape}")
    }
}
