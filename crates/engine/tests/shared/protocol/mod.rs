//! The protocol of a shared store, checked in every order that its steps can happen in.
//!
//! A model, not the code: what a writer, a reader and a collector ask of a store, one request a step, with what
//! each knows between two requests. `retrace::shared::store` and `retrace::shared::upkeep` do these steps in this
//! order.

mod model;
mod search;

use model::{Rules, World};
use search::{Found, search};

/// All that the rules forbid does not happen, wherever each process is when another takes a step.
#[track_caller]
fn holds(rules: Rules) {
    match search(World::starts(rules), World::next, World::wrong) {
        Found::Nothing { states } => {
            assert!(states > 1000, "only {states} states: nothing was tried");
        }
        Found::Path(path) => panic!("{}", told(&path)),
    }
}

/// There is an order of steps that goes wrong, in these words.
#[track_caller]
fn fails(rules: Rules, words: &str) {
    match search(World::starts(rules), World::next, World::wrong) {
        Found::Nothing { states } => panic!("{states} states, and nothing is wrong"),
        Found::Path(path) => {
            let told = told(&path);
            assert!(told.contains(words), "{told}");
        }
    }
}

/// The steps of a path, one a line, and what is wrong at its end.
fn told(path: &[(&'static str, World)]) -> String {
    let line = |(step, world): &(&str, World)| format!("{step}: {world}");
    let lines: Vec<String> = path.iter().map(line).collect();
    let wrong = path.last().and_then(|(_, world)| world.wrong());
    let wrong = wrong.unwrap_or_default();
    format!("{}\n{wrong}", lines.join("\n"))
}

#[test]
fn nothing_that_a_writer_relies_on_is_removed() {
    holds(Rules::timed());
}

#[test]
fn a_writer_that_trusts_an_old_object_loses_it() {
    let rules = Rules {
        writers_renew: false,
        ..Rules::timed()
    };
    fails(rules, "an entry names an object that is not there");
}

#[test]
fn a_writer_that_outlives_the_age_loses_an_object() {
    let rules = Rules {
        writers_end_in_time: false,
        ..Rules::timed()
    };
    fails(rules, "an entry names an object that is not there");
}

#[test]
fn a_collector_that_does_not_look_again_removes_what_is_new() {
    let rules = Rules {
        collector_looks_again: false,
        ..Rules::timed()
    };
    fails(rules, "an entry names an object that is not there");
}

#[test]
fn a_slow_collector_that_takes_what_grew_old_meanwhile_misses_an_entry() {
    let rules = Rules {
        collector_counts_its_time: false,
        ..Rules::timed()
    };
    fails(rules, "an entry names an object that is not there");
}

#[test]
fn a_collector_that_reads_entries_before_it_lists_objects_misses_one() {
    let rules = Rules {
        objects_listed_first: false,
        ..Rules::timed()
    };
    fails(rules, "an entry names an object that is not there");
}

#[test]
fn an_entry_put_before_its_object_promises_nothing() {
    let rules = Rules {
        objects_put_first: false,
        ..Rules::timed()
    };
    fails(rules, "an entry names an object that is not there");
}

#[test]
fn whatever_happens_a_reader_gets_what_it_asked_for_and_a_rerun_restores() {
    holds(Rules::untimed());
}

#[test]
fn a_reader_that_does_not_hash_gets_other_bytes() {
    let rules = Rules {
        readers_hash: false,
        ..Rules::untimed()
    };
    fails(rules, "the reader took other bytes");
}

#[test]
fn a_rerun_that_leaves_wrong_bytes_of_the_right_size_restores_nothing() {
    let rules = Rules {
        wrong_is_replaced: false,
        ..Rules::untimed()
    };
    fails(rules, "a rerun restores nothing");
}
