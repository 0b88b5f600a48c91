//! Linear attention as it is written down, on prompts as matrices; the transformer's tests read it too.

use icl::math::lanes::{Lanes, WIDTH};
use icl::math::stream::Stream;
use icl::model::weights::{LinearAttention, MatrixKind, Parametrization, Shape};
use icl::prompts::gram::{Columns, PromptGroup};
use ndarray::Array2;

pub(crate) fn shapes(d: usize) -> impl Iterator<Item = Shape> {
    let sizes = [(1, 1), (2, 1), (4, 1), (1, 2), (2, 2), (1, 3)];
    sizes.into_iter().flat_map(move |(n_heads, n_layers)| {
        [Parametrization::Merged, Parametrization::Separate].map(|parametrization| Shape {
            d,
            n_layers,
            n_heads,
            parametrization,
        })
    })
}

/// Attention as it is written down: on the prompt matrix, with scores between all tokens.
pub(crate) fn attend(model: &LinearAttention, prompt: &Array2<f64>) -> f64 {
    let shape = model.shape();
    let mut z = prompt.clone();
    let n_tokens = z.nrows() as f64;
    for layer in 0..shape.n_layers {
        let mut update = Array2::<f64>::zeros(z.raw_dim());
        for head in 0..shape.n_heads {
            let get = |kind| model.matrix(layer, head, kind);
            let scores = match shape.parametrization {
                Parametrization::Merged => z.dot(&get(MatrixKind::KeyQuery).unwrap()).dot(&z.t()),
                Parametrization::Separate => {
                    let queries = z.dot(&get(MatrixKind::Query).unwrap().t());
                    queries.dot(&z.dot(&get(MatrixKind::Key).unwrap().t()).t())
                }
            };
            let values = z.dot(&get(MatrixKind::Value).unwrap().t());
            update += &(scores.dot(&values) / n_tokens);
        }
        z += &(update / shape.n_heads as f64);
    }
    z[[z.nrows() - 1, z.ncols() - 1]]
}

/// Eight prompts of n shots and d covariates: as matrices of tokens, and in Gram form.
pub(crate) fn prompts(n: usize, d: usize) -> (Vec<Array2<f64>>, PromptGroup) {
    let mut stream = Stream::new(n as u64, "attention test", &[]);
    let prompts: Vec<Array2<f64>> = (0..WIDTH)
        .map(|_| {
            let mut z = Array2::from_shape_fn((n + 1, d + 2), |_| stream.normal());
            z.column_mut(0).fill(1.0);
            z[[n, d + 1]] = 0.0;
            z
        })
        .collect();
    let lanes =
        |row: usize, column: usize| Lanes(std::array::from_fn(|lane| prompts[lane][[row, column]]));
    let mut columns = Columns::new(d + 1, n, n);
    for (t, column) in columns.data_mut().chunks_exact_mut(d + 1).enumerate() {
        for (i, entry) in column.iter_mut().enumerate() {
            *entry = lanes(t, i + 1);
        }
    }
    columns.sum_columns(d + 1);
    let mut group = PromptGroup::new(d);
    let x: Vec<Lanes> = (1..=d).map(|i| lanes(n, i)).collect();
    group.set_query(&x, Lanes::ZERO);
    group.set_few_shot(d + 2, &columns);
    (prompts, group)
}
