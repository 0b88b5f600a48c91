//! Digests the sources, so that a change of code is a change of key: see `crates/code-digest`.

fn main() {
    // Neither the engine nor its command line affects an output byte (the contract with the stages has a version of its own in
    // every key); `schemars` describes parameters to editors.
    code_digest::build_script(&["retrace", "retrace-cli", "schemars"]);
}
