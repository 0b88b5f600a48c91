//! Tasks in words on a small model over bytes: what is asked, what is trained on, and what greedy decoding says.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use tuning::forgetting::variant::{Objective, Variant};
use tuning::forgetting::world::{Replayed, World};
use tuning::language::codec::{Bytes, Codec};
use tuning::language::evaluation::{Evaluation, Question, Scored, Size, score};
use tuning::language::finetune::{finetune, measure};
use tuning::language::items::Item;
use tuning::language::split::Split;
use tuning::language::tasks::{Tasks, Writer};
use tuning::language::world::Language;
use tuning::transformer::decode::Decoder;
use tuning::transformer::model::batch::{Batch, Target, Tokens};
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};
use tuning::transformer::model::parameters::{Init, initial};
use tuning::transformer::network::Network;
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::{Ending, Training};
use tuning::transformer::trainable::{LowRank, Subset};

const START: [u32; 1] = [0];

/// Two classes of words, capitals to write and letters to tell, each in three splits.
fn tasks() -> Tasks {
    let mut items = Vec::new();
    for at in 0..24_u8 {
        let split = Split::ALL[usize::from(at % 3)];
        let word = char::from(b'a' + at).to_string();
        let mut add = |task: &str, question: &str, answer: &str| {
            let (task, question, answer) = (task.into(), question.into(), answer.into());
            let item = Item {
                task,
                question,
                answer,
                rank: usize::from(at) + 1,
            };
            items.push((item, split));
        };
        add("upper", &word, &word.to_uppercase());
        add("double", &word, &format!("{word}{word}"));
        add("class", &word, if at % 2 == 0 { "even" } else { "odd" });
    }
    Tasks::new(items)
}

fn network() -> Network {
    Network::new(Config {
        input: Input::Embedding {
            vocabulary: Bytes::VOCABULARY,
        },
        width: 16,
        layers: 2,
        attention: Attention {
            kernel: Kernel::Softmax,
            causal: true,
            heads: 2,
            key_value_heads: 1,
            head_size: 8,
            bias: false,
            output: HeadOutput::Projection { bias: false },
            rope: Some(10_000.0),
        },
        norm: Some(Norm {
            kind: NormKind::Rms,
            epsilon: 1e-5,
        }),
        mlp: Some(Mlp {
            activation: Activation::SwiGlu,
            hidden: 24,
            bias: false,
        }),
        output: Output::Tied,
    })
    .unwrap()
}

fn writer() -> Writer<'static> {
    Writer {
        codec: &Bytes,
        start: &START,
    }
}

fn world<'a>(tasks: &'a Tasks, replayed: &'a [String]) -> Language<'a> {
    Language {
        writer: writer(),
        tasks,
        vocabulary: Bytes::VOCABULARY,
        target: "upper",
        replayed,
        shots: 2,
        prompts: 3,
        few_shot_prompts: 4,
        seed: 5,
    }
}

fn training(low_rank: Option<LowRank>, rate: f64) -> Training {
    Training {
        steps: 30,
        optimizer: Optimizer::AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
        },
        schedule: Schedule {
            learning_rate: rate,
            warmup: 2,
            decay: Decay::Constant,
        },
        clip_norm: Some(1.0),
        subset: Subset::Everything,
        low_rank,
        seed: 5,
    }
}

fn variant(objective: Objective, subset: Subset) -> Variant {
    let low_rank = Some(LowRank {
        rank: 4,
        alpha: 8.0,
    });
    Variant {
        name: "a variant".into(),
        objective,
        subset,
        low_rank,
        between: None,
    }
}

/// The prompts of a batch as text.
fn texts(batch: &Batch) -> Vec<String> {
    let Tokens::Bags { entries, .. } = &batch.tokens else {
        panic!("tokens of text");
    };
    let mut rest: Vec<u32> = entries.iter().map(|(token, _)| *token).collect();
    let text = |&length: &usize| {
        Bytes
            .decode(&rest.drain(..length).collect::<Vec<_>>())
            .unwrap()
    };
    batch.lengths.iter().map(text).collect()
}

