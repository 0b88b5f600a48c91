//! An order for things that wait for each other, or the cycle that forbids one.

use std::collections::BTreeSet;

/// An order of `0..upstream.len()` in which each index comes after all of `upstream[index]`, the
/// smallest possible index first.
///
/// # Errors
/// The indices of a cycle, each waiting for the next and the last for the first.
pub fn order(upstream: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut waiting: Vec<BTreeSet<usize>> = upstream
        .iter()
        .map(|needs| needs.iter().copied().collect())
        .collect();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); upstream.len()];
    for (reader, needs) in waiting.iter().enumerate() {
        needs.iter().for_each(|&need| readers[need].push(reader));
    }
    let mut ready: BTreeSet<usize> = (0..waiting.len())
        .filter(|&i| waiting[i].is_empty())
        .collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for &reader in &readers[next] {
            waiting[reader].remove(&next);
            if waiting[reader].is_empty() {
                ready.insert(reader);
            }
        }
    }
    match (0..waiting.len()).find(|&i| !waiting[i].is_empty()) {
        None => Ok(order),
        Some(stuck) => Err(cycle(&waiting, stuck)),
    }
}

/// Follows unmet needs from a stuck index until one repeats.
fn cycle(waiting: &[BTreeSet<usize>], stuck: usize) -> Vec<usize> {
    let mut path = vec![stuck];
    loop {
        // Every unmet need of a stuck index is itself stuck, so there always is one.
        let next = waiting[path[path.len() - 1]]
            .first()
            .copied()
            .unwrap_or(stuck);
        if let Some(start) = path.iter().position(|&i| i == next) {
            return path.split_off(start);
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_keep_their_order_and_needs_come_first() {
        let upstream = [vec![2], vec![], vec![], vec![0, 1]];
        assert_eq!(order(&upstream), Ok(vec![1, 2, 0, 3]));
    }

    #[test]
    fn a_cycle_is_the_path_that_closes_it() {
        let upstream = [vec![], vec![0, 3], vec![1], vec![2], vec![3]];
        assert_eq!(order(&upstream), Err(vec![1, 3, 2]));
        assert_eq!(order(&[vec![0]]), Err(vec![0]));
    }
}
