//! Attacks on pipeline.yaml, and seeds and tokens for mutants of it.

use crate::figure_attacks as figures;
use crate::hostile::Told;
use retrace::base::error::ErrorKind;
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use retrace::stage::kind::Kind;
use std::fmt::Write as _;
use std::path::Path;

/// Longer messages flood a terminal.
const MAX_MESSAGE: usize = 4096;

/// What the program does with the bytes of pipeline.yaml before anything runs.
pub fn open(bytes: &[u8], sets: &[String], kinds: &[Box<dyn Kind>]) -> Told {
    let told = |error: retrace::base::error::Error| {
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(
            !error.message.trim().is_empty(),
            "an error without a message: {error:?}"
        );
        let hint = error.hint.as_ref().map_or(0, String::len);
        assert!(
            error.message.len() + hint < MAX_MESSAGE,
            "a flood: {:.200}",
            error.message
        );
        error.to_string()
    };
    let settings = Settings {
        profile: None,
        sets: sets.to_vec(),
    };
    // The caller refuses what is not UTF-8; the parser gets to see what is left of it here.
    let text = String::from_utf8_lossy(bytes);
    let spec = Spec::parse("pipeline.yaml", &text).map_err(told)?;
    let pipeline = Pipeline::resolve(spec, kinds, &settings).map_err(told)?;
    pipeline.check_groups().map_err(told)?;
    let everything = pipeline.select(&[], &[]).map_err(told)?;
    let left_out = pipeline
        .stages
        .iter()
        .filter(|stage| !stage.opt_in.is_empty());
    assert!(everything.closure.len() + left_out.count() >= pipeline.stages.len());
    Ok(pipeline.stages.len())
}

/// `tasks` is the real kind that needs no input.
pub fn stage(name: &str, more: &str) -> String {
    format!(
        "  {name}: {{kind: tasks, params: {{d: 5, noise_var: 0.1, pairs: 10, seed: 0}}, \
         outputs: {{task: artifacts/{name}/t, data_set: artifacts/{name}/d}}{more}}}\n"
    )
}

pub fn pipeline(vars: &str, stages: &str) -> String {
    format!("version: 2\nvars: {vars}\nstages:\n{stages}")
}