#[test]
fn prompts_have_items_of_training_and_ask_for_answers_alone() {
    let (tasks, replayed) = (tasks(), ["double".to_owned()]);
    let world = world(&tasks, &replayed);
    let known = |task: &str, line: &str| {
        let (question, answer) = line.split_once(" -> ").unwrap();
        let items = tasks.items(task, Split::Train).unwrap();
        items
            .iter()
            .any(|item| item.question == question && item.answer == answer)
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for step in 0..8 {
        let zero = world.zero_shot(step).unwrap();
        for text in texts(&zero) {
            let line = text.strip_prefix('\0').unwrap().strip_suffix('\n').unwrap();
            assert!(known("upper", line), "{text:?}");
            *seen.entry(line.to_owned()).or_default() += 1;
        }
        // A letter and the line's end behind a blank: three tokens of each prompt.
        assert_eq!(zero.reads.len(), 3 * 3);
        let sum: f64 = zero.reads.iter().map(|read| read.weight).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        let last = zero.reads.last().unwrap();
        assert!(
            matches!(last.target, Target::Class { class: 10, .. }),
            "the line's end: {last:?}"
        );
        for (batch, task) in [
            (world.few_shot(step).unwrap(), "upper"),
            (world.replay(step, Replayed::Random).unwrap(), "double"),
        ] {
            for text in texts(&batch) {
                let lines: Vec<&str> = text.strip_prefix('\0').unwrap().lines().collect();
                assert_eq!(lines.len(), 3);
                assert!(lines.iter().all(|line| known(task, line)), "{text:?}");
                let mut different = lines.clone();
                different.sort_unstable();
                different.dedup();
                assert_eq!(different.len(), 3, "{text:?}");
            }
        }
    }
    // 24 prompts of 8 items.
    assert!(seen.values().all(|&count| count == 3), "{seen:?}");
    assert!(world.replay(0, Replayed::Unlabelled).is_err());
}

/// Decodes answers token by token and compares them, the long way round.
fn decoded(
    network: &Network,
    parameters: &[f64],
    shots: usize,
    queries: &[Item],
    seed: u64,
) -> f64 {
    let tasks = tasks();
    let mut wrong = 0;
    for item in queries {
        let mut stream = icl::math::stream::Stream::new(seed, "language shots of upper", &[0]);
        let shown = tasks
            .draw("upper", Split::Train, shots, &mut stream)
            .unwrap();
        let mut text = writer().prefix(&shown).unwrap();
        text.extend(
            Bytes
                .encode(&tuning::language::prompt::query(item))
                .unwrap(),
        );
        let mut decoder = Decoder::new(network, parameters).unwrap();
        let mut cache = decoder.start();
        let mut logits = decoder.read(&mut cache, &text).unwrap();
        let mut said = Vec::new();
        while said.last() != Some(&10) && said.len() < 12 {
            let best = (0..logits.len()).fold(0, |a, b| if logits[b] > logits[a] { b } else { a });
            said.push(best as u32);
            logits = decoder.read(&mut cache, &said[said.len() - 1..]).unwrap();
        }
        wrong +=
            usize::from(Bytes.decode(&said).unwrap() != tuning::language::prompt::answer(item));
    }
    wrong as f64 / queries.len() as f64
}

#[test]
fn one_pass_tells_what_greedy_decoding_says() {
    let (network, tasks) = (network(), tasks());
    let mut parameters: Vec<f64> = initial(network.layout(), Init::FanIn, 1);
    let size = Size {
        queries: 8,
        groups: 1,
    };
    let question = Question::Task {
        name: "upper".into(),
        split: Split::Train,
    };
    let evaluations: Vec<Evaluation> = [0, 2]
        .map(|shots| Evaluation::new(&question, shots, size, &tasks, writer(), 5).unwrap())
        .to_vec();
    // Trained until it knows some answers and not others.
    let replayed = ["double".to_owned()];
    let world = world(&tasks, &replayed);
    let mut half = Vec::new();
    let training = Training {
        steps: 200,
        ..training(None, 0.01)
    };
    let batch = |step| {
        let mut batch = world.zero_shot(step)?;
        batch.append(&world.few_shot(step)?, 1.0);
        Ok(batch)
    };
    tuning::transformer::train::train(&network, &mut parameters, &training, batch, |_, _, now| {
        half = now.to_vec();
        ControlFlow::Continue(())
    })
    .unwrap();
    let mut errors = Vec::new();
    for (evaluation, shots) in evaluations.iter().zip([0, 2]) {
        let mut decoder = Decoder::new(&network, &half).unwrap();
        let scored = score(std::slice::from_ref(evaluation), &mut decoder).unwrap()[0];
        let asked = tasks.items("upper", Split::Train).unwrap();
        assert_eq!(scored.queries, asked.len());
        assert_eq!(
            scored.error,
            decoded(&network, &half, shots, asked, 5),
            "{shots} shots"
        );
        assert!(scored.log_probability < 0.0);
        errors.push(scored.error);
    }
    assert!(
        errors.iter().any(|&error| error < 1.0),
        "it knows no answer: {errors:?}"
    );
}

#[test]
fn groups_share_examples_and_more_shots_continue_fewer() {
    let tasks = tasks();
    let letters = Question::Letters {
        classes_of: "class".into(),
        classes: 2,
    };
    let upper = Question::Task {
        name: "upper".into(),
        split: Split::Test,
    };
    for question in [letters, upper] {
        let make = |shots| {
            let size = Size {
                queries: 6,
                groups: 2,
            };
            Evaluation::new(&question, shots, size, &tasks, writer(), 3).unwrap()
        };
        let text = |evaluation: &Evaluation| -> Vec<(String, Vec<String>)> {
            let groups = evaluation.prompts().map(|(prefix, lines)| {
                let lines = lines.map(|line| Bytes.decode(line).unwrap()).collect();
                (Bytes.decode(prefix).unwrap(), lines)
            });
            groups.collect()
        };
        let (two, four) = (text(&make(2)), text(&make(4)));
        assert_eq!(two.len(), 2);
        for ((short, asked), (long, again)) in two.iter().zip(&four) {
            assert_eq!(asked, again, "the same queries");
            assert!(long.starts_with(short.as_str()), "{long:?} {short:?}");
            assert_eq!(long.lines().count(), 4);
            for line in asked {
                let question = line.split(" ->").next().unwrap();
                assert!(
                    !long.contains(&format!("{question} ->")),
                    "asked and shown: {line}"
                );
            }
        }
    }
}

#[test]
fn letters_are_told_by_examples_alone() {
    let tasks = tasks();
    let letters = Question::Letters {
        classes_of: "class".into(),
        classes: 2,
    };
    let size = Size {
        queries: 200,
        groups: 40,
    };
    let evaluation = Evaluation::new(&letters, 2, size, &tasks, writer(), 3).unwrap();
    let mut first: BTreeMap<bool, usize> = BTreeMap::new();
    for (prefix, lines) in evaluation.prompts() {
        let prefix = Bytes.decode(prefix).unwrap();
        // Which class has which letter, by the examples.
        let mut letter_of: BTreeMap<bool, char> = BTreeMap::new();
        let is_even = |line: &str| (line.as_bytes()[0] - b'a').is_multiple_of(2);
        for line in prefix.strip_prefix('\0').unwrap().lines() {
            letter_of.insert(is_even(line), line.chars().last().unwrap());
        }
        assert_eq!(letter_of.len(), 2, "both classes are shown: {prefix:?}");
        for line in lines {
            let line = Bytes.decode(line).unwrap();
            let line = line.trim_end();
            assert_eq!(
                line.chars().last(),
                letter_of.get(&is_even(line)).copied(),
                "{line}"
            );
        }
        *first.entry(letter_of[&true] == 'A').or_default() += 1;
    }
    assert!(
        first.values().all(|&count| count > 8),
        "dealt anew in each group: {first:?}"
    );
}

#[test]
fn a_variant_learns_and_leaves_the_model_as_it_was() {
    let (network, tasks) = (network(), tasks());
    let start: Vec<f64> = initial(network.layout(), Init::FanIn, 1);
    let replayed = ["double".to_owned()];
    let world = world(&tasks, &replayed);
    let size = Size {
        queries: 8,
        groups: 2,
    };
    let question = Question::Task {
        name: "upper".into(),
        split: Split::Train,
    };
    let evaluations = [Evaluation::new(&question, 0, size, &tasks, writer(), 5).unwrap()];
    let pretrained = measure(&network, &start, &evaluations).unwrap();
    let replay = Objective::Replay {
        weight: 1.0,
        every: 1,
        of: Replayed::Random,
    };
    let run = |variant: &Variant, rate: f64| {
        let mut parameters = start.clone();
        let path = finetune(
            &network,
            &mut parameters,
            &world,
            &evaluations,
            &pretrained,
            variant,
            &training(None, rate),
            &[0, 10, 30],
            &mut |_, _| ControlFlow::Continue(()),
        );
        assert_eq!(parameters, start);
        path
    };
    for objective in [Objective::ZeroShot, Objective::ZeroAndFewShot, replay] {
        let path = run(&variant(objective, Subset::Attention), 0.02).unwrap();
        assert_eq!(path.ending, Ending::Completed);
        let scores: Vec<Scored> = path.checkpoints.iter().map(|one| one.scores[0]).collect();
        assert_eq!(scores[0], pretrained[0]);
        assert!(
            scores[2].log_probability > scores[0].log_probability + 1.0,
            "{objective:?}: {scores:?}"
        );
    }
    let diverged = run(&variant(Objective::ZeroShot, Subset::Attention), 1e200).unwrap();
    assert!(
        matches!(diverged.ending, Ending::Diverged { .. }),
        "{:?}",
        diverged.ending
    );
    assert_eq!(
        diverged.checkpoints.len(),
        1,
        "what came after is not there"
    );
    let unlabelled = Objective::Replay {
        weight: 1.0,
        every: 1,
        of: Replayed::Unlabelled,
    };
    assert!(run(&variant(unlabelled, Subset::Attention), 0.01).is_err());
    let between = Variant {
        between: Some(3),
        ..variant(Objective::ZeroShot, Subset::Value)
    };
    let told = run(&between, 0.01).unwrap_err();
    assert_eq!(
        told,
        "a language model is measured along training, not between weights"
    );
}

#[test]
fn what_cannot_be_asked_is_told() {
    let tasks = tasks();
    let ask = |question: &Question, shots, queries| {
        let size = Size { queries, groups: 2 };
        Evaluation::new(question, shots, size, &tasks, writer(), 3).unwrap_err()
    };
    let task = |name: &str| Question::Task {
        name: name.into(),
        split: Split::Test,
    };
    assert_eq!(
        ask(&task("uper"), 0, 4),
        "there is no item of task `uper` for test; the tasks: class, double, upper"
    );
    assert_eq!(
        ask(&task("upper"), 9, 4),
        "task `upper` has 8 items for train, 9 are asked for"
    );
    assert_eq!(
        ask(&task("upper"), 0, 0),
        "an evaluation has at least one query and one group"
    );
    let letters = |classes| Question::Letters {
        classes_of: "class".into(),
        classes,
    };
    assert_eq!(
        ask(&letters(3), 2, 4),
        "2 classes of `class` have 1 words for examples and one to ask, 3 are asked for"
    );
    assert_eq!(ask(&letters(1), 0, 4), "a prompt has 2 to 4 classes, not 1");
}
