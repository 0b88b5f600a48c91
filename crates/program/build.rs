//! Digests of the code behind each kind, for the keys of stages; see the build script of the root package for what is
//! left out.

fn main() {
    code_digest::build_script(&["retrace", "retrace-cli", "schemars"]);
}
