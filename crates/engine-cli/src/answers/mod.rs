//! What verbs say to programs: the objects that `--json` prints, each of a versioned format with a JSON Schema.
//!
//! Plain data with its description; the doc comments are what the schemas say. Knows no verb, no terminal and no option:
//! the verbs make these, print them, and make their lines for people from them.

pub mod answer;
pub mod changes;
pub mod explain;
pub mod graph;
pub mod input;
pub mod provenance;
pub mod rebuild;
pub mod repeat;
pub mod run;
pub mod runs;
pub mod sides;
pub mod status;
pub mod verify;

use answer::Described;

/// Those of the verbs that every program has.
pub const ALL: &[Described] = &[
    Described::of::<sides::Compared>(),
    Described::of::<sides::Diff>(),
    Described::of::<explain::Explained>(),
    Described::of::<graph::Graph>(),
    Described::of::<provenance::Provenance>(),
    Described::of::<repeat::Repeated>(),
    Described::of::<run::Ended>(),
    Described::of::<runs::Runs>(),
    Described::of::<status::Status>(),
    Described::of::<sides::Variations>(),
    Described::of::<verify::Verified>(),
    Described::of::<rebuild::Rebuilt>(),
];
