//! Steps in an order in which what one reads is written before.

use crate::adopt::step::Step;
use std::path::Path;

/// Puts every step behind those that write what it is said to read; else the order stays as it is.
///
/// # Errors
/// Steps that wait for each other.
pub fn sorted(steps: Vec<Step>) -> Result<Vec<Step>, String> {
    let mut waiting = steps;
    let mut done: Vec<Step> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |step: &Step| {
            let others = waiting.iter().filter(|other| other.name != step.name);
            !others.into_iter().any(|other| needs(step, other))
        };
        let Some(at) = waiting.iter().position(is_ready) else {
            let names: Vec<&str> = waiting.iter().map(|step| step.name.as_str()).collect();
            return Err(format!(
                "each of these steps reads what another of them writes: {}",
                names.join(", ")
            ));
        };
        done.push(waiting.remove(at));
    }
    Ok(done)
}

/// Whether a step is said to read what another is said to write.
fn needs(step: &Step, other: &Step) -> bool {
    // Who reads the whole repository is not for that behind all others.
    let reads = step
        .reads
        .iter()
        .flatten()
        .filter(|read| !read.as_os_str().is_empty());
    let mut pairs = reads.flat_map(|read| other.writes.iter().flatten().map(move |to| (read, to)));
    pairs.any(|(read, written)| covers(read, written) || covers(written, read))
}

/// Whether a path is another or a folder above it.
pub fn covers(above: &Path, path: &Path) -> bool {
    above.as_os_str().is_empty() || path.starts_with(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, reads: &[&str], writes: &[&str]) -> Step {
        let paths = |paths: &[&str]| Some(paths.iter().map(Into::into).collect());
        Step {
            name: name.into(),
            reads: paths(reads),
            writes: paths(writes),
            ..Step::default()
        }
    }

    #[test]
    fn what_is_read_is_written_before_and_circles_are_named() {
        let steps = vec![
            step("c", &["data/b.csv", "src"], &["c"]),
            step("a", &["raw"], &["data/a"]),
            step("b", &["data/a/x.csv"], &["data/b.csv"]),
        ];
        let sorted = sorted(steps).unwrap();
        let names: Vec<&str> = sorted.iter().map(|step| &*step.name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let circle = vec![step("a", &["y"], &["x"]), step("b", &["x"], &["y"])];
        assert!(super::sorted(circle).unwrap_err().ends_with("a, b"));
    }
}
