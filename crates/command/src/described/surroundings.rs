//! The environment variables of a command: fixed, so that they are the same on every machine.
//!
//! Nothing of the caller's environment is passed on. What a variable says enters the key, but for those that say
//! where the command runs.

use crate::described::params::Params;
use std::collections::BTreeMap;

/// Circumstances other than the usual under which a command can be run, to see whether what it makes depends on
/// them, each with what is other.
pub const VARIATIONS: [(&str, &str); 7] = [
    ("threads", "the number of threads that libraries may start"),
    ("zone", "the time zone (TZ)"),
    ("locale", "the locale (LC_ALL)"),
    ("hash", "Python's hash seed (PYTHONHASHSEED)"),
    ("date", "SOURCE_DATE_EPOCH"),
    ("path", "the folder in which it runs, and its home folder"),
    ("order", "the order in which folders list their files"),
];

/// Variables by which libraries are told how many threads to start.
const THREADS: [&str; 8] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "JULIA_NUM_THREADS",
];

/// The variables that enter the key, with the stage's own.
pub fn variables(params: &Params) -> BTreeMap<String, String> {
    let fixed = [
        // Times that are written are those of one zone, words those of no language.
        ("TZ", "UTC"),
        ("LC_ALL", "C.UTF-8"),
        ("LANG", "C.UTF-8"),
        // The first moment that a zip file can hold.
        ("SOURCE_DATE_EPOCH", "315532800"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONNOUSERSITE", "1"),
        // No screen.
        ("MPLBACKEND", "Agg"),
        ("TERM", "dumb"),
    ];
    let mut variables: BTreeMap<String, String> = fixed
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for name in THREADS {
        variables.insert(name.to_owned(), params.cores.to_string());
    }
    if params.gpu {
        // Without it, cuBLAS may sum in another order from call to call.
        variables.insert("CUBLAS_WORKSPACE_CONFIG".into(), ":4096:8".into());
    }
    let own = params.env.iter();
    variables.extend(own.map(|(name, value)| (name.clone(), value.text())));
    variables
}

/// Changes variables as a variation says.
pub fn vary(variables: &mut BTreeMap<String, String>, variation: &str, params: &Params) {
    let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
    match variation {
        "threads" => {
            let threads = if params.cores == 1 { 3 } else { 1 };
            for name in THREADS {
                set(name, &threads.to_string());
            }
        }
        "zone" => drop(set("TZ", "Pacific/Kiritimati")),
        "locale" => {
            set("LC_ALL", "C");
            set("LANG", "C");
        }
        "hash" => drop(set("PYTHONHASHSEED", "4711")),
        "date" => drop(set("SOURCE_DATE_EPOCH", "1700000000")),
        _ => {}
    }
}
