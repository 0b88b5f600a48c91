//! Places for the nodes of a graph without cycles: columns by depth, few crossings.
//!
//! Whole numbers alone, and ties go by name: the same graph has the same places everywhere.

/// Where a node lies: its column from the left, its place in the column from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    pub column: usize,
    pub row: usize,
}

const SWEEPS: usize = 8;

/// Places nodes, given for each the earlier nodes that it reads.
pub fn place(reads: &[Vec<usize>]) -> Vec<Spot> {
    let mut depth = vec![0; reads.len()];
    for node in 0..reads.len() {
        depth[node] = reads[node]
            .iter()
            .map(|&read| depth[read] + 1)
            .max()
            .unwrap_or(0);
    }
    let mut read_by = vec![Vec::new(); reads.len()];
    for (node, reads) in reads.iter().enumerate() {
        reads.iter().for_each(|&read| read_by[read].push(node));
    }
    // What nothing above needs moves next to its first reader.
    for node in (0..reads.len()).rev() {
        if let Some(first) = read_by[node].iter().map(|&reader| depth[reader]).min() {
            depth[node] = first - 1;
        }
    }
    let columns = depth.iter().max().map_or(0, |deepest| deepest + 1);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); columns];
    for (node, &column) in depth.iter().enumerate() {
        order[column].push(node);
    }
    let mut row = vec![0; reads.len()];
    let count = |order: &[Vec<usize>], row: &mut Vec<usize>| {
        for column in order {
            column
                .iter()
                .enumerate()
                .for_each(|(at, &node)| row[node] = at);
        }
    };
    count(&order, &mut row);
    for sweep in 0..SWEEPS {
        let neighbours = if sweep % 2 == 0 { reads } else { &read_by[..] };
        for column in &mut order {
            column.sort_by_key(|&node| {
                // The mean row of the neighbours, in thousandths.
                let near = &neighbours[node];
                let sum: usize = near.iter().map(|&other| row[other] * 1000).sum();
                (
                    sum.checked_div(near.len()).unwrap_or(row[node] * 1000),
                    row[node],
                )
            });
            column
                .iter()
                .enumerate()
                .for_each(|(at, &node)| row[node] = at);
        }
    }
    (0..reads.len())
        .map(|node| Spot {
            column: depth[node],
            row: row[node],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_stand_right_of_what_they_read_and_places_are_free() {
        let reads = vec![vec![], vec![], vec![0], vec![1, 2], vec![0, 3]];
        let places = place(&reads);
        for (node, reads) in reads.iter().enumerate() {
            for &read in reads {
                assert!(places[read].column < places[node].column);
            }
        }
        for (at, place) in places.iter().enumerate() {
            assert!(!places[..at].contains(place));
        }
    }
}
