//! Verb `graph`: the stages and what they read from each other.

use crate::console::terminal;
use crate::pipeline::session::Session;
use crate::program::exit;
use clap::{Args, ValueEnum};
use retrace::base::error::Result;
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub struct GraphArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Lines to read, or the language of Graphviz or Mermaid
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub format: GraphFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum GraphFormat {
    Text,
    Dot,
    Mermaid,
}

/// Prints the graph of the selected stages.
pub fn graph(session: &Session, args: &GraphArgs) -> Result<u8> {
    let selection = session.look_at(&args.targets)?;
    let mut text = String::new();
    let _ = match args.format {
        GraphFormat::Text => Ok(()),
        GraphFormat::Dot => writeln!(
            text,
            "digraph pipeline {{\n  rankdir = LR;\n  node [shape = box];"
        ),
        GraphFormat::Mermaid => writeln!(text, "graph LR"),
    };
    for &index in &selection.closure {
        let stage = &session.engine.pipeline.stages[index];
        let kind = session.engine.kinds[stage.kind].name();
        let id = &stage.id;
        let upstream = stage.upstream();
        let is_opt_in = !stage.opt_in.is_empty();
        let mark = if is_opt_in { ", opt-in" } else { "" };
        let _ = match args.format {
            GraphFormat::Text if upstream.is_empty() => writeln!(text, "{id} ({kind}{mark})"),
            GraphFormat::Text => {
                writeln!(
                    text,
                    "{id} ({kind}{mark}) <- {}",
                    session.ids(upstream.iter().copied())
                )
            }
            GraphFormat::Dot => {
                let style = if is_opt_in { ", style = dashed" } else { "" };
                writeln!(text, "  \"{id}\" [label = \"{id}\\n{kind}\"{style}];")
            }
            GraphFormat::Mermaid => writeln!(text, "  s{index}[\"{id}<br/>{kind}{mark}\"]"),
        };
        for from in upstream {
            let _ = match args.format {
                GraphFormat::Text => Ok(()),
                GraphFormat::Dot => writeln!(text, "  \"{}\" -> \"{id}\";", session.id(from)),
                GraphFormat::Mermaid => writeln!(text, "  s{from} --> s{index}"),
            };
        }
    }
    if matches!(args.format, GraphFormat::Dot) {
        text.push_str("}\n");
    }
    terminal::print(&text);
    Ok(exit::OK)
}
