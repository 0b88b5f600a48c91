//! The digests of this program's sources, made by the build script.

use retrace::stage::sources::Sources;

include!(concat!(env!("OUT_DIR"), "/code.rs"));

/// Which code each kind of stage can reach, and which sources this program was built from.
pub const SOURCES: Sources = Sources {
    roots: ROOTS,
    raw: RAW,
    program: PROGRAM,
};
