//! Digests the sources, so that a change of code is a change of key: see `build/code.rs`.

#[path = "build/code.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod code;

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    for path in ["build.rs", "build", "src", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    match code::Code::read(Path::new("src"), Path::new("Cargo.lock")) {
        Ok(code) => std::fs::write(Path::new(&out).join("code.rs"), table(&code))
            .expect("OUT_DIR can be written"),
        Err(message) => {
            println!("cargo::error={message}");
            std::process::exit(1);
        }
    }
}

/// The digests as Rust source: every file with all that it can reach, every file's raw digest, and one
/// of everything.
fn table(code: &code::Code) -> String {
    let mut text = String::new();
    let rust = |text: &mut String, line: String| writeln!(text, "{line}").expect("a String grows");
    rust(
        &mut text,
        "pub static REACH: &[(&str, &[(&str, &str)])] = &[".into(),
    );
    for file in code.files() {
        rust(
            &mut text,
            format!("    ({file:?}, &{:?}),", code.reach(file)),
        );
    }
    rust(&mut text, "];".into());
    rust(
        &mut text,
        format!("pub static RAW: &[(&str, &str)] = &{:?};", code.raw()),
    );
    rust(
        &mut text,
        format!("pub static PROGRAM: &str = {:?};", code.program()),
    );
    text
}
