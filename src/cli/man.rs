//! Verb `man`: pages of the manual, one for the program and one for each verb.
//!
//! Made from the grammar, so that they say what `--help` says. No date stands in them: the same
//! program gives the same bytes.

use crate::cli::args::{ManArgs, Scope};
use crate::cli::examples::{self, Example};
use crate::cli::exit;
use crate::cli::grammar;
use crate::cli::terminal::{self, count};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use retrace::base::error::{Error, Place, Result};
use retrace::base::files;
use std::path::Path;

/// Prints a page, or writes all of them below `--out`; needs no pipeline.
pub fn man(scope: &Scope, args: &ManArgs) -> Result<u8> {
    let pages = pages()?;
    let name = args
        .verb
        .as_ref()
        .map_or(grammar::PROGRAM.to_owned(), |verb| {
            format!("{}-{verb}", grammar::PROGRAM)
        });
    let asked = pages.iter().find(|page| page.name == name);
    let asked = asked.ok_or_else(|| {
        let wrong = args.verb.as_deref().unwrap_or_default();
        let verbs = pages.iter().filter_map(Page::verb);
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
        check_free(&folder.join(page.file()))?;
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
fn check_free(path: &Path) -> Result<()> {
    let title = format!(".TH {}", grammar::PROGRAM);
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

/// A page of section 1.
pub struct Page {
    /// `icl-repro`, `icl-repro-run`.
    pub name: String,
    /// In roff.
    pub text: String,
}

impl Page {
    fn file(&self) -> String {
        format!("{}.1", self.name)
    }

    fn verb(&self) -> Option<&str> {
        self.name.strip_prefix(grammar::PROGRAM)?.strip_prefix('-')
    }
}

/// All pages, the program's first.
pub fn pages() -> Result<Vec<Page>> {
    let mut command = grammar::command();
    // Names of verbs become those of their pages, and global options are copied to each.
    command.build();
    let mut pages = vec![page(&command, grammar::PROGRAM, &[])?];
    let verbs = command.get_subcommands();
    for verb in verbs.filter(|verb| verb.get_name() != "help") {
        let name = format!("{}-{}", grammar::PROGRAM, verb.get_name());
        pages.push(page(verb, &name, examples::of(verb.get_name()))?);
    }
    Ok(pages)
}

fn page(command: &clap::Command, name: &str, examples: &[Example]) -> Result<Page> {
    let man = Man::new(command.clone())
        .title(name)
        .source(format!(
            "{} {}",
            grammar::PROGRAM,
            env!("CARGO_PKG_VERSION")
        ))
        .manual("icl-repro manual");
    let mut text = Vec::new();
    let render = |text: &mut Vec<u8>| -> std::io::Result<()> {
        man.render_title(text)?;
        man.render_name_section(text)?;
        man.render_synopsis_section(text)?;
        man.render_description_section(text)?;
        man.render_options_section(text)?;
        if command.has_subcommands() {
            man.render_subcommands_section(text)?;
        }
        let mut roff = Roff::new();
        if !examples.is_empty() {
            roff.control("SH", ["EXAMPLES"]);
        }
        for (command, about) in examples {
            roff.control("TP", []);
            roff.text([bold(format!("{} {command}", grammar::PROGRAM))]);
            roff.text([roman(*about)]);
        }
        roff.control("SH", ["EXIT STATUS"]);
        for (code, about) in exit::MEANINGS {
            roff.control("TP", []);
            roff.text([bold(code.to_string())]);
            roff.text([roman(*about)]);
        }
        roff.to_writer(text)
    };
    render(&mut text).map_err(|e| Error::failed(format!("cannot write the page {name}: {e}")))?;
    Ok(Page {
        name: name.to_owned(),
        text: String::from_utf8_lossy(&text).into_owned(),
    })
}
