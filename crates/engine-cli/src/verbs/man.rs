//! Verb `man`: pages of the manual, printed or written.

use crate::console::terminal::{self, count};
use crate::pipeline::scope::Scope;
use crate::program::description::Program;
use crate::program::exit;
use crate::program::manual::{self, Page};
use clap::{Args, Command};
use retrace::base::error::{Error, Place, Result};
use retrace::base::files;
use std::path::Path;

#[derive(Debug, Args)]
pub struct ManArgs {
    /// The verb whose page it is; none means the program's
    pub verb: Option<String>,
}

/// Prints a page, or writes all of them below `--out`; needs no pipeline.
pub fn man(program: &Program, grammar: Command, scope: &Scope, args: &ManArgs) -> Result<u8> {
    let pages = manual::pages(program, grammar)?;
    let asked = pages.iter().find(|page| page.verb == args.verb);
    let asked = asked.ok_or_else(|| {
        let wrong = args.verb.as_deref().unwrap_or_default();
        let verbs = pages.iter().filter_map(|page| page.verb.as_deref());
        Error::config(format!("there is no verb `{wrong}`")).suggest(wrong, verbs)
    })?;
    let Some(folder) = &scope.out else {
        terminal::print(&asked.text);
        return Ok(exit::OK);
    };
    let wanted: Vec<&Page> = match args.verb {
        Some(_) => vec![asked],
        None => pages.iter().collect(),
    };
    for page in &wanted {
        check_free(program, &folder.join(page.file()))?;
    }
    files::create_folder(folder)?;
    for page in &wanted {
        files::write(&folder.join(page.file()), page.text.as_bytes())?;
    }
    let (written, folder) = (count(wanted.len(), "page"), folder.display());
    terminal::summary(&format!("{written} written below {folder}\n"));
    Ok(exit::OK)
}

/// Refuses to write over a file that is no page of this manual.
fn check_free(program: &Program, path: &Path) -> Result<()> {
    let title = format!(".TH {}", program.name);
    let is_page = |text: &[u8]| {
        let mut lines = text.split(|&byte| byte == b'\n');
        lines.any(|line| line.starts_with(title.as_bytes()))
    };
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(meta) if meta.is_file() && std::fs::read(path).is_ok_and(|text| is_page(&text)) => {
            Ok(())
        }
        Ok(_) => {
            let message = format!(
                "{} is there already and is no page of this manual",
                path.display()
            );
            let error = Error::config(message).at(&Place::whole("--out"));
            Err(error.hint("move it away, or name another folder"))
        }
    }
}