/// Names with what each tries.
pub fn attacks() -> Vec<(String, Vec<u8>)> {
    let mut attacks: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, text: String| attacks.push((name.to_owned(), text.into_bytes()));
    let ok = stage("s", "");
    add("empty", String::new());
    add("only a comment", "# nothing\n".into());
    add("a small pipeline", pipeline("{}", &ok));

    // Depth, in every bracket there is.
    for (name, open) in [
        ("lists", "["),
        ("mappings", "{a: "),
        ("block lists", "- "),
        ("keys", "? "),
        ("tags", "!t "),
    ] {
        add(&format!("deep {name}"), open.repeat(1_000_000));
        add(
            &format!("deep {name} in vars"),
            pipeline(&open.repeat(1000), &ok),
        );
    }
    let mut steps = String::from("version: 2\nvars:\n");
    (1..2000).for_each(|depth| writeln!(steps, "{:depth$}a:", "").expect("memory"));
    add("deep block mappings", steps);
    add(
        "deep just below the limit",
        pipeline(
            &format!("{{a: {}1{}}}", "[".repeat(30), "]".repeat(30)),
            &ok,
        ),
    );

    // Numbers.
    for number in [
        "99999999999999999999999999999999999999999999",
        "-1e400",
        "1e999999999",
        ".nan",
        "-.inf",
        "0x1",
        "0b1",
        "-0",
        "-0.0",
        "1_000",
        "340282366920938463463374607431768211456",
    ] {
        add(
            &format!("version {number}"),
            format!("version: {number}\nstages: {{}}\n"),
        );
        for param in ["d: 5", "noise_var: 0.1", "pairs: 10", "seed: 0"] {
            let key = param.split(':').next().expect("a key");
            add(
                &format!("{key} is {number}"),
                pipeline("{}", &ok.replace(param, &format!("{key}: {number}"))),
            );
        }
    }
    add(
        "a number of 4 million digits",
        pipeline(&format!("{{a: {}}}", "9".repeat(4_000_000)), &ok),
    );

    // Aliases.
    let mut laughs = String::from("version: 2\nvars:\n  a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h", "i"]
        .iter()
        .zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        writeln!(
            laughs,
            "  {name}: &{name} [{}]",
            vec![format!("*{of}"); 9].join(", ")
        )
        .expect("memory");
    }
    add("a billion laughs", laughs + "stages: {}\n");
    add(
        "an alias of itself",
        "version: 2\nvars: &a {b: *a}\nstages: {}\n".into(),
    );
    add("an alias of nothing", "version: *x\nstages: {}\n".into());
    add(
        "a long text many times",
        pipeline(
            &format!(
                "{{a: &a {}, b: [{}]}}",
                "x".repeat(100_000),
                vec!["*a"; 30_000].join(", ")
            ),
            &ok,
        ),
    );
    add(
        "merge keys",
        pipeline("{a: &a {x: 1}, b: {<<: *a, <<: [*a, *a]}}", &ok),
    );
    add(
        "an anchor as a key",
        "&a version: 2\n*a : 2\nstages: {}\n".into(),
    );
    add(
        "aliased stages",
        format!("version: 2\nstages:\n  a: &s\n    kind: tasks\n  b: *s\n  <<: *s\n{ok}"),
    );

    // References among variables.
    add(
        "a variable of itself",
        pipeline("{a: \"${a}\"}", &ok.replace("d: 5", "d: \"${a}\"")),
    );
    add(
        "variables in a ring",
        pipeline(
            "{a: \"${b}\", b: \"${c}\", c: \"x${a}\"}",
            &ok.replace("d: 5", "d: \"${a}\""),
        ),
    );
    for (name, item) in [
        ("lists", "[\"${@}\", \"${@}\", \"${@}\", \"${@}\"]"),
        ("texts", "\"${@}${@}${@}${@}\""),
        (
            "mappings",
            "{a: \"${@}\", b: \"${@}\", c: \"${@}\", d: \"${@}\"}",
        ),
    ] {
        // 4^15 values from 16 lines, without an alias.
        let links: Vec<String> = (0..15)
            .map(|i| format!("v{i}: {}", item.replace('@', &format!("v{}", i + 1))))
            .collect();
        add(
            &format!("variables that blow up as {name}"),
            pipeline(
                &format!("{{{}, v15: x}}", links.join(", ")),
                &ok.replace("d: 5", "d: \"${v0}\""),
            ),
        );
    }
    let wide = vec!["\"${w}\""; 20_000].join(", ");
    add(
        "variables that square",
        pipeline(
            &format!("{{v: [{wide}], w: [{}]}}", vec!["1"; 20_000].join(", ")),
            &ok.replace("d: 5", "d: \"${v}\""),
        ),
    );
    for text in [
        "${",
        "${}",
        "${.}",
        "${..a}",
        "${a.b.c.d}",
        "${${a}}",
        "${a",
        "$${a}",
        "}${",
        "${\u{0}}",
        "${é}",
        "${a.99999999999999999999}",
        "${a.-1}",
    ] {
        add(
            &format!("the reference {text}"),
            pipeline("{a: [1]}", &ok.replace("d: 5", &format!("d: \"{text}\""))),
        );
        add(
            &format!("the reference {text} in a path"),
            pipeline(
                "{a: [1]}",
                &ok.replace("artifacts/s/t", &format!("\"artifacts/{text}\"")),
            ),
        );
    }
    add(
        "a reference for each of many",
        pipeline(
            "{a: 1}",
            &ok.replace("d: 5", &format!("d: \"{}\"", "${a}".repeat(300_000))),
        ),
    );
    add(
        "unclosed references",
        pipeline(
            "{a: 1}",
            &ok.replace("d: 5", &format!("d: \"{}\"", "${".repeat(900_000))),
        ),
    );

    // Matrices.
    let numbers = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
    let cell = |axes: usize| {
        (0..axes)
            .map(|a| format!("${{a{a}}}"))
            .collect::<Vec<_>>()
            .join("-")
    };
    for (axes, items) in [
        (20, 10),
        (60, 2),
        (8, 1000),
        (2, 100),
        (3, 46),
        (1, 9_999),
        (1, 150_000),
    ] {
        let matrix: Vec<String> = (0..axes)
            .map(|a| format!("a{a}: [{}]", numbers(items)))
            .collect();
        let text = stage("s", &format!(", matrix: {{{}}}", matrix.join(", ")));
        let text = text
            .replace("artifacts/s", &format!("\"artifacts/{}", cell(axes)))
            .replace("/t,", "/t\",")
            .replace("/d}", "/d\"}");
        add(
            &format!("a matrix of {axes} axes with {items} items"),
            pipeline("{}", &text),
        );
    }
    let fan = |items: usize, glob: &str| {
        let all = numbers(items);
        let made = stage("m", &format!(", matrix: {{i: [{all}]}}"))
            .replace("artifacts/m/t", "\"artifacts/m/${i}/t\"")
            .replace("artifacts/m/d", "\"artifacts/m/${i}/d\"");
        let outputs = ["csv", "parquet", "tex"].map(|o| format!("{o}: \"artifacts/t/${{j}}/{o}\""));
        let read = format!(
            "  t: {{kind: loss-table, matrix: {{j: [{all}]}}, inputs: {{losses: \"{glob}\"}}, \
             params: {{names: {{}}, models: [], last: 1}}, outputs: {{{}}}}}\n",
            outputs.join(", ")
        );
        pipeline("{}", &(made + &read))
    };
    add("a small fan", fan(3, "m@*.task"));
    add("a fan from many to many", fan(3000, "m@*.task"));
    add("a fan of other patterns", fan(4500, "m@*1*${j}.task"));
    add(
        "a fan of patterns of any stage",
        fan(20_000, "tasks:*@${j}.task"),
    );
    add("a fan of as many names", fan(20_000, "m@${j}*.task"));
    add("a matrix with much in each item", {
        let params = vec!["[1, 2, 3, 4, 5, 6, 7, 8, 9]"; 9000].join(", ");
        pipeline(
            "{}",
            &stage("s", &format!(", matrix: {{i: [{}]}}", numbers(9000)))
                .replace("d: 5", &format!("d: [{params}]")),
        )
    });
    add("many excludes", {
        let excludes: Vec<String> = (0..40_000).map(|i| format!("{{i: x{i}}}")).collect();
        pipeline(
            "{}",
            &stage(
                "s",
                &format!(
                    ", matrix: {{i: [{}]}}, exclude: [{}]",
                    numbers(9000),
                    excludes.join(", ")
                ),
            ),
        )
    });
    add("many that are kept", {
        let only: Vec<String> = (0..40_000).map(|i| format!("{{i: {i}}}")).collect();
        let keys = format!(
            ", matrix: {{i: [{}]}}, only: [{}]",
            numbers(9000),
            only.join(", ")
        );
        pipeline("{}", &stage("s", &keys))
    });
    add("a variable of a stage that names itself", {
        let own = ", vars: {a: \"${b}\", b: \"${a}\"}, override: {c: \"${c}${c}\"}";
        pipeline(
            "{c: \"${c}\"}",
            &stage("s", own).replace("d: 5", "d: \"${a}${c}\""),
        )
    });
    add("a variable of each stage that blows up", {
        let own = ", override: {x: \"${y}${y}${y}${y}${y}${y}${y}${y}${y}\"}";
        let long = "z".repeat(100_000);
        let stages: String = (0..500)
            .map(|i| stage(&format!("s{i}"), own).replace("d: 5", "d: \"${x}\""))
            .collect();
        pipeline(&format!("{{x: 1, y: {long}}}"), &stages)
    });
    add("defaults of a kind that blow up", {
        let stages: String = (0..900)
            .map(|i| format!("  s{i}: {{kind: tasks}}\n"))
            .collect();
        let long = vec!["x"; 50_000].join(", ");
        let head = format!("{{a: [{long}]}}\nkinds: {{tasks: {{params: {{d: \"${{a}}\"}}}}}}");
        pipeline(&head, &stages)
    });
    add("defaults of every shape", {
        let kinds = "{tasks: {params: {d: 5, noise_var: 0.1, pairs: 10, seed: 0}, \
                     inputs: null, outputs: {task: \"artifacts/${id}/t\"}}}";
        let stages = "  s: {kind: tasks, matrix: {i: [1, 2.5, -x]}}\n  t: {kind: tasks, params: {d: null}}\n";
        pipeline(&format!("{{}}\nkinds: {kinds}"), stages)
    });
    add("an id that is a long path", {
        let item = "i".repeat(90);
        let axes: Vec<String> = (0..30).map(|a| format!("a{a}: [{item}]")).collect();
        let keys = format!("matrix: {{{}}}", axes.join(", "));
        let params = "params: {d: 5, noise_var: 0.1, pairs: 10, seed: 0}";
        pipeline("{}", &format!("  s: {{kind: tasks, {keys}, {params}}}\n"))
    });
    add("an input of many wildcards", {
        let glob = "*a".repeat(40);
        let item = "a".repeat(90);
        let read = "kind: evaluate, params: {}, inputs: {task: GLOB}"
            .replace("GLOB", &format!("\"tasks:{glob}b.task\""));
        pipeline(
            "{}",
            &(stage("s", &format!(", matrix: {{i: [{item}]}}")) + &format!("  e: {{{read}}}\n")),
        )
    });
    add("every stage reads every stage of a kind", {
        let all = ", inputs: {x: [\"tasks:*.task\", \"tasks:*.task\"]}";
        let stages: String = (0..2000).map(|i| stage(&format!("s{i}"), all)).collect();
        pipeline("{}", &stages)
    });
    add("many globs in groups", {
        let text = stage("s", &format!(", matrix: {{i: [{}]}}", numbers(9000)));
        let text = text.replace("artifacts/s/t", "\"artifacts/${i}/t\"");
        let text = text.replace("artifacts/s/d", "\"artifacts/${i}/d\"");
        let targets = vec!["'*@*1'"; 90_000].join(", ");
        format!("{}groups: {{g: [{targets}]}}\n", pipeline("{}", &text))
    });
    add(
        "an axis that stands twice",
        pipeline("{}", &stage("s", ", matrix: {a: [1], a: [2]}")),
    );
    add(
        "an axis without items",
        pipeline("{}", &stage("s", ", matrix: {a: {}}")),
    );
    add(
        "an axis of mappings",
        pipeline("{}", &stage("s", ", matrix: {a: [{}, {x: 1}]}")),
    );

    // Names and paths.
    for name in [
        "",
        "..",
        ".",
        "/",
        "a/b",
        "../x",
        "s b",
        "\u{0}",
        "é",
        "\u{202e}s",
        "con",
        "-",
        "--set",
        "a.b",
        "a@b",
        "*",
        "[",
        "~",
        "null",
    ] {
        let quoted = format!("{name:?}");
        add(
            &format!("a stage called {quoted}"),
            pipeline("{}", &ok.replacen("s:", &format!("{quoted}:"), 1)),
        );
        add(
            &format!("a target called {quoted}"),
            format!("{}groups: {{g: [{quoted}]}}\n", pipeline("{}", &ok)),
        );
        add(
            &format!("an item called {quoted}"),
            pipeline("{}", &stage("s", &format!(", matrix: {{a: [{quoted}]}}"))),
        );
    }
    for path in [
        "/etc/passwd",
        "../x",
        "artifacts/../../x",
        "artifacts/./x",
        "artifacts",
        "artifacts/",
        "artifacts//x",
        "figures/..",
        "~/x",
        "\\\\x\\y",
        "C:\\x",
        "artifacts/\u{0}",
        "artifacts/a\nb",
        "file:///x",
        "data/x",
        ".icl-repro/x",
        "pipeline.lock",
        "artifacts/s/t/u",
        "figures/\u{202e}gpj",
    ] {
        let quoted = format!("{path:?}")
            .replace("\\u{0}", "\\0")
            .replace("\\u{202e}", "\\u202e");
        add(
            &format!("the output {quoted}"),
            pipeline("{}", &ok.replace("artifacts/s/d", &quoted)),
        );
        let figure = format!(
            "  f: {{kind: error-table, inputs: {{errors: {quoted}}}, params: {{names: {{}}, models: [a], shots: [0]}}}}\n"
        );
        add(&format!("the input {quoted}"), pipeline("{}", &figure));
    }
    add(
        "a long path",
        pipeline(
            "{}",
            &ok.replace(
                "artifacts/s/d",
                &format!("artifacts/{}", "d/".repeat(500_000) + "x"),
            ),
        ),
    );
    for pattern in [
        "*".repeat(5000),
        "*a".repeat(400) + "b",
        "[".repeat(1000),
        "**/".repeat(1000),
        "?".repeat(100_000),
    ] {
        let text = stage(&"a".repeat(100), "");
        add(
            &format!("a target of {} characters", pattern.len()),
            format!("{}groups: {{g: [\"{pattern}\"]}}\n", pipeline("{}", &text)),
        );
        let figure = format!(
            "  f: {{kind: error-table, inputs: {{errors: \"{pattern}.task\"}}, params: {{names: {{}}, models: [a], shots: [0]}}}}\n"
        );
        add(
            &format!("an input of {} characters", pattern.len()),
            pipeline("{}", &(text.clone() + &figure)),
        );
    }

    figures::attacks(&mut add);

    // Long scalars, long lists of names, and wrong names that must be compared with them.
    let long = "x".repeat(1_900_000);
    add(
        "a long key",
        format!("version: 2\n{long}: 1\nstages: {{}}\n"),
    );
    add(
        "a long kind",
        pipeline(
            "{}",
            &ok.replace("tasks, params", &format!("{long}, params")),
        ),
    );
    add(
        "a long param",
        pipeline("{}", &ok.replace("d: 5", &format!("{long}: 5"))),
    );
    add(
        "a long value",
        pipeline("{}", &ok.replace("d: 5", &format!("d: {long}"))),
    );
    add(
        "two long names",
        pipeline(
            &format!("{{{long}: 1}}"),
            &ok.replace("d: 5", &format!("d: \"${{y{long}}}\"")),
        ),
    );
    add(
        "a long target",
        format!("{}groups: {{g: [{long}]}}\n", pipeline("{}", &ok)),
    );
    let names = (0..40_000)
        .map(|i| format!("v{i}: {i}"))
        .collect::<Vec<_>>()
        .join(", ");
    add(
        "a wrong name among many",
        pipeline(&format!("{{{names}}}"), &ok.replace("d: 5", "d: \"${w}\"")),
    );
    add(
        "many unknown params",
        pipeline("{}", &ok.replace("d: 5", &names)),
    );
    add("many lines", "\n".repeat(4_000_000));
    add("many documents", "---\n".repeat(500_000));
    add("many comments", "#\n".repeat(1_000_000));
    add(
        "a long block text",
        format!(
            "version: 2\nvars:\n  a: |\n{}stages: {{}}\n",
            "    x\n".repeat(400_000)
        ),
    );
    add("larger than allowed", " ".repeat(5 << 20));

    // Grammar.
    for text in [
        "\u{feff}version: 2\nstages: {}",
        "\t",
        "%YAML 9.9\n---\nversion: 2",
        "%TAG ! x\n---\n",
        "--- \n...\n---\n",
        "? ? ? a",
        "!!binary aGk=",
        "!!python/object:os.system x",
        "!<tag:x> {}",
        "version: !!str 2\nstages: {}",
        "{version: 2, stages: {}}",
        "[version, 1]",
        "'",
        "\"\\u12",
        "\"\\x\"",
        "|9\n",
        ">-\n",
        "&",
        "*",
        "!",
        "@",
        "`",
        "%",
        "a: b: c",
        "- - - a",
        "{[]: 1}",
        "{{}: {}}: 1",
        "~: 1\nversion: 2\nstages: {}",
        "1: 2\nversion: 2\nstages: {}",
        "version: 2\nstages: []",
        "version: 2\nstages: x",
        "version: 2\nstages: {s: []}",
        "version: 2\nstages: {s: null}",
        "version: 2\nprofiles: [1]\nstages: {}",
        "version: 2\nprofiles: {p: {vars: 1}}\nstages: {}",
        "version: 2\ngroups: {g: x}\nstages: {}",
        "version: 2\ngroups: {g: [[a]]}\nstages: {}",
        "\r\rversion: 2\r\nstages: {}\u{85}\u{2028}",
    ] {
        add(&format!("{text:?}"), text.to_owned());
    }
    attacks.push((
        "not UTF-8".into(),
        b"version: 2\nstages: {\xff\xfe: 1}\n".to_vec(),
    ));
    attacks.push(("all bytes".into(), (0..=255).collect()));
    attacks.push(("NULs".into(), vec![0; 100_000]));
    attacks
}

