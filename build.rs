//! Digests the sources, so that a change of code is a change of key: see `crates/code-digest`.

fn main() {
    // The engine never affects an output byte (its contract with the stages has a version of its own in
    // every key); `schemars` describes parameters to editors.
    code_digest::build_script(&["retrace", "schemars"]);
}
