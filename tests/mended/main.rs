//! Faults that were mended, by kind: each with its neighbours, so that none of the kind comes back.

mod figures;
mod named;
mod selectors;
mod sight;
mod sketch;
mod told;
