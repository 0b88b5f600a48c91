//! The kinds of the trade-off, run in process: what they write, against the exact errors; and the verb `front`.

use crate::mended::sketch::{Given, refused, run};
use crate::schema::answers::held;
use icl::model::head::Head;
use icl::model::weights::LinearAttention;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::pareto::front::{Family, Tradeoff};
use icl::theory::{optima, risk};
use icl_repro::kinds::exchange::model;
use ndarray::Array2;
use std::process::Command;
use tables::table::Table;

fn table(bytes: &[u8]) -> Table {
    Table::from_parquet(bytes).expect("a table")
}

fn given(role: &str, label: &str, bytes: Vec<u8>) -> (String, String, Vec<u8>) {
    (role.to_owned(), label.to_owned(), bytes)
}

fn task(theta0: &Task) -> (String, String, Vec<u8>) {
    given(
        "task",
        "",
        serde_json::to_vec(theta0.theta()).expect("JSON"),
    )
}

fn bytes(head: &Head) -> Vec<u8> {
    model::to_bytes(&LinearAttention::from_head(head), None).expect("a file")
}

const FRONT: &str = "{d: 3, noise_var: 0.1, shots: 6, above_noise: [0.1, 0.5], seed: 0,
                      descents: [{heads: 1, starts: 12}, {heads: 2, starts: 3}], every_value: {side: 3, each: 2}}";

#[test]
fn the_front_has_every_curve_within_its_reach() {
    let made = run("pareto-front", FRONT, &Vec::new()).expect("a front");
    let table = table(&made.files["front"]);
    let curves = table.texts("curve").expect("text");
    let (bound, few) = (
        table.floats("bound").expect("floats"),
        table.floats("few_shot").expect("floats"),
    );
    let excess = table.floats("excess").expect("floats");
    let rows = |name: &str| -> Vec<(f64, f64)> {
        let rows = (0..table.rows()).filter(|row| curves[*row] == name);
        rows.map(|row| (bound[row], few[row])).collect()
    };
    let tradeoff = Tradeoff::new(3, 0.1, 6).expect("a trade-off");
    let floor = tradeoff.least_zero_shot(Family::Value);
    // The floor is among the bounds, and families that cannot keep one have no row there.
    let bounds = |name: &str| -> Vec<f64> { rows(name).iter().map(|row| row.0).collect() };
    assert_eq!(bounds("value"), [floor, 0.6]);
    assert_eq!(bounds("one_head"), [0.2, floor, 0.6]);
    for ((at, family), (_, descent)) in rows("one_head").into_iter().zip(rows("descent_1")) {
        assert!((family - descent).abs() < 1e-5, "{at}: {family} {descent}");
        assert_eq!(
            family,
            tradeoff
                .point(Family::OneHead, at)
                .expect("in reach")
                .few_shot
        );
    }
    assert_eq!(rows("every_value").len(), 2);
    assert_eq!((rows("descent_2").len(), rows("any_heads").len()), (3, 3));
    let loss = optima::pretraining_loss(&Setting::new(3, 0.1).expect("a setting"), 6);
    assert!((0..table.rows()).all(|row| (few[row] - loss - excess[row]).abs() < 1e-12));
}

