//! What a build script does with the digests.

use crate::code::Code;
use crate::workspace::Workspace;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Writes `code.rs` to `OUT_DIR`: the digests of the package that is built
/// and of the packages of its workspace that it depends on.
///
/// Ends the build with the reason where a file cannot be digested.
pub fn build_script(without_effect: &[&str]) {
    let root = root();
    let package = std::env::var("CARGO_PKG_NAME").expect("cargo sets CARGO_PKG_NAME");
    let read = Workspace::read(&root).and_then(|workspace| workspace.needed_by(&package));
    match read.and_then(|workspace| {
        for folder in workspace.packages.values() {
            println!("cargo::rerun-if-changed={}", root.join(folder).display());
        }
        for file in ["Cargo.toml", "Cargo.lock"] {
            println!("cargo::rerun-if-changed={}", root.join(file).display());
        }
        table(&Code::link(&workspace, without_effect)?)
    }) {
        Ok(text) => {
            let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
            std::fs::write(Path::new(&out).join("code.rs"), text).expect("OUT_DIR can be written");
        }
        Err(message) => {
            println!("cargo::error={message}");
            std::process::exit(1);
        }
    }
}

/// The innermost folder with a Cargo.lock, from that of the package upwards.
fn root() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let package = PathBuf::from(package);
    let found = package
        .ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file());
    found.unwrap_or(&package).to_owned()
}

/// The digests as Rust source.
fn table(code: &Code) -> Result<String, String> {
    let mut text = String::from(
        "/// Files that contain `file!()`: the digest of all that each can reach, and what that is.\n\
         #[allow(clippy::type_complexity, reason = \"generated\")]\n\
         pub static ROOTS: &[(&str, &str, &[(&str, &str)])] = &[\n",
    );
    let mut line = |line: String| writeln!(text, "{line}").expect("a String grows");
    for file in code.roots() {
        line(format!(
            "    ({file:?}, {:?}, &{:?}),",
            code.digest(file)?,
            code.reach(file)
        ));
    }
    line("];".into());
    line("/// Every file and the digest of its bytes.".into());
    line(format!(
        "pub static RAW: &[(&str, &str)] = &{:?};",
        code.raw()
    ));
    line("/// Tells this program from others.".into());
    line(format!("pub static PROGRAM: &str = {:?};", code.program()));
    Ok(text)
}
