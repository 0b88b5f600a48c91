//! A stratified split into examples to train on and examples held out.
//!
//! Does not know what the examples are, nor why a stratum is one.

use crate::math::stream::Stream;

/// Which examples are held out: of each stratum (a class, named by a number) the share `share`, rounded,
/// drawn at random; at least one, and all but one, where the stratum has two.
///
/// Each stratum has a random stream of its own: more examples of one leave the others' split alone.
pub fn stratified(strata: &[usize], share: f64, seed: u64) -> Vec<bool> {
    let mut held_out = vec![false; strata.len()];
    for stratum in 0..strata.iter().max().map_or(0, |most| most + 1) {
        let mut rows: Vec<usize> = (0..strata.len())
            .filter(|&row| strata[row] == stratum)
            .collect();
        let size = rows.len();
        let count = (share * size as f64).round() as usize;
        let count = if size < 2 {
            0
        } else {
            count.clamp(1, size - 1)
        };
        let mut stream = Stream::new(seed, "hold-out split", &[stratum as u64]);
        // The first `count` places of a Fisher-Yates shuffle.
        for place in 0..count {
            rows.swap(place, place + stream.index(size - place));
            held_out[rows[place]] = true;
        }
    }
    held_out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_gives_its_share() {
        let strata: Vec<usize> = (0..300).map(|i| if i < 40 { 2 } else { i % 2 }).collect();
        let held = stratified(&strata, 0.2, 5);
        for (class, size) in [(0, 130), (1, 130), (2, 40)] {
            let count = (0..300).filter(|&i| strata[i] == class && held[i]).count();
            assert_eq!(count, size / 5, "class {class}");
        }
        assert_eq!(held, stratified(&strata, 0.2, 5));
        assert_ne!(held, stratified(&strata, 0.2, 6));
        // Another class more does not move the others.
        let mut more = strata.clone();
        more.extend([3; 10]);
        assert_eq!(stratified(&more, 0.2, 5)[..300], held);
    }

    #[test]
    fn no_class_is_lost_on_either_side() {
        for share in [0.0, 0.01, 0.99] {
            let held = stratified(&[0, 0, 0, 1, 1, 2], share, 1);
            assert!(held[..3].contains(&true) && held[..3].contains(&false));
            assert!(held[3] != held[4] && !held[5]);
        }
        assert!(stratified(&[], 0.2, 1).is_empty());
    }

    #[test]
    fn every_example_can_be_held_out() {
        let mut seen = [0; 10];
        for seed in 0..200 {
            let held = stratified(&[0; 10], 0.3, seed);
            assert_eq!(held.iter().filter(|&&x| x).count(), 3);
            (0..10).for_each(|i| seen[i] += usize::from(held[i]));
        }
        // 60 expected, standard deviation 6.5.
        assert!(seen.iter().all(|&n| (30..=90).contains(&n)), "{seen:?}");
    }
}
