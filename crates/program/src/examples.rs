//! What the help of each verb ends with. Names of stages are those of `example/pipeline.yaml`.

use retrace_cli::Examples;

/// Commands that work there, and what they are for.
pub const EXAMPLES: Examples = &[
    (
        "new",
        &[("new paper", "a folder with a pipeline that works")],
    ),
    (
        "adopt",
        &[
            ("adopt", "the stages of dvc.yaml"),
            ("adopt scripts", "01_clean.py, 02_fit.R, ... in that folder"),
            ("adopt --commands run.txt", "a command a line"),
        ],
    ),
    (
        "run",
        &[
            ("run", "everything that is not up to date"),
            ("run learning_curves", "one stage, and what it needs"),
            ("run --dry-run", "what would run, and why"),
        ],
    ),
    (
        "explain",
        &[("explain learning_curves", "what its key is made of")],
    ),
    (
        "repeat",
        &[(
            "repeat learning_curves",
            "under other circumstances: which output differs, where, and why",
        )],
    ),
    ("diff", &[("diff", "the last commit and the working tree")]),
    (
        "compare",
        &[(
            "compare HEAD this",
            "settings, cells of tables and verdicts that differ",
        )],
    ),
    (
        "variations",
        &[("variations", "what --set and profiles have made")],
    ),
    ("verify", &[("verify", "every file, against pipeline.lock")]),
    (
        "claims",
        &[
            ("claims", "all, with their verdicts"),
            ("claims new-is-better", "one, with its evidence"),
            ("claims --json", "for programs"),
        ],
    ),
    ("report", &[("report", "figures/report.html")]),
    (
        "assets",
        &[
            ("assets", "data/fonts and data/report"),
            ("assets --folder shared", "the same below another folder"),
        ],
    ),
];
