//! Sentences of checks: how they are read, what they leave unsaid, and what is wrong with them.

use findings::claims::check::Check;
use findings::claims::query::inherit::spelled_out;
use icl_repro::kinds::claims::forms;

#[test]
fn a_sentence_is_written_in_one_way() {
    for (written, canonical) in [
        (
            "min( errors.error{model=zs,task=theta0|-theta0,n_shots=1..40}-errors.error{model=a} )  above 0",
            "min(errors.error{model=zs, task=theta0|-theta0, n_shots=1..40} - errors.error{model=a}) above 0",
        ),
        (
            "(a.b+(a.c))*2 within noise-floor ± 1e-3 log",
            "(a.b + a.c) * 2 within noise-floor ± 0.001 log",
        ),
        (
            "a.b - (a.c - a.d) below -1.5",
            "a.b - (a.c - a.d) below -1.5",
        ),
        (
            "a.b/(a.c*a.d) between 0.5 and noise-floor + 1",
            "a.b / (a.c * a.d) between 0.5 and noise-floor + 1",
        ),
        (
            "-(a.b - 1) above 0 as median over split,seed",
            "-(a.b - 1) above 0 as median over split, seed",
        ),
        (
            "share( a.b{x=1}>0.1 ) below 0.05",
            "share(a.b{x=1} > 0.1) below 0.05",
        ),
        (
            "count(a.b != a.c) within 0 ± 0",
            "count(a.b != a.c) within 0 ± 0",
        ),
        (
            "slope(log(a.b) by log(n)) below 0",
            "slope(log(a.b) by log(n)) below 0",
        ),
        (
            "rank(a.b of model=\"x y\") below 1.5",
            "rank(a.b of model=\"x y\") below 1.5",
        ),
        (
            "max(mean(a.b{m!=x|y, f=*} over n), a.c) above 0",
            "max(mean(a.b{m!=x|y, f=*} over n), a.c) above 0",
        ),
        (
            "min(steps(a.b by n)) above 0",
            "min(steps(a.b by n)) above 0",
        ),
    ] {
        let check = Check::read(written).unwrap_or_else(|e| panic!("{written}: {e}"));
        assert_eq!(check.to_string(), canonical);
        assert_eq!(Check::read(canonical).expect(canonical), check);
        let json = serde_json::to_string(&check).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Check>(&json).expect("the same"),
            check
        );
    }
}

#[test]
fn the_right_side_takes_over_what_it_leaves_unsaid() {
    for (written, filled) in [
        (
            "e.x{m=a, t=s} - e.x{m=b} above 0",
            "e.x{m=a, t=s} - e.x{m=b, t=s}",
        ),
        // From the left of its own operator before that of an outer one.
        (
            "e.x{m=a, t=s} / e.x{m=b} - e.x{m=c, t=u} / e.x{m=d} above 0",
            "e.x{m=a, t=s} / e.x{m=b, t=s} - e.x{m=c, t=u} / e.x{m=d, t=u}",
        ),
        (
            "abs(e.x{m=a} - e.y) / e.z above 0",
            "abs(e.x{m=a} - e.y{m=a}) / e.z{m=a}",
        ),
        (
            "e.x{m=a, t=s} - e.x{t=*} above 0",
            "e.x{m=a, t=s} - e.x{m=a}",
        ),
        ("e.x{m=a} - f.x above 0", "e.x{m=a} - f.x"),
        ("max(e.x{m=a}, e.y) above 0", "max(e.x{m=a}, e.y{m=a})"),
    ] {
        let check = Check::read(written).unwrap_or_else(|e| panic!("{written}: {e}"));
        assert_eq!(spelled_out(&check.quantity).to_string(), filled);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_column_and_the_nearest_name() {
    for (sentence, told) in [
        (
            "",
            "column 1 of ``: a column, a number or a function is missing before the end",
        ),
        (
            "errors.error",
            "what is expected is missing: within, above, below, between",
        ),
        (
            "errors.error abve 1",
            "column 14 of `errors.error abve 1`: there is no relation `abve`: did you mean `above`?",
        ),
        (
            "mim(errors.error) above 0",
            "column 1 of `mim(errors.error) above 0`: there is no function `mim`: did you mean `min`?",
        ),
        (
            "errors.error - noise-flor above 0",
            "column 16 of `errors.error - noise-flor above 0`: there is no closed form `noise-flor`: did you mean `noise-floor`?",
        ),
        (
            "errors above 0",
            "`errors` is neither TABLE.COLUMN, nor a function",
        ),
        (
            "errors.error{model zs} above 0",
            "`=` is missing before `zs`",
        ),
        (
            "errors.error{model=zs above 0",
            "`}` is missing before `above`",
        ),
        (
            "errors.error{n=40..1} above 0",
            "`40..1` is no range: write 1..40",
        ),
        ("errors.error{m=a, m=b} above 0", "`m` is filtered twice"),
        ("min(errors.error above 0", "`)` is missing before `above`"),
        ("share(errors.error) above 0", "`share` needs a comparison"),
        ("a.b within 1", "`±` is missing before the end"),
        (
            "a.b within 1 ± -2",
            "a number from 0 up is missing before `-`",
        ),
        ("a.b between 1 or 2", "`and` is missing before `or`"),
        ("a.b above a.c", "bring `a.c` to the left side"),
        (
            "a.b above 0 lgo",
            "there is no option `lgo`: did you mean `log`?",
        ),
        ("a.b above 0 log log", "`log` stands twice"),
        ("a.b above 0 as mean", "`median` is missing before `mean`"),
        ("slope(a.b) above 0", "`by` is missing before `)`"),
        ("a.b above 1e999", "`1e999` is no number"),
        ("a.b above 1 }", "`}` says nothing here"),
        ("a.b{x=\"y} above 1", "the quotes are not closed"),
    ] {
        let found = Check::read_among(sentence, Some(&forms::NAMES)).expect_err(sentence);
        assert!(found.contains(told), "{sentence}: {found}");
    }
    // A program without closed forms says nothing of them.
    let found = Check::read_among("a.b within chance ± 1", Some(&[])).expect_err("no such number");
    assert!(
        found.contains("nor a number") && !found.contains("closed"),
        "{found}"
    );
    let nested = format!("{}a.b{} above 0", "(".repeat(60), ")".repeat(60));
    assert!(
        Check::read(&nested)
            .expect_err("deep")
            .contains("more than 32 parts")
    );
}
