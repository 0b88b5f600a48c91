//! Faults, each made to happen to the real program: bits flipped, kills, full disks, places that cannot
//! be written, odd names, clocks that jump. docs/reliability.md says what is promised and counts.
//!
//! `make faults` runs the long version: `ICL_REPRO_FLIPS` and `ICL_REPRO_KILLS` are the numbers.

mod crash;
mod denied;
mod flips;
mod full;
mod kills;
mod places;
mod repository;
