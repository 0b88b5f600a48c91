//! How much in-context learning is left after fine-tuning, compared where variants have learned equally much
//! without examples.
//!
//! A path is what was measured of one variant at its checkpoints, the pretrained model first. Does not know
//! what the errors are errors of: squared errors and one minus an accuracy go the same way.

/// A place on a path: at a checkpoint, or on the straight line from it to the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    checkpoint: usize,
    /// Of the way to the next checkpoint, in \[0, 1).
    share: f64,
}

impl Place {
    /// A checkpoint, counted from 0.
    pub fn at(checkpoint: usize) -> Place {
        Place {
            checkpoint,
            share: 0.0,
        }
    }

    /// What stands here in a column with one number for each checkpoint: v\[k\] + s (v\[k+1\] - v\[k\]).
    ///
    /// NaN where the column is too short.
    pub fn of(self, values: &[f64]) -> f64 {
        let here = |checkpoint: usize| values.get(checkpoint).copied().unwrap_or(f64::NAN);
        let from = here(self.checkpoint);
        match self.share == 0.0 {
            true => from,
            false => from + self.share * (here(self.checkpoint + 1) - from),
        }
    }
}

/// The zero-shot error at which variants are compared: e0 - share (e0 - best).
///
/// e0 is the pretrained model's zero-shot error on the target, best the lowest that the reference reaches.
/// None where the reference never gets below e0: then nothing was learned that could be matched.
pub fn level(pretrained: f64, reference: &[f64], share: f64) -> Option<f64> {
    let best = lowest(reference)?.of(reference);
    (best < pretrained).then_some(pretrained - share * (pretrained - best))
}

/// The first place at which a path is at or below a level, linear between checkpoints.
///
/// A path ends at its first number that is not finite.
pub fn first_crossing(zero_shot: &[f64], level: f64) -> Option<Place> {
    let known = known(zero_shot);
    let checkpoint = known.iter().position(|error| *error <= level)?;
    let Some(before) = checkpoint.checked_sub(1) else {
        return Some(Place::at(0));
    };
    // Above the level before, at or below it here: the difference is not zero.
    let share = (known[before] - level) / (known[before] - known[checkpoint]);
    Some(match share < 1.0 {
        true => Place {
            checkpoint: before,
            share,
        },
        false => Place::at(checkpoint),
    })
}

/// The checkpoint with the lowest error, the first of several; none on a path without a finite start.
pub fn lowest(zero_shot: &[f64]) -> Option<Place> {
    let known = known(zero_shot);
    let least = known.iter().copied().fold(f64::INFINITY, f64::min);
    let checkpoint = known.iter().position(|error| *error == least)?;
    Some(Place::at(checkpoint))
}

/// The first checkpoint at which a training had diverged.
pub fn diverged(zero_shot: &[f64]) -> Option<usize> {
    zero_shot.iter().position(|error| !error.is_finite())
}

/// (null - after) / (null - before): 1 where nothing is lost, 0 where examples are no better than an answer that
/// ignores them, below 0 where they are worse.
///
/// `null` is the error of an answer that ignores the context. Not clipped. None where the model before had not
/// learned from examples (null - before <= 0), or a number is missing.
pub fn kept(null: f64, before: f64, after: f64) -> Option<f64> {
    let learned = null - before;
    let kept = (null - after) / learned;
    (learned > 0.0 && kept.is_finite()).then_some(kept)
}

fn known(zero_shot: &[f64]) -> &[f64] {
    &zero_shot[..diverged(zero_shot).unwrap_or(zero_shot.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_a_share_of_the_way_to_the_best_of_the_reference() {
        assert_eq!(level(1.0, &[1.0, 0.5, 0.75], 0.5), Some(0.75));
        assert_eq!(level(1.0, &[1.0, 0.5, 0.75], 1.0), Some(0.5));
        // What diverges afterwards does not take back what was reached before.
        assert_eq!(level(1.0, &[1.0, 0.5, f64::NAN, 0.0], 0.5), Some(0.75));
        for nothing_learned in [&[1.0, 1.0][..], &[1.0, 2.0], &[f64::NAN], &[]] {
            assert_eq!(level(1.0, nothing_learned, 0.9), None);
        }
    }

    #[test]
    fn the_first_crossing_is_between_the_checkpoints_around_it() {
        let zero_shot = [1.0, 0.5, 0.25, 0.75, 0.125];
        let place = first_crossing(&zero_shot, 0.375).unwrap();
        assert_eq!(place.of(&zero_shot), 0.375);
        // All columns are read at the same place, whatever they do there.
        assert_eq!(place.of(&[0.0, 10.0, 20.0, 0.0, 0.0]), 15.0);
        assert_eq!(place.of(&[0.0, 8.0, -8.0, 0.0, 0.0]), 0.0);
        // The rise after it and the second crossing count for nothing; a checkpoint at the level is one.
        assert_eq!(first_crossing(&zero_shot, 0.25), Some(Place::at(2)));
        assert_eq!(first_crossing(&zero_shot, 1.0), Some(Place::at(0)));
        assert_eq!(first_crossing(&zero_shot, 0.1), None);
    }

    #[test]
    fn a_path_ends_where_its_training_diverged() {
        let zero_shot = [1.0, 0.5, f64::NAN, 0.0];
        assert_eq!(diverged(&zero_shot), Some(2));
        assert_eq!(first_crossing(&zero_shot, 0.25), None);
        let place = first_crossing(&zero_shot, 0.75).unwrap();
        assert_eq!(place.of(&zero_shot), 0.75);
        assert_eq!(lowest(&zero_shot), Some(Place::at(1)));
        assert_eq!(diverged(&[1.0, f64::INFINITY]), Some(1));
        assert_eq!(lowest(&[f64::NAN]), None);
    }

    #[test]
    fn the_lowest_is_the_first_of_equals() {
        assert_eq!(lowest(&[1.0, 0.5, 0.5, 0.75]), Some(Place::at(1)));
        assert!(Place::at(4).of(&[1.0, 0.5]).is_nan());
    }

    #[test]
    fn what_is_kept_is_a_share_of_what_there_was() {
        assert_eq!(kept(1.0, 0.5, 0.5), Some(1.0));
        assert_eq!(kept(1.0, 0.5, 1.0), Some(0.0));
        assert_eq!(kept(1.0, 0.5, 0.25), Some(1.5));
        assert_eq!(kept(1.0, 0.5, 2.0), Some(-2.0));
        // Nothing was there to keep.
        assert_eq!(kept(1.0, 1.0, 0.5), None);
        assert_eq!(kept(1.0, 1.5, 0.5), None);
        assert_eq!(kept(1.0, 0.5, f64::NAN), None);
        assert_eq!(kept(1.0, f64::NAN, 0.5), None);
    }
}
