//! Breadth-first search through all states of a model: the shortest way to one that is wrong.
//!
//! `stateright` would do the same, and brings thirty packages with it (hash tables, locks, random numbers, a web
//! server for its explorer) for what is forty lines here: these models have some hundred thousand states.

use std::collections::{BTreeMap, VecDeque};

/// What a search has found.
pub enum Found<S> {
    /// No state is wrong; how many there are.
    Nothing { states: usize },
    /// The states from a start to the nearest one that is wrong, each with the step that leads to it.
    Path(Vec<(&'static str, S)>),
}

/// The step that first led to a state, and the number of the state before it.
type Reached = (&'static str, Option<usize>);
/// The states that were visited, each with its number.
type Seen<S> = BTreeMap<S, (usize, Reached)>;

/// Visits every state that `next` leads to from `starts`, the nearest first, until `wrong` names what is wrong
/// with one.
pub fn search<S: Clone + Ord>(
    starts: Vec<S>,
    next: impl Fn(&S) -> Vec<(&'static str, S)>,
    wrong: impl Fn(&S) -> Option<String>,
) -> Found<S> {
    let mut seen: Seen<S> = BTreeMap::new();
    let mut ahead: VecDeque<(S, Reached)> = VecDeque::new();
    ahead.extend(
        starts
            .into_iter()
            .map(|start| (start, ("at the start", None))),
    );
    while let Some((state, (step, before))) = ahead.pop_front() {
        if seen.contains_key(&state) {
            continue;
        }
        let number = seen.len();
        seen.insert(state.clone(), (number, (step, before)));
        if wrong(&state).is_some() {
            return Found::Path(way_to(number, &seen));
        }
        for (step, next) in next(&state) {
            if !seen.contains_key(&next) {
                ahead.push_back((next, (step, Some(number))));
            }
        }
    }
    Found::Nothing { states: seen.len() }
}

/// The states on the way to one, from the start.
fn way_to<S: Clone + Ord>(last: usize, seen: &Seen<S>) -> Vec<(&'static str, S)> {
    let by_number = seen
        .iter()
        .map(|(state, &(number, reached))| (number, (state, reached)));
    let by_number: BTreeMap<usize, (&S, Reached)> = by_number.collect();
    let mut way = Vec::new();
    let mut at = Some(last);
    while let Some(number) = at {
        let (state, (step, before)) = by_number[&number];
        way.push((step, state.clone()));
        at = before;
    }
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of one or three from 0, up to 9.
    fn steps(&n: &u32) -> Vec<(&'static str, u32)> {
        let steps = [("one", n + 1), ("three", n + 3)];
        steps.into_iter().filter(|&(_, n)| n < 10).collect()
    }

    #[test]
    fn the_nearest_wrong_state_is_found_with_its_way() {
        let wrong = |&n: &u32| (n == 7).then(|| "seven".to_owned());
        let Found::Path(way) = search(vec![0], steps, wrong) else {
            panic!("it is not found");
        };
        assert_eq!(way.len(), 4);
        assert_eq!((way[0], way[3].1), (("at the start", 0), 7));
    }

    #[test]
    fn every_state_is_visited_once() {
        let Found::Nothing { states } = search(vec![0], steps, |_| None) else {
            panic!("nothing is wrong");
        };
        assert_eq!(states, 10);
    }
}
