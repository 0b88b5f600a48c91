//! What the help of each verb ends with: commands that work, and what they are for.
//!
//! `tests/shell.rs` runs every one of them, so they name stages and files of this repository.

use retrace_cli::Examples;

/// The examples of each verb. The help of a verb that is missing here has none, which
/// `tests/shell.rs` does not let pass.
pub const EXAMPLES: Examples = &[
    (
        "run",
        &[
            ("run", "everything but opt-in groups"),
            ("run pretrain@0", "one stage, and what it needs"),
            (
                "run 'finetune@0,*' -j 2",
                "items of a matrix, on two threads",
            ),
            ("run figures/train_losses.png", "what makes this file"),
            ("run --json train_losses", "for programs"),
            ("run --group main --dry-run", "what would run, and why"),
            (
                "run table_losses --set vars.noise_var=0.2",
                "another constant; outputs go below .icl-repro/profiles",
            ),
            ("run --profile smoke", "the whole pipeline in seconds"),
            (
                "run --as-recorded",
                "in a fresh clone: only what an edit concerns, the rest as the lock records it",
            ),
            (
                "run --store ../shared",
                "what the lock records and the cache lacks comes from a folder",
            ),
        ],
    ),
    (
        "status",
        &[
            ("status", "every stage of a run without targets"),
            ("status --all", "those of opt-in groups too"),
            ("status --quiet", "only those that are not fresh"),
            (
                "status --verbose train_losses",
                "with every change, and the files meant",
            ),
            ("status --json --group main", "for programs"),
            (
                "status --profile smoke --exit-code pretrain",
                "exit code 6 when it is not fresh",
            ),
        ],
    ),
    (
        "explain",
        &[
            ("explain pretrain@0", "params, inputs and code of its key"),
            ("explain --json pretrain@0", "for programs"),
            (
                "explain train_losses --set vars.dpi=150",
                "what a change would change in it",
            ),
        ],
    ),
    (
        "repeat",
        &[
            (
                "repeat pretrain@0",
                "twice, and whether the bytes are the same",
            ),
            ("repeat closed_forms --json", "for programs"),
        ],
    ),
    (
        "graph",
        &[
            ("graph linear_tf_zs", "what a figure depends on"),
            (
                "graph --format dot --group main",
                "for Graphviz: pipe it into dot -Tsvg",
            ),
            ("graph --format mermaid claims", "for Markdown"),
            ("graph --json --group main", "for programs"),
        ],
    ),
    (
        "verify",
        &[
            ("verify", "files, inputs and cache against the lock"),
            ("verify --json train_losses", "for programs"),
            (
                "verify --rebuild pretrain@0",
                "runs it from an empty cache and compares",
            ),
        ],
    ),
    (
        "diff",
        &[
            ("diff", "the last commit and the working tree"),
            ("diff HEAD~1", "the commit before it and the working tree"),
            ("diff --all HEAD~1 HEAD", "two commits, every line"),
            (
                "diff --profile smoke",
                "the working tree and what a profile or --set made",
            ),
        ],
    ),
    (
        "compare",
        &[
            (
                "compare this vars.noise_var=0.2",
                "the repository's own results and those of a run with --set vars.noise_var=0.2",
            ),
            (
                "compare this --profile smoke",
                "and those of a profile; its name alone does too",
            ),
            ("compare HEAD this --json", "the last commit, for programs"),
        ],
    ),
    (
        "variations",
        &[
            (
                "variations",
                "what --set and profiles have made, and its size",
            ),
            (
                "variations remove vars.noise_var=0.2 --dry-run",
                "what would go; a name from the list does too",
            ),
        ],
    ),
    (
        "schema",
        &[
            ("schema", "what docs/pipeline.schema.json holds"),
            ("schema status", "of what `status --json` prints"),
        ],
    ),
    (
        "runs",
        &[
            ("runs --last 5", "the last five"),
            ("runs 1", "the first one, with its stages"),
            ("runs --last 1 --json", "for programs"),
        ],
    ),
    (
        "gc",
        &[
            ("gc --dry-run", "what no result needs"),
            (
                "gc --max-size 500M",
                "and the oldest results beyond 500 MiB",
            ),
        ],
    ),
    (
        "clean",
        &[
            ("clean --dry-run", "which folders would go"),
            ("clean --profile smoke", "the outputs of a profile alone"),
            ("clean", "and away they are"),
        ],
    ),
    (
        "report",
        &[
            (
                "report",
                "figures/report.html, if all that it shows is made",
            ),
            ("report --profile smoke", "the same of another profile"),
            (
                "report --profile smoke --against vars.noise_var=0.2",
                "with the curves of another version in its charts, and what differs",
            ),
        ],
    ),
    (
        "claims",
        &[
            ("claims", "all, with their verdicts"),
            ("claims balance-law", "one, with its evidence"),
            (
                "claims --group llm",
                "those of a group that runs only when it is asked for",
            ),
            ("claims --json", "for programs"),
            (
                "claims --history w-star",
                "when it changed, and which results were recorded then",
            ),
        ],
    ),
    (
        "risk",
        &[
            (
                "risk --params artifacts/pretrain_0/model.json --task artifacts/tasks_0/task.json --shots 0..20",
                "the pretrained model on the target task",
            ),
            (
                "risk --params artifacts/pretrain_0/model.json --task artifacts/tasks_0/task.json --shots 20 --noise-var 0 --json",
                "without label noise, for programs",
            ),
        ],
    ),
    (
        "front",
        &[
            (
                "front --zero-shot 0.45,0.3222223,0.3,0.27",
                "at the paper's d, n and noise",
            ),
            (
                "front --zero-shot 0.5 --d 3 --shots 10 --noise-var 0.3 --descend 1,2",
                "at others, with descent over all entries of one and two heads",
            ),
        ],
    ),
    (
        "doctor",
        &[
            (
                "doctor",
                "what this machine is, and whether it computes the same bits",
            ),
            ("doctor --json", "for programs"),
        ],
    ),
    (
        "export",
        &[
            (
                "export ro-crate --to target/ro-crate --date 2026-02-26",
                "the results and how they were made, as a folder for an archive",
            ),
            (
                "export ro-crate --to target/ro-crate-metadata --metadata-only --date 2026-02-26",
                "only the description",
            ),
        ],
    ),
    (
        "push",
        &[
            (
                "push --store ../shared",
                "what the lock records, into a folder that others read",
            ),
            (
                "push train_losses --store ../shared --paranoid",
                "a figure and what it needs, also in place of what is wrong there",
            ),
        ],
    ),
    (
        "pull",
        &[(
            "pull train_losses --store ../shared",
            "what a figure is made of, into the cache",
        )],
    ),
    (
        "store",
        &[
            (
                "store key ../signing-key --name 'Ann of the lab'",
                "a key that signs what one pushes, and the line for store.trust",
            ),
            (
                "store list --store ../shared",
                "how much is there, and whose",
            ),
            (
                "store verify --store ../shared --sample 1%",
                "whether it is what it says; without --sample every byte",
            ),
            (
                "store pin release-1 --store ../shared",
                "keep what this lock records",
            ),
            (
                "store gc --store ../shared --older-than 90 --dry-run",
                "what is old and not pinned",
            ),
        ],
    ),
    (
        "plan",
        &[
            (
                "plan slurm --group main --to ../plan --store ../shared",
                "tasks of ten minutes; ../plan/submit.sh submits them",
            ),
            (
                "plan snakemake table_losses --to ../plan-snakemake --store ../shared --minutes 2",
                "the same as a Snakefile",
            ),
        ],
    ),
    (
        "work",
        &[
            (
                "work ../plan/plan.json --left",
                "the tasks of which the store lacks something",
            ),
            (
                "work ../plan/plan.json 0",
                "one task, as a job of the cluster does it",
            ),
        ],
    ),
    (
        "provenance",
        &[
            (
                "provenance figures/linear_tf_zs.png",
                "stage, inputs, claims, and the command that makes it again",
            ),
            (
                "provenance --json figures/tables/errors.parquet",
                "with all parameters, for programs",
            ),
            (
                "provenance .icl-repro/profiles/smoke/figures/train_losses.svg",
                "of a variation's file, with the options that make it",
            ),
        ],
    ),
    (
        "completions",
        &[
            ("completions bash", "a script for bash"),
            ("completions fish", "one for fish"),
        ],
    ),
    (
        "man",
        &[
            ("man", "the program's page; pipe it into man -l -"),
            ("man run", "the page of a verb"),
            ("man --out man1", "all pages, as files below man1/"),
        ],
    ),
];
