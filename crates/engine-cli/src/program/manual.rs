//! Pages of the manual, one for the program and one for each verb.
//!
//! Made from the grammar, so that they say what `--help` says. No date stands in them: the same
//! program gives the same bytes.

use crate::program::description::Program;
use crate::program::examples::{self, Example};
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use retrace::base::error::{Error, Result};

/// A page of section 1.
pub struct Page {
    /// The program's name, and that of a verb after a hyphen.
    pub name: String,
    pub verb: Option<String>,
    /// In roff.
    pub text: String,
}

impl Page {
    /// What the page's file is called.
    pub fn file(&self) -> String {
        format!("{}.1", self.name)
    }
}

/// All pages of a program with that grammar, the program's first.
pub fn pages(program: &Program, mut command: Command) -> Result<Vec<Page>> {
    // Names of verbs become those of their pages, and global options are copied to each.
    command.build();
    let mut pages = vec![page(program, &command, None)?];
    let verbs = command.get_subcommands();
    for verb in verbs.filter(|verb| verb.get_name() != "help") {
        pages.push(page(program, verb, Some(verb.get_name()))?);
    }
    Ok(pages)
}

fn page(program: &Program, command: &Command, verb: Option<&str>) -> Result<Page> {
    let name = match verb {
        None => program.name.to_owned(),
        Some(verb) => format!("{}-{verb}", program.name),
    };
    let examples = verb.map_or(&[][..], |verb| examples::of(program.examples, verb));
    let text = text(program, command, &name, examples);
    let text = text.map_err(|e| Error::failed(format!("cannot write the page {name}: {e}")))?;
    Ok(Page {
        name,
        verb: verb.map(str::to_owned),
        text: String::from_utf8_lossy(&text).into_owned(),
    })
}

fn text(
    program: &Program,
    command: &Command,
    name: &str,
    examples: &[Example],
) -> std::io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .title(name)
        .source(format!("{} {}", program.name, program.version))
        .manual(format!("{} manual", program.name));
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for (command, about) in examples {
        roff.control("TP", []);
        roff.text([bold(format!("{} {command}", program.name))]);
        roff.text([roman(*about)]);
    }
    roff.control("SH", ["EXIT STATUS"]);
    for exit in program.exits() {
        roff.control("TP", []);
        roff.text([bold(exit.code.to_string())]);
        roff.text([roman(exit.meaning)]);
    }
    roff.to_writer(&mut text)?;
    Ok(text)
}
