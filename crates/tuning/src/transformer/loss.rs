//! The loss of a batch's outputs, and its gradient.
//!
//! Sum over reads of weight * loss: cross-entropy in nats over a range of outputs, or the squared error of output 0.

use crate::transformer::model::batch::{Read, Target};
use icl::math::tensor::float::Float;

/// The loss of one read whose output is `row`, without its weight; `slope` becomes its derivative.
fn of_row<T: Float>(target: Target, row: &[T], slope: &mut [T]) -> f64 {
    match target {
        Target::Value(wanted) => {
            let off = row[0] - T::from_f64(wanted);
            slope[0] = off + off;
            (off * off).to_f64()
        }
        Target::Class { from, to, class } => {
            let row = &row[from..to];
            let largest = row.iter().fold(row[0], |a, &b| a.max(b));
            let slope = &mut slope[from..to];
            let mut sum = T::ZERO;
            for (slope, &x) in slope.iter_mut().zip(row) {
                *slope = (x - largest).exp();
                sum += *slope;
            }
            for slope in slope.iter_mut() {
                *slope /= sum;
            }
            slope[class - from] -= T::ONE;
            libm::log(sum.to_f64()) - (row[class - from] - largest).to_f64()
        }
    }
}

/// The weighted loss, and its gradient with respect to the outputs: `gradient` is rows x size, `row_of` tells each
/// read's row.
pub(crate) fn loss_and_gradient<T: Float>(
    reads: &[Read],
    row_of: &[usize],
    outputs: &[T],
    size: usize,
    gradient: &mut Vec<T>,
    slope: &mut Vec<T>,
) -> f64 {
    gradient.clear();
    gradient.resize(outputs.len(), T::ZERO);
    let mut total = 0.0;
    for (read, &row) in reads.iter().zip(row_of) {
        if read.weight == 0.0 {
            continue;
        }
        let places = row * size..(row + 1) * size;
        slope.clear();
        slope.resize(size, T::ZERO);
        total += read.weight * of_row(read.target, &outputs[places.clone()], slope);
        let weight = T::from_f64(read.weight);
        for (sum, &slope) in gradient[places].iter_mut().zip(&*slope) {
            *sum += weight * slope;
        }
    }
    total
}