/// Tokens that mean something to YAML or to us.
pub const TOKENS: &[&str] = &[
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "!!str ",
    "!x ",
    "? ",
    ": ",
    "- ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "#",
    "\t",
    "\n",
    "\n  ",
    "\r",
    "\0",
    "\u{feff}",
    "\u{2028}",
    "~",
    "null",
    "true",
    "no",
    ".nan",
    "-.inf",
    "1e999",
    "-0",
    "99999999999999999999999",
    "0x7f",
    "${",
    "}",
    "${a}",
    "${d}",
    "${variant}",
    "${variant.objective}",
    "..",
    "../",
    "/",
    "/etc/passwd",
    "@",
    "@*",
    ".",
    "*",
    "version: 2\n",
    "vars:",
    "stages:",
    "profiles:",
    "groups:",
    "matrix:",
    "exclude:",
    "only:",
    "override:",
    "kinds:",
    "title:",
    "caption:",
    "${id}",
    "figure:*.svg",
    "tasks:[!0]*.task",
    "params:",
    "inputs:",
    "outputs:",
    "kind:",
    "about:",
    "figure",
    "looks:",
    "facets:",
    "values:",
    "mark:",
    "tasks",
    "pretrain",
    "artifacts/x",
    "figures/x",
    "data/x",
    "model",
    "losses",
];
/// Seeds that are read fast, and the real file.
pub fn seeds() -> (Vec<Vec<u8>>, Vec<u8>) {
    const SMALL: usize = 2000;
    let real = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline.yaml"));
    let real = real.expect("the pipeline");
    // Those that go to the limits take a thousand times as long: they are tried by themselves only.
    let is_light = |(name, bytes): &(String, Vec<u8>)| {
        bytes.len() < SMALL
            && !["a matrix of", "variables that blow up"]
                .iter()
                .any(|heavy| name.starts_with(heavy))
    };
    let attacks = attacks();
    let mut small: Vec<Vec<u8>> = attacks
        .iter()
        .filter(|a| is_light(a))
        .map(|(_, bytes)| bytes.clone())
        .collect();
    // Each stage of the real file alone; what it refers to is missing unless a splice brings it.
    let (vars, stages) = real.split_once("\nstages:\n").expect("stages");
    let (_, vars) = vars.split_once("\nvars:\n").expect("variables");
    let (vars, _) = vars.split_once("\nprofiles:\n").expect("profiles");
    let (vars, kinds) = vars.split_once("\nkinds:\n").expect("defaults of kinds");
    // The defaults of the kinds that some stages have: others are refused.
    let with_kinds = |stages: &str| {
        let mut text = String::from("kinds:\n");
        let mut is_used = false;
        for line in kinds.lines() {
            if let Some(kind) = line.strip_prefix("  ").and_then(|l| l.strip_suffix(':')) {
                is_used = match kind.starts_with(' ') {
                    true => is_used,
                    false => stages.contains(&format!("kind: {kind}\n")),
                };
            }
            if is_used {
                writeln!(text, "{line}").expect("memory");
            }
        }
        text
    };
    // The variables without their long lists.
    let vars: String = vars
        .lines()
        .filter(|line| line.len() < 60)
        .fold(String::new(), |text, line| text + line + "\n");
    let mut text = String::new();
    for line in stages.lines().chain(["  end:"]) {
        if line.starts_with("  ") && !line[2..].starts_with([' ', '#']) && !text.is_empty() {
            let head = format!("\n{vars}{}", with_kinds(&text));
            small.push(pipeline(&head, &text).into_bytes());
            text.clear();
        }
        writeln!(text, "{line}").expect("memory");
    }
    // Whole pipelines count several times: most changes make them refused.
    let whole = ["a small pipeline", "a small fan"];
    let whole = attacks
        .into_iter()
        .filter(|(name, _)| whole.contains(&name.as_str()));
    let (experiment, _) = stages
        .split_once("\n  train_losses:")
        .expect("a first figure");
    let mut whole: Vec<Vec<u8>> = whole.map(|(_, bytes)| bytes).collect();
    let head = format!("\n{vars}{}", with_kinds(experiment));
    whole.push(pipeline(&head, experiment).into_bytes());
    small.extend(whole.iter().cycle().take(small.len() / 2).cloned());
    (small, real.into_bytes())
}
