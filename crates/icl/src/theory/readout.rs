//! What a learned head says in the units of the closed forms.
//!
//! (v, Q) -> (s v, Q/s) leaves every prediction as it is, for s of either sign. So each number here
//! is a product of one factor from v and one from Q, or a ratio within v: none depends on s. Does not
//! know how the head was learned, nor what the theory expects.

use crate::math::linalg;
use crate::model::head::Head;
use crate::prompts::task::Task;

/// Scale-free numbers of one head, given the target task theta0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Readout {
    /// Mean diagonal of vy Q\[x,x\]: a of the pretraining optimum, w of the value-only family.
    pub vy_q_mean: f64,
    /// Largest |diagonal entry - mean| of vy Q\[x,x\].
    pub vy_q_diagonal_spread: f64,
    /// Largest |off-diagonal entry| of vy Q\[x,x\].
    pub vy_q_off_diagonal: f64,
    /// vx . theta0 / (vy |theta0|^2): w of the full zero-shot family, where it is vx = w theta0, vy = 1.
    pub w_from_value: f64,
    /// 1/(vy Q\[0,0\]): the same w, read from Q. The two agree at an optimum.
    pub w_from_key_query: f64,
    /// |vx - (vx . theta0 / |theta0|^2) theta0| / |vx|: 0 when vx points along +-theta0.
    pub vx_misalignment: f64,
    /// (d+4) vx . theta0 q / |theta0|^2 with q the mean diagonal of Q\[x,x\]: 1 at the value-only optimum.
    pub value_only_projection: f64,
    /// vx . theta0 Q\[0,0\] / |theta0|^2: 1 at the full zero-shot optimum.
    pub zero_shot_projection: f64,
}

/// Reads a head.
///
/// Entries are not finite where their denominator vanishes (vy = 0, Q\[0,0\] = 0, vx = 0).
///
/// # Panics
/// If head and task differ in d.
pub fn read(head: &Head, theta0: &Task) -> Readout {
    let d = head.d();
    assert_eq!(d, theta0.d(), "readout: dimensions");
    let (q, vy) = (head.q_xx(), head.vy());
    let q_mean = q.diag().iter().fold(0.0, |sum, x| sum + x) / d as f64;
    let largest =
        |values: &mut dyn Iterator<Item = f64>| values.fold(0.0_f64, |m, x| m.max(x.abs()));
    let spread = largest(&mut q.diag().iter().map(|x| vy * (x - q_mean)));
    let off_diagonal = largest(
        &mut q
            .indexed_iter()
            .filter(|((i, j), _)| i != j)
            .map(|(_, x)| vy * x),
    );

    let along = linalg::inner(head.vx(), theta0.theta()) / theta0.squared_norm();
    let across: Vec<f64> = head
        .vx()
        .iter()
        .zip(theta0.theta())
        .map(|(v, t)| v - along * t)
        .collect();
    let length = |x: &[f64]| linalg::inner(x, x).sqrt();
    let q00 = head.q()[[0, 0]];
    Readout {
        vy_q_mean: vy * q_mean,
        vy_q_diagonal_spread: spread,
        vy_q_off_diagonal: off_diagonal,
        w_from_value: along / vy,
        w_from_key_query: 1.0 / (vy * q00),
        vx_misalignment: length(&across) / length(head.vx()),
        value_only_projection: (d as f64 + 4.0) * along * q_mean,
        zero_shot_projection: along * q00,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tolerance;
    use crate::theory::optima;

    fn rescaled(head: &Head, s: f64) -> Head {
        let v = head.v().iter().map(|x| s * x).collect();
        Head::new(v, head.q().mapv(|x| x / s)).unwrap()
    }

    #[test]
    fn closed_forms_read_as_their_own_constants_at_any_scale() {
        let theta0 = Task::random_unit(5, 2);
        let close = |a: f64, b: f64| assert!((a - b).abs() < tolerance::ROUNDING, "{a} {b}");
        for s in [1.0, -1.0, 0.3, -7.0] {
            let full = read(
                &rescaled(&optima::zero_shot_head(&theta0, 0.52), s),
                &theta0,
            );
            close(full.w_from_value, 0.52);
            close(full.w_from_key_query, 0.52);
            close(full.zero_shot_projection, 1.0);
            close(full.vx_misalignment, 0.0);
            let value_only = read(
                &rescaled(&optima::value_only_head(&theta0, 0.7), s),
                &theta0,
            );
            close(value_only.vy_q_mean, 0.7);
            close(value_only.value_only_projection, 1.0);
            let pretrained = read(&rescaled(&optima::pretrained_head(5, 0.8), s), &theta0);
            close(pretrained.vy_q_mean, 0.8);
            close(
                pretrained.vy_q_diagonal_spread + pretrained.vy_q_off_diagonal,
                0.0,
            );
        }
    }

    #[test]
    fn deviations_are_seen() {
        let base = optima::pretrained_head(3, 1.0);
        let mut q = base.q().to_owned();
        q[[1, 2]] = -0.25;
        q[[3, 3]] = 1.3;
        let head = Head::new(base.v().to_vec(), q).unwrap();
        let readout = read(&head, &Task::random_unit(3, 1));
        assert!((readout.vy_q_off_diagonal - 0.25).abs() < tolerance::ROUNDING);
        assert!((readout.vy_q_diagonal_spread - 0.2).abs() < tolerance::ROUNDING);
    }
}
