//! Digests the sources, so that a change of code is a change of key. The engine and its command line
//! affect no output byte, and `schemars` only tells editors of parameters.

fn main() {
    code_digest::build_script(&["retrace", "retrace-cli", "schemars"]);
}
