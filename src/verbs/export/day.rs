//! The day of publication of a crate.

use crate::verbs::export::citation::{self, Citation};
use retrace::base::error::{Error, Place, Result};
use retrace::store::workspace::LOCK_FILE;
use retrace_cli::Git;
use std::path::Path;

/// The day of publication. The clock would make every crate another one; the day on which these results were committed
/// does not.
pub fn of(given: Option<&str>, citation: &Citation, root: &Path) -> Result<String> {
    let (day, place) = match (given, &citation.released) {
        (Some(day), _) => (day, "--date"),
        (None, Some(day)) => (day.as_str(), citation::FILE),
        (None, None) => return committed(root),
    };
    let is_day = day.len() == 10 && humantime::parse_rfc3339(&format!("{day}T00:00:00Z")).is_ok();
    if !is_day {
        let error = Error::config(format!("`{}` is no day", day.escape_debug()));
        return Err(error
            .at(&Place::whole(place))
            .hint("write it as YYYY-MM-DD"));
    }
    Ok(day.to_owned())
}

/// The day on which the lock was last committed.
///
/// # Errors
/// No history says it, or one that was cut off may say it wrongly.
fn committed(root: &Path) -> Result<String> {
    let unknown = |why: String| {
        let message = format!(
            "the day of publication is not known: CITATION.cff has no `date-released`, and {why}"
        );
        Error::config(message).hint("name it: --date YYYY-MM-DD")
    };
    let git = Git::open(root).map_err(|e| unknown(e.message))?;
    if let Some(remedy) = git.shallow() {
        return Err(unknown(remedy.to_owned()));
    }
    let commits = git.changing(LOCK_FILE).map_err(|e| unknown(e.message))?;
    let last = commits.into_iter().next();
    last.map(|commit| commit.date)
        .ok_or_else(|| unknown(format!("{LOCK_FILE} was never committed")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(folder: &Path, day: &str, args: &[&str]) {
        let at = format!("{day}T12:00:00Z");
        let status = Command::new("git")
            .current_dir(folder)
            .args([
                "-c",
                "user.name=n",
                "-c",
                "user.email=e",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(args)
            .env("GIT_AUTHOR_DATE", &at)
            .env("GIT_COMMITTER_DATE", &at)
            .status();
        assert!(status.expect("git starts").success(), "{args:?}");
    }

    #[test]
    fn the_day_is_the_one_given_or_released_or_that_of_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let citation = |released: Option<&str>| {
            let released = released.map_or(String::new(), |day| format!("date-released: {day}\n"));
            let text = std::fs::read_to_string("CITATION.cff").expect("it is there");
            Citation::parse(&(text + &released)).expect("a citation")
        };
        let refused = |root: &Path| {
            of(None, &citation(None), root)
                .expect_err("unknown")
                .message
        };
        let write = |name: &str| std::fs::write(root.join(name), name).expect("it is written");

        assert!(refused(root).contains("in no git repository"));
        git(root, "2026-01-01", &["init", "--quiet"]);
        write("other");
        git(root, "2026-01-01", &["add", "other"]);
        git(root, "2026-01-01", &["commit", "--quiet", "-m", "no lock"]);
        assert!(refused(root).contains("never committed"));
        write(LOCK_FILE);
        git(root, "2026-02-03", &["add", LOCK_FILE]);
        git(root, "2026-02-03", &["commit", "--quiet", "-m", "lock"]);
        write("more");
        git(root, "2026-03-04", &["add", "more"]);
        git(
            root,
            "2026-03-04",
            &["commit", "--quiet", "-m", "nothing of the lock"],
        );

        let clone = tempfile::tempdir().expect("a folder");
        let shallow = clone.path().join("shallow");
        let from = format!("file://{}", root.display());
        let to = shallow.to_str().expect("UTF-8");
        git(
            root,
            "2026-03-04",
            &["clone", "--quiet", "--depth=1", &from, to],
        );
        assert!(refused(&shallow).contains("shallow"));

        let day = |given, released| of(given, &citation(released), root).expect("a day");
        assert_eq!(day(None, None), "2026-02-03");
        assert_eq!(day(None, Some("2026-05-06")), "2026-05-06");
        assert_eq!(day(Some("2026-07-08"), Some("2026-05-06")), "2026-07-08");
    }
}
