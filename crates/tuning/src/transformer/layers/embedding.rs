//! Tokens to rows of the residual stream, and the gradient of the table or map.

use crate::transformer::layers::linear;
use crate::transformer::model::batch::Tokens;
use crate::transformer::model::config::Input;
use icl::math::tensor::float::Float;
use std::ops::Range;

/// Rows of the tokens in `range`; `features` keeps a linear input for backward.
///
/// # Panics
/// If the tokens are not of the input's kind, which [`check`] tells beforehand.
pub(crate) fn forward<T: Float>(
    input: Input,
    table: &[T],
    tokens: &Tokens,
    range: Range<usize>,
    width: usize,
    features: &mut Vec<T>,
    rows: &mut Vec<T>,
) {
    match (input, tokens) {
        (Input::Direct, Tokens::Dense { values, .. }) => {
            let values = &values[range.start * width..range.end * width];
            rows.clear();
            rows.extend(values.iter().map(|&value| T::from_f64(value)));
        }
        (Input::Linear { features: count }, Tokens::Dense { values, .. }) => {
            let values = &values[range.start * count..range.end * count];
            features.clear();
            features.extend(values.iter().map(|&value| T::from_f64(value)));
            rows.resize(range.len() * width, T::ZERO);
            linear::apply(table, features, [count, width], rows);
        }
        (Input::Embedding { .. }, Tokens::Bags { entries, ends }) => {
            rows.clear();
            rows.resize(range.len() * width, T::ZERO);
            for (token, row) in range.zip(rows.chunks_exact_mut(width)) {
                for &(id, weight) in bag(entries, ends, token) {
                    let weight = T::from_f64(weight);
                    let entry = &table[id as usize * width..(id as usize + 1) * width];
                    for (sum, &x) in row.iter_mut().zip(entry) {
                        *sum += weight * x;
                    }
                }
            }
        }
        _ => panic!("tokens of another kind than the model's input"),
    }
}

/// Adds to the gradient of the table or map.
pub(crate) fn backward<T: Float>(
    input: Input,
    tokens: &Tokens,
    range: Range<usize>,
    features: &[T],
    d_rows: &[T],
    width: usize,
    d_table: &mut [T],
) {
    match (input, tokens) {
        (Input::Linear { features: count }, _) => {
            linear::weight_gradient(d_rows, features, [count, width], d_table);
        }
        (Input::Embedding { .. }, Tokens::Bags { entries, ends }) => {
            for (token, row) in range.zip(d_rows.chunks_exact(width)) {
                for &(id, weight) in bag(entries, ends, token) {
                    let weight = T::from_f64(weight);
                    let entry = &mut d_table[id as usize * width..(id as usize + 1) * width];
                    for (sum, &x) in entry.iter_mut().zip(row) {
                        *sum += weight * x;
                    }
                }
            }
        }
        _ => {}
    }
}

/// Whether these tokens can be read.
///
/// # Errors
/// Another kind, another number of features, or an id that the table does not have.
pub(crate) fn check(
    input: Input,
    width: usize,
    tokens: &Tokens,
    count: usize,
) -> Result<(), String> {
    let (wanted, found) = match (input, tokens) {
        (Input::Direct, Tokens::Dense { features, .. }) => (width, *features),
        (Input::Linear { features: wanted }, Tokens::Dense { features, .. }) => (wanted, *features),
        (Input::Embedding { vocabulary }, Tokens::Bags { entries, ends }) => {
            if ends.len() != count || ends.last().copied().unwrap_or(0) != entries.len() {
                return Err(format!("{} bags for {count} tokens", ends.len()));
            }
            return match entries.iter().find(|(id, _)| *id as usize >= vocabulary) {
                Some((id, _)) => Err(format!("token id {id}: the vocabulary has {vocabulary}")),
                None => Ok(()),
            };
        }
        (Input::Embedding { .. }, Tokens::Dense { .. }) => {
            return Err("the model reads token ids, not features".into());
        }
        (_, Tokens::Bags { .. }) => return Err("the model reads features, not token ids".into()),
    };
    let Tokens::Dense { values, .. } = tokens else {
        return Ok(());
    };
    if wanted != found {
        return Err(format!(
            "tokens have {found} features, the model reads {wanted}"
        ));
    }
    match values.len() == wanted * count {
        true => Ok(()),
        false => Err(format!(
            "{} numbers for {count} tokens of {wanted} features",
            values.len()
        )),
    }
}

fn bag<'a>(entries: &'a [(u32, f64)], ends: &[usize], token: usize) -> &'a [(u32, f64)] {
    let start = if token == 0 { 0 } else { ends[token - 1] };
    &entries[start..ends[token]]
}
