//! Tables of a person's own: every type that fits is read, text stays text, and what is wrong is said.

use findings::contents::foreign;
use icl_repro::kinds::data::tabular::Tabular;
use icl_repro::registry;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use retrace::yaml::node::Node;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use tables::table_diff;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Made by pyarrow, pandas and polars: `types` has a column of every type that Parquet knows, named after
/// it; `types-plain` the same without Arrow's schema, in pages of version 2 and groups of three rows; the
/// others are docs/own-data's table with other types, and columns beside it that nobody can use.
pub fn corpus(name: &str) -> PathBuf {
    root().join("fuzz/corpus/tabular-parquet").join(name)
}

fn open(name: &str) -> Tabular {
    Tabular::read(&corpus(name)).expect("a table")
}

/// A CSV file of these bytes, opened; it is deleted again.
fn csv(bytes: impl AsRef<[u8]>) -> Result<Tabular> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.csv");
    std::fs::write(&path, bytes).expect("a file");
    Tabular::read(&path)
}

fn refused<T>(result: Result<T>, words: &[&str]) {
    let error = result.err().expect("it is refused");
    let said = format!("{error} {}", error.hint.as_deref().unwrap_or_default());
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

#[test]
fn whole_numbers_and_floats_of_every_width_are_features() {
    let all: [(&str, [f64; 4]); 9] = [
        ("int8", [-128.0, 127.0, 7.0, 1.0]),
        ("int16", [-32768.0, 32767.0, 7.0, 1.0]),
        ("int32", [-2147483648.0, 2147483647.0, 7.0, 1.0]),
        ("int64", [i64::MIN as f64, i64::MAX as f64, 7.0, 1.0]),
        ("uint8", [0.0, 255.0, 7.0, 1.0]),
        ("uint16", [0.0, 65535.0, 7.0, 1.0]),
        ("uint32", [0.0, 4294967295.0, 7.0, 1.0]),
        ("uint64", [0.0, u64::MAX as f64, 7.0, 1.0]),
        ("category_of_numbers", [10.0, 20.0, 30.0, 20.0]),
    ];
    for file in ["types.parquet", "types-plain.parquet"] {
        let table = open(file);
        for (column, expected) in all {
            let found = table.features(column).expect(column);
            assert_eq!(found, [expected, expected].concat(), "{file} {column}");
        }
        for (column, missing) in [
            ("int8_gaps", 2),
            ("float32", 2),
            ("float64", 3),
            ("uint64_gaps", 2),
        ] {
            let wanted = format!("row {missing}, column `{column}`: the number is missing");
            refused(table.features(column), &[file, &wanted]);
        }
    }
    let halves = open("types.parquet").features("float16").expect("float16");
    assert_eq!(halves[..4], [1.5, -2.0, 0.25, 3.0]);
}

#[test]
fn truth_narrow_numbers_and_texts_are_labels() {
    for file in ["types.parquet", "types-plain.parquet"] {
        let table = open(file);
        for (column, expected) in [
            ("bool", [1.0, -1.0, f64::NAN, 1.0]),
            ("text_of_numbers", [1.0, -1.0, f64::NAN, 1.0]),
        ] {
            let found = table.labels(column).expect(column);
            let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
            assert!(found.iter().zip(&expected).all(same), "{column}: {found:?}");
        }
        refused(
            table.labels("int8_gaps"),
            &["row 4, column `int8_gaps`: 7 is no label"],
        );
    }
}

/// What other programs wrote is the same table, whatever lies beside it.
#[test]
fn what_pandas_and_polars_write_is_the_table_it_was_made_of() {
    let expected = Tabular::read(&root().join("docs/own-data/data/plants.csv")).expect("a table");
    let patterns = ["*_mm", "weight_g", "temperature_c", "humidity", "age_days"];
    let features = expected.select(&owned(&patterns)).expect("features");
    let tasks = expected.select(&owned(&["question_*"])).expect("tasks");
    for file in ["plants-pandas.parquet", "plants-polars.parquet"] {
        let table = open(file);
        assert_eq!(table.select(&owned(&patterns)).expect("features"), features);
        assert_eq!(table.select(&owned(&["question_*"])).expect("tasks"), tasks);
        for name in &features {
            let bits = |table: &Tabular| -> Vec<u64> {
                let values = table.features(name).expect(name);
                values.iter().map(|value| value.to_bits()).collect()
            };
            assert_eq!(bits(&table), bits(&expected), "{file} {name}");
        }
        for name in &tasks {
            let shown = |table: &Tabular| format!("{:?}", table.labels(name).expect(name));
            assert_eq!(shown(&table), shown(&expected), "{file} {name}");
        }
        assert_eq!(
            table.classes("site").expect("site"),
            expected.classes("site").expect("site")
        );
    }
    refused(
        open("plants-pandas.parquet").features("seen"),
        &["`seen`", "type datetime"],
    );
    refused(
        open("plants-polars.parquet").classes("pair"),
        &["`pair`", "type struct"],
    );
}

#[test]
fn a_column_that_cannot_be_used_is_named_with_its_type_when_it_is_asked_for() {
    let table = open("types.parquet");
    for (column, kind) in [
        ("date", "date"),
        ("date64", "date"),
        ("time", "time"),
        ("time32", "time"),
        ("datetime", "datetime"),
        ("datetime_ns", "datetime"),
        ("datetime_zone", "datetime"),
        ("duration", "duration"),
        ("list", "list"),
        ("fixed_list", "array"),
        ("struct", "struct"),
        ("map", "list"),
        ("null", "null"),
        ("decimal", "decimal(10, 2)"),
        ("decimal_wide", "decimal(50, 2)"),
        ("binary", "binary"),
        ("fixed_binary", "binary"),
        ("uuid", "binary"),
    ] {
        let words = [
            "types.parquet",
            &format!("column `{column}`: it is of type {kind}"),
            "floats",
        ];
        refused(table.features(column), &words);
        refused(table.labels(column), &words);
        refused(table.classes(column), &words);
    }
    // A text where a number belongs: the file says that it is text.
    refused(
        table.features("text_view"),
        &["row 1, column `text_view`: `a` is not a number", "as text"],
    );
}

/// Draws `x` against `y` of a table; what is drawn, as CSV.
fn drawn(file: &str, x: &str, y: &str) -> Result<String> {
    let params = format!(
        "{{width_pt: 200, height_pt: 150, font_pt: 8, dpi: 50, panels: [{{x: {{label: x}}, y: {{label: y}}, \
         series: [{{from: {{table: t, where: {{category: north}}, x: {x}, y: {y}}}, look: {{color: \"#222222\"}}}}]}}]}}"
    );
    let out = tempfile::tempdir().expect("a folder");
    let kinds = registry::kinds();
    let kind = kinds.iter().find(|kind| kind.name() == "figure");
    let params = Node::parse("params", &params).expect("params");
    let job = kind.expect("a kind").job(&params).expect("a job");
    let font = root().join("data/fonts/DejaVuSans.ttf");
    let inputs = BTreeMap::from([
        ("font".to_owned(), vec![(String::new(), font)]),
        ("tables".to_owned(), vec![("t".to_owned(), corpus(file))]),
    ]);
    let cancelled = AtomicBool::new(false);
    let io = Io::new(inputs, out.path().to_owned(), &cancelled, &|_| {});
    job.run(&io)?;
    Ok(std::fs::read_to_string(out.path().join("data")).expect("data"))
}

/// A figure of a table with columns that no figure can show: they do no harm unless they are named.
#[test]
fn a_figure_reads_a_foreign_table_too() {
    for file in ["types.parquet", "types-plain.parquet"] {
        let data = drawn(file, "int16", "uint8").unwrap_or_else(|e| panic!("{file}: {e}"));
        let lines = data.lines().count();
        assert!(data.contains("-32768") && lines == 5, "{data}");
    }
    for (column, kind) in [
        ("date", "date"),
        ("list", "list"),
        ("decimal", "decimal(10, 2)"),
    ] {
        let named = format!("column `{column}` of table `t` is of type {kind}");
        let words = ["floats", &named];
        refused(drawn("types.parquet", column, "uint8"), &words);
        refused(drawn("types.parquet", "int8", column), &words);
    }
    refused(
        drawn("types.parquet", "int61", "uint8"),
        &["no column `int61`", "did you mean `int64`"],
    );
}

/// Texts that are one number and two names.
const ALIKE: [(&str, &str); 12] = [
    ("007", "7"),
    ("1.0", "1"),
    ("1e3", "1000"),
    ("9007199254740993", "9007199254740992"),
    ("123456789012345678901", "123456789012345678902"),
    ("NaN", "nan"),
    ("TRUE", "true"),
    ("True", "TRUE"),
    ("+1", "1"),
    ("-0", "0"),
    ("inf", "infinity"),
    ("0.10", "0.1"),
];

#[test]
fn a_class_is_the_text_as_it_is_written() {
    for (a, b) in ALIKE {
        let table = csv(format!("x,class\n1,{a}\n2,{b}\n3,{a}\n4,\"{b}\"\n")).expect("a table");
        assert_eq!(
            table.classes("class").expect("classes"),
            [0, 1, 0, 1],
            "{a} and {b}"
        );
    }
    let table = open("types.parquet");
    assert_eq!(
        table.classes("text").expect("text"),
        [0, 1, 2, 3, 0, 1, 2, 3]
    );
    assert_eq!(
        table.classes("uint64").expect("uint64"),
        [0, 1, 2, 3, 0, 1, 2, 3]
    );
    refused(
        table.classes("uint64_gaps"),
        &["row 2, column `uint64_gaps`: the class is missing"],
    );
    // As numbers the same texts are what they say.
    let table = csv("a\n007\n1e3\n 2.50\n-0\n").expect("a table");
    assert_eq!(
        table.features("a").expect("numbers"),
        [7.0, 1000.0, 2.5, 0.0]
    );
}

#[test]
fn classes_that_nobody_can_tell_apart_are_refused() {
    for (a, b) in [("north", "north "), (" 1", "1"), ("a", "\"a\u{a0}\"")] {
        let table = csv(format!("x,class\n1,{a}\n2,{b}\n3,{a}\n4,{b}\n")).expect("a table");
        refused(
            table.classes("class"),
            &["row 2, column `class`", "of row 1 but for blanks"],
        );
    }
}

/// What `diff` says of two CSV tables: a cell that is written in another way is another cell.
#[test]
fn a_table_of_names_does_not_lose_them_on_the_way_to_a_comparison() {
    for (a, b) in [
        ("007", "7"),
        ("+1", "1"),
        ("NaN", "nan"),
        ("9007199254740993", "9007199254740992"),
    ] {
        let read = |name: &str| {
            let bytes = format!("name,value,other\n{name},1.5,\nx1,2,3\n");
            foreign::table(bytes.replace("x1", name).as_bytes(), "csv").expect("a table")
        };
        assert_ne!(
            read(a).column("name").expect("name"),
            read(b).column("name").expect("name")
        );
        let diff = table_diff::diff(&read(a), &read(b));
        assert!(
            !diff.changes.is_empty() || diff.rows_added > 0,
            "{a} and {b}"
        );
    }
}

#[test]
fn what_is_not_there_is_answered_with_what_is_meant() {
    let table = csv("length_mm,width_mm,site,1,01\n1,2,a,1,-1\n2,3,a,-1,1\n").expect("a table");
    let missing = |pattern: &str| table.select(&owned(&[pattern]));
    refused(
        missing("lenght_mm"),
        &["no column `lenght_mm`", "did you mean `length_mm`"],
    );
    refused(missing("*_cm"), &["no column `*_cm`", "length_mm"]);
    refused(missing("1.0"), &["no column `1.0`"]);
    refused(
        table.classes("stie"),
        &["no column `stie`", "did you mean `site`"],
    );
    assert_eq!(missing("01").expect("a column"), ["01"]);
    assert_eq!(table.labels("01").expect("labels"), [-1.0, 1.0]);
    let one = csv("length_mm;width_mm\n1;2\n").expect("a table");
    refused(
        one.select(&owned(&["length_mm"])),
        &["no column", "has no comma"],
    );
}

#[test]
fn blanks_around_a_name_hide_no_column() {
    for header in [
        "length_mm,width_mm ,task",
        "length_mm, width_mm,task",
        "\u{feff}length_mm\t,\"width_mm \" ,task",
    ] {
        // Behind a closing quote there is nothing but a comma.
        let header = header.replace("\" ,", "\",");
        let table = csv(format!("{header}\r\n1,2,TRUE\r\n3,4,FALSE\r\n")).expect("a table");
        let found = table.select(&owned(&["*_mm"])).expect("columns");
        assert_eq!(found, ["length_mm", "width_mm"], "{header:?}");
        assert_eq!(table.features("width_mm").expect("numbers"), [2.0, 4.0]);
    }
    refused(csv("a,a \n1,2\n"), &["two columns `a`"]);
}

#[test]
fn a_blank_line_at_the_end_is_no_row() {
    for end in ["", "\n", "\n\n", "\r\n\r\n", "\n \n\t\n"] {
        assert_eq!(
            csv(format!("a,b\n1,2\n3,4{end}")).expect("a table").rows(),
            2,
            "{end:?}"
        );
        assert_eq!(
            csv(format!("a\n1\n3{end}")).expect("a table").rows(),
            2,
            "{end:?}"
        );
    }
    refused(csv("a,b\n1,2\n\n3,4\n"), &["row 2 is a blank line"]);
}

#[test]
fn truth_is_written_in_three_ways_and_not_beside_numbers() {
    for (yes, no) in [("TRUE", "FALSE"), ("True", "False"), ("true", "false")] {
        let table = csv(format!("t,u\n{yes},1\n{no},2\n,3\n")).expect("a table");
        let labels = table.labels("t").expect("labels");
        assert!(labels[..2] == [1.0, -1.0] && labels[2].is_nan());
        let table = csv(format!("t\n{yes}\n {no}\n")).expect("a table");
        assert_eq!(table.features("t").expect("numbers"), [1.0, 0.0]);
    }
    let mixed = csv("t\n1\nTRUE\n-1\n").expect("a table");
    refused(
        mixed.labels("t"),
        &["row 1, column `t`", "row 2 has a truth value"],
    );
    refused(
        csv("t\nyes\nno\n").expect("a table").labels("t"),
        &["row 1, column `t`: `yes` is not a number"],
    );
}

#[test]
fn what_is_no_table_is_said_with_its_place() {
    let cases: [(&[u8], &[&str]); 13] = [
        (b"", &["mine.csv: it is empty"]),
        (b"\xEF\xBB\xBF\n\n", &["it is empty"]),
        (b"a,b\n", &["it has no rows"]),
        (b"a,b\r\n\r\n", &["it has no rows"]),
        (b"\na,b\n1,2\n", &["first line is blank"]),
        (
            b"a,b\n1,2\n1,2,3\n",
            &["row 2 has 3 fields, the header has 2"],
        ),
        (b"a,b\n1\n", &["row 1 has 1 fields, the header has 2"]),
        (b"a,b,a\n1,2,3\n", &["two columns `a`"]),
        (b"a,b\n\"1,2\n3,4\n", &["a `\"` is not closed"]),
        (b"a,b\n\"1\"x,2\n", &["line 2", "`x` follows"]),
        (b"a,b\n1,\xE9\n", &["line 2 of the CSV is not UTF-8"]),
        (b"\xFF\xFEa\0,\0b\0\n\0", &["UTF-16"]),
        (b"PK\x03\x04rest", &["Excel"]),
    ];
    for (bytes, words) in cases {
        refused(csv(bytes), words);
    }
    let table = csv("a,b\n\"1\",\"x, \"\"y\"\"\nz\"\n2,\n").expect("a table");
    assert_eq!(table.features("a").expect("numbers"), [1.0, 2.0]);
    refused(
        table.classes("b"),
        &["row 2, column `b`: the class is missing"],
    );
    refused(
        table.features("b"),
        &["row 1, column `b`: `x, \"y\"\nz` is not a number"],
    );
}

#[test]
fn a_damaged_table_fails_with_its_name() {
    let whole = std::fs::read(corpus("plants-pandas.parquet")).expect("a file");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.parquet");
    for cut in [5, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).expect("a file");
        refused(Tabular::read(&path), &["cut.parquet"]);
    }
    // Pages of zeros: whatever the library makes of them, it is an error of this column.
    let mut zeros = whole.clone();
    let (_, tail) = whole.split_at(whole.len() - 8);
    let footer = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
    zeros[4..whole.len() - 8 - footer as usize].fill(0);
    std::fs::write(&path, &zeros).expect("a file");
    let table = Tabular::read(&path).expect("what it says of itself is whole");
    let error: Error = table.features("length_mm").expect_err("no numbers");
    assert!(error.to_string().contains("column `length_mm`"), "{error}");
}
