//! Verb `graph`: the stages and what they read from each other.

use crate::answers::answer;
use crate::answers::graph::{Edge, Graph, GroupOf, Input, Node, Output};
use crate::console::terminal;
use crate::pipeline::session::Session;
use crate::program::exit;
use clap::{Args, ValueEnum};
use retrace::base::error::Result;
use retrace::resolve::select::Selection;
use retrace::stage::publication::PUBLISHED;
use retrace::stage::stage::{Source, Stage};
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub struct GraphArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Lines to read, or the language of Graphviz or Mermaid
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub format: GraphFormat,
    /// Print a JSON object instead, with what each stage reads and makes
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
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
    let graph = look(session, &selection)?;
    terminal::print(&match args.json {
        true => answer::text(&graph)?,
        false => drawn(&graph, args.format),
    });
    Ok(exit::OK)
}

/// The graph as data.
fn look(session: &Session, selection: &Selection) -> Result<Graph> {
    let pipeline = &session.engine.pipeline;
    let ids = |stages: &mut dyn Iterator<Item = usize>| -> Vec<String> {
        stages.map(|stage| session.id(stage).to_owned()).collect()
    };
    let mut edges = Vec::new();
    for &index in &selection.closure {
        let stage = &pipeline.stages[index];
        edges.extend(stage.upstream().into_iter().map(|from| Edge {
            from: session.id(from).to_owned(),
            to: stage.id.clone(),
        }));
    }
    let groups = pipeline.groups.iter().map(|group| {
        Ok(GroupOf {
            group: group.name.clone(),
            opt_in: group.opt_in,
            stages: ids(&mut pipeline.group(&group.name)?.into_iter()),
        })
    });
    let stages = selection.closure.iter();
    Ok(Graph {
        stages: stages
            .map(|&index| node(session, &pipeline.stages[index]))
            .collect(),
        edges,
        groups: groups.collect::<Result<_>>()?,
    })
}

fn node(session: &Session, stage: &Stage) -> Node {
    let groups = &session.engine.pipeline.groups;
    let opt_in = stage.opt_in.iter().map(|&group| groups[group].name.clone());
    let inputs = stage.inputs.iter().map(|input| {
        let made = input.source.made();
        Input {
            role: input.role.clone(),
            label: input.label.clone(),
            path: match &input.source {
                Source::File(path) => Some(path.display().to_string()),
                Source::Output { .. } | Source::Recorded { .. } => None,
            },
            stage: made.map(|(stage, _)| session.id(stage).to_owned()),
            output: made.map(|(_, output)| output.to_owned()),
            recorded: matches!(input.source, Source::Recorded { .. }),
        }
    });
    let outputs = stage.outputs.iter().map(|(output, path)| Output {
        output: output.clone(),
        path: path.display().to_string(),
        published: path.starts_with(PUBLISHED),
    });
    Node {
        stage: stage.id.clone(),
        kind: session.engine.kinds[stage.kind].name().to_owned(),
        title: stage.title.clone(),
        opt_in: opt_in.collect(),
        inputs: inputs.collect(),
        outputs: outputs.collect(),
    }
}

/// The graph in a language.
fn drawn(graph: &Graph, format: GraphFormat) -> String {
    let mut upstream: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Edge { from, to } in &graph.edges {
        upstream.entry(to).or_default().push(from);
    }
    // Ids have characters that mean something in Mermaid.
    let stages = graph.stages.iter().enumerate();
    let numbers: BTreeMap<&str, usize> = stages.map(|(n, node)| (&*node.stage, n)).collect();
    let mut text = String::new();
    let _ = match format {
        GraphFormat::Text => Ok(()),
        GraphFormat::Dot => writeln!(
            text,
            "digraph pipeline {{\n  rankdir = LR;\n  node [shape = box];"
        ),
        GraphFormat::Mermaid => writeln!(text, "graph LR"),
    };
    for Node {
        stage: id,
        kind,
        opt_in,
        ..
    } in &graph.stages
    {
        let upstream = upstream.get(id.as_str()).map_or(&[][..], |from| from);
        let mark = if opt_in.is_empty() { "" } else { ", opt-in" };
        let number = numbers[id.as_str()];
        let _ = match format {
            GraphFormat::Text if upstream.is_empty() => writeln!(text, "{id} ({kind}{mark})"),
            GraphFormat::Text => writeln!(text, "{id} ({kind}{mark}) <- {}", upstream.join(", ")),
            GraphFormat::Dot => {
                let style = match opt_in.is_empty() {
                    true => "",
                    false => ", style = dashed",
                };
                writeln!(text, "  \"{id}\" [label = \"{id}\\n{kind}\"{style}];")
            }
            GraphFormat::Mermaid => writeln!(text, "  s{number}[\"{id}<br/>{kind}{mark}\"]"),
        };
        for from in upstream {
            let _ = match format {
                GraphFormat::Text => Ok(()),
                GraphFormat::Dot => writeln!(text, "  \"{from}\" -> \"{id}\";"),
                GraphFormat::Mermaid => writeln!(text, "  s{} --> s{number}", numbers[from]),
            };
        }
    }
    if matches!(format, GraphFormat::Dot) {
        text.push_str("}\n");
    }
    text
}