#[test]
fn a_front_that_cannot_be_is_refused() {
    for (from, to, message) in [
        ("d: 3", "d: 13", "d: 13 is more than 12"),
        ("shots: 6", "shots: 0", "0 is not a whole number from 1"),
        ("0.1, 0.5", "-0.1, 0.5", "-0.1 is not a finite number"),
    ] {
        assert!(FRONT.contains(from));
        let error = refused(run("pareto-front", &FRONT.replace(from, to), &Vec::new())).0;
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn gaps_are_those_of_the_front() {
    let params = "{dimensions: [1, 4], noise_vars: [0, 0.2], shots: [3, 50]}";
    let made = run("pareto-gap", params, &Vec::new()).expect("gaps");
    let table = table(&made.files["gaps"]);
    assert_eq!(table.rows(), 8);
    let of = |name: &str| table.floats(name).expect("floats");
    for row in 0..8 {
        let tradeoff = Tradeoff::new(
            of("d")[row] as usize,
            of("noise_var")[row],
            of("n_shots")[row] as usize,
        );
        let tradeoff = tradeoff.expect("a trade-off");
        let value = tradeoff
            .point(Family::Value, of("bound")[row])
            .expect("in reach");
        assert_eq!(value.few_shot, of("value")[row]);
        let order = ["any_heads", "one_head", "value_label", "value"].map(|name| of(name)[row]);
        assert!(order.is_sorted_by(|a, b| *a <= b + 1e-9), "{order:?}");
        assert!((0.0..=1.0).contains(&of("recovered")[row]));
    }
}

/// gamma* theta0 on a learned scale: the same model at every size of v, and the minimum of the exact error along the column.
#[test]
fn the_correction_is_the_best_multiple_of_theta0() {
    let setting = Setting::new(3, 0.1).expect("a setting");
    let theta0 = Task::random_unit(3, 5);
    for size in [1.0, -0.4] {
        let plain = optima::value_only_head(&theta0, 0.8);
        let v = plain.v().iter().map(|x| x * size).collect();
        let head = Head::new(v, plain.q().mapv(|x| x / size)).expect("finite");
        let given: Given = vec![task(&theta0), given("finetuned", "", bytes(&head))];
        let made = run("label-column", "{noise_var: 0.1, shots: 9}", &given).expect("a model");
        let file = serde_json::from_slice(&made.files["model"]).expect("a model file");
        let corrected = model::from_file(&file)
            .expect("a model")
            .only_head()
            .expect("a head");
        let few = |head: &Head| risk::mean_unit_task_error(&setting, head, 9).expect("one d");
        assert!(few(&corrected) < few(&head));
        for theta in [&theta0, &theta0.negated()] {
            let zero = |head: &Head| risk::test_error(&setting, head, theta, 0).expect("one d");
            assert!((zero(&corrected) - zero(&head)).abs() < 1e-12);
        }
        for step in [1e-3, -1e-3] {
            let mut q = corrected.q().to_owned();
            (0..3).for_each(|i| q[[i + 1, 4]] += step * theta0.theta()[i]);
            let moved = Head::new(corrected.v().to_vec(), q).expect("finite");
            assert!(few(&moved) > few(&corrected));
        }
    }
    // A model that reads no labels is left as it is.
    let deaf = Head::new(vec![0.0, 0.1, 0.2, 0.3, 0.0], Array2::eye(5)).expect("finite");
    let given_deaf: Given = vec![task(&theta0), given("finetuned", "", bytes(&deaf))];
    let made = run("label-column", "{noise_var: 0.1, shots: 9}", &given_deaf).expect("a model");
    assert_eq!(made.files["model"], bytes(&deaf));
    let other = vec![
        task(&Task::random_unit(4, 0)),
        given("finetuned", "", bytes(&optima::pretrained_head(3, 1.0))),
    ];
    let error = refused(run("label-column", "{noise_var: 0.1, shots: 9}", &other)).0;
    assert!(error.contains("the model has d = 3, its task 4"), "{error}");
}

#[test]
fn paths_begin_at_the_pretrained_model_and_end_at_the_tuned_one() {
    let setting = Setting::new(3, 0.1).expect("a setting");
    let theta0 = Task::random_unit(3, 5);
    let (start, end) = (
        optima::pretrained_head(3, 0.8),
        optima::zero_shot_head(&theta0, 0.6),
    );
    let given: Given = vec![
        task(&theta0),
        given("pretrained", "", bytes(&start)),
        given("finetuned", "zs", bytes(&end)),
    ];
    let params = "{noise_var: 0.1, shots: 9, points: 4, stops: [3, 1, 3],
                   descent: {shots: 9, steps: 5, optimizer: {sgd: {learning_rate: 0.01, momentum: 0.9}}, clip_norm: 1}}";
    let made = run("tradeoff-paths", params, &given).expect("paths");
    let table = table(&made.files["paths"]);
    let (path, at) = (
        table.texts("path").expect("text"),
        table.floats("at").expect("floats"),
    );
    let both = (
        table.floats("zero_shot").expect("floats"),
        table.floats("few_shot").expect("floats"),
    );
    assert_eq!(
        path.iter().filter(|name| *name == "interpolation").count(),
        5
    );
    assert_eq!(at[5..], [0.0, 1.0, 3.0]);
    let errors = |head: &Head| {
        let zero = risk::test_error(&setting, head, &theta0, 0).expect("one d");
        (
            zero,
            risk::mean_unit_task_error(&setting, head, 9).expect("one d"),
        )
    };
    for (row, head) in [(0, &start), (4, &end), (5, &start)] {
        assert_eq!((both.0[row], both.1[row]), errors(head), "{row}");
    }
    assert!(both.0[6] < both.0[5] && both.0[7] < both.0[6]);
    let error = refused(run(
        "tradeoff-paths",
        &params.replace("[3, 1, 3]", "[6]"),
        &given,
    ))
    .0;
    assert!(
        error.contains("stops.0: descent ends after 5 steps"),
        "{error}"
    );
}

fn front(args: &str) -> (Option<i32>, String, String) {
    let program = Command::new(env!("CARGO_BIN_EXE_icl-repro"));
    let mut program = program;
    let out = program
        .arg("front")
        .args(args.split(' '))
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn the_verb_prints_points_and_refuses_what_cannot_be() {
    let (code, out, err) = front("--zero-shot 0.45,0.3 --json");
    assert_eq!(code, Some(0), "{err}");
    let answer = held("front", &out);
    let rows = answer["points"].as_array().expect("an array");
    let few = |curve: &str, bound: f64| {
        let row = rows
            .iter()
            .find(|row| row["curve"] == curve && row["bound"] == bound);
        row.map(|row| row["few_shot"].as_f64().expect("a number"))
    };
    assert!((few("value", 0.45).expect("in reach") - 0.3538).abs() < 5.1e-5);
    assert!((few("one_head", 0.3).expect("in reach") - 0.3575).abs() < 5.1e-5);
    assert_eq!(few("value", 0.3), None);
    let (code, out, _) =
        front("--zero-shot 0.5 --d 2 --shots 4 --noise-var 0.2 --descend 1,2 --starts 3");
    assert_eq!((code, out.lines().count()), (Some(0), 7), "{out}");
    for (args, option, message) in [
        (
            "--zero-shot 0.05",
            "--zero-shot",
            "no predictor is below the label noise, sigma2 = 0.1",
        ),
        (
            "--zero-shot 0.5 --shots 0",
            "--shots",
            "n must be at least 1",
        ),
        ("--zero-shot 0.5 --d 0", "--d", "at least 1"),
        (
            "--zero-shot 0.5 --noise-var -1",
            "--noise-var",
            "-1 is not a finite number",
        ),
        ("--zero-shot 0.5 --d 40 --descend 1", "--d", "at most 12"),
        ("--zero-shot 0.5 --descend 0", "--descend", "at least 1"),
    ] {
        let (code, out, err) = front(args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args}");
        assert!(
            err.contains(option) && err.contains(message),
            "{args}: {err}"
        );
    }
}

/// Two ledgers on the same claims, and one on others.
#[test]
fn verdicts_stand_side_by_side() {
    let claim = |id: &str, verdict: &str| {
        serde_json::json!({"id": id, "statement": "", "expected": "1", "measured": 0.5, "std_error": null,
            "verdict": verdict, "recorded": "holds", "refuted_by": "", "checks": [], "shows": [], "correction": null})
    };
    let ledger = |label: &str, claims: &[serde_json::Value]| {
        given("claims", label, serde_json::to_vec(claims).expect("JSON"))
    };
    let first = ledger("a", &[claim("x", "holds"), claim("y", "fails")]);
    let second = ledger(
        "b",
        &[claim("x", "undecided"), claim("y", "holds-with-correction")],
    );
    let params = "{names: {a: committed, b: other seeds}}";
    let made = run("verdict-table", params, &vec![first.clone(), second]).expect("a table");
    assert_eq!(
        made.text("md"),
        "| claim | committed | other seeds |\n| --- | --- | --- |\n| `x` | holds | undecided |\n\
         | `y` | fails | holds with a correction |\n"
    );
    assert_eq!(table(&made.files["parquet"]).rows(), 4);
    let other = ledger("b", &[claim("x", "holds"), claim("z", "holds")]);
    let error = refused(run("verdict-table", params, &vec![first.clone(), other])).0;
    assert!(error.contains("`a` and `b` decide other claims"), "{error}");
    let unnamed = refused(run("verdict-table", "{names: {b: x}}", &vec![first])).0;
    assert!(unnamed.contains("names: `a` has none"), "{unnamed}");
}
