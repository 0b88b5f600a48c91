//! The claims of pipeline.yaml, fed with tables in which some rows are what others were.

use super::evidence::{column, copy, decide, sound, verdict};
use findings::claims::claim::Verdict;

/// Claim, table, rows, what they become, and what the claim comes to. Those that are open on sound evidence
/// (what depth forgets, what the first layer keeps, the squared error on digits, five of transformers) are decided here.
const CASES: &str = "
unseen-tasks-mean                   | errors | task=unit, model=zs_v          | task=unit, model=zs                  | fails
unseen-tasks-mean                   | errors | task=unit, model=zs            | task=unit, model=zs_v                | fails
unseen-tasks-mean                   | errors | task=unit, model=both_v        | task=unit, model=zs_v                | fails
unseen-tasks-mean                   | errors | task=unit, model=both          | task=unit, model=zs                  | fails
pareto-value-only-gap               | front  | curve=descent_1, level=4       | curve=descent_2, level=4             | fails
pareto-value-only-gap               | front  | curve=every_value, level=5     | curve=descent_2, level=4             | fails
heads-remove-the-trade-off          | heads  | model=replay                   | model=zs_v                           | fails
heads-remove-the-trade-off          | heads  | model=replay                   | model=zs                             | fails
heads-remove-the-trade-off          | heads  | model=replay, heads=h4         | model=pretrained, heads=h4           | fails
heads-remove-the-trade-off          | front  | curve=descent_2, level=4       | curve=one_head, level=4              | fails
heads-remove-the-trade-off          | front  | curve=one_head, level=4        | curve=descent_2, level=4             | fails
depth-value-only-forgets            | depth  | model=zs_v                     | model=pretrained                     | fails
depth-value-only-forgets            | depth  | model=both_v                   | model=zs_v                           | holds
depth-first-value-keeps             | depth  | model=zs_v_first               | model=pretrained                     | holds
real-full-ft-forgets                | digits | pool=seen, model=zs            | pool=seen, model=zs_v                | fails
real-value-only-retains             | digits | pool=seen, model=zs_v          | pool=seen, model=zs                  | fails
real-value-only-retains-error       | digits | pool=seen, model=zs_v          | pool=seen, model=pretrained          | holds
real-aux-loss-hurts-others          | digits | pool=seen, model=both          | pool=seen, model=zs_v                | fails
real-aux-loss-hurts-others          | digits | pool=seen, model=both_v        | pool=seen, model=zs_v                | undecided
real-new-digits                     | digits | pool=strict, model=zs_v        | pool=strict, model=zs                | fails
real-new-digits                     | digits | pool=strict, model=zs          | pool=strict, model=zs_v              | fails
real-replay-beats-value-only        | digits | pool=seen, model=replay_vl     | pool=seen, model=zs                  | fails
real-replay-beats-value-only        | digits | pool=seen, model=replay_vl     | pool=seen, model=both_v              | undecided
softmax-lone-query-all-equals-value | bridge | rung=softmax, variant=zs_qkv   | rung=softmax, variant=zs_all         | fails
softmax-lone-query-all-equals-value | bridge | rung=softmax, variant=zs_k     | rung=softmax, variant=zs_v           | fails
bridge-value-only-protects-linear   | bridge | rung=linear, variant=zs_v      | rung=linear, variant=zs_all          | fails
bridge-value-only-protects-linear   | bridge | rung=heads, variant=zs_all     | rung=linear, variant=zs_all          | holds
bridge-value-only-with-sink         | bridge | rung=sink, variant=zs_v        | rung=sink, variant=zs_qkv            | fails
bridge-depth                        | bridge | variant=zs_v                   | variant=replay_v                     | holds
bridge-replay-retains               | bridge | rung=heads, variant=replay_all | rung=linear, variant=replay_all      | fails
words-full-ft-forgets               | words  | variant=zs_all                 | variant=replay_all                   | fails
words-value-only-retains            | words  | variant=zs_v                   | variant=replay_v                     | holds
words-aux-helps-target              | words  | variant=both_v, measure=target | variant=both_v, measure=other_script | fails
words-aux-hurts-others              | words  | variant=both_all               | variant=replay_all                   | fails
words-early-stopping                | words  | variant=zs_v, at=matched       | variant=zs_v, at=end                 | fails
words-replay-retains                | words  | variant=replay_all             | variant=zs_v                         | fails
";

/// Whether a case is of this claim.
pub fn turns(id: &str) -> bool {
    let mut ids = CASES.trim().lines().map(|case| case.split('|').next());
    ids.any(|of| of.is_some_and(|of| of.trim() == id))
}

#[test]
fn perturbed_tables_turn_their_verdicts() {
    let sound = sound();
    for case in CASES.trim().lines() {
        let parts: Vec<&str> = case.split('|').map(str::trim).collect();
        let [id, table, rows, others, expected] = parts[..] else {
            panic!("five parts: {case}");
        };
        let mut wrong = sound.clone();
        copy(&mut wrong, table, others, rows);
        let expected: Verdict = serde_json::from_value(expected.into()).expect("a verdict");
        assert_eq!(verdict(&decide(&wrong), id), expected, "{case}");
    }
}

/// A label column that takes nothing back.
#[test]
fn perturbed_gaps_turn_their_verdict() {
    let mut wrong = sound();
    column(&mut wrong, "gaps", "recovered").fill(0.0);
    let found = verdict(&decide(&wrong), "pareto-value-only-gap");
    assert_eq!(found, Verdict::Fails);
}
