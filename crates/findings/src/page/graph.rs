//! The graph of stages as the report draws it: a box for each name, in layers.
//!
//! Knows the trace. Does not know what else is on the page.

use crate::exchange::failed::failed;
use crate::exchange::trace::{self, Trace, Traced};
use crate::page::layers;
use retrace::base::error::Result;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize)]
pub struct Graph {
    width: usize,
    height: usize,
    /// How wide a box is.
    box_width: usize,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Serialize)]
struct Node {
    id: String,
    name: String,
    kind: String,
    count: usize,
    ids: Vec<String>,
    x: usize,
    y: usize,
    reads: Vec<(String, String)>,
    read_by: Vec<(String, String)>,
    params: String,
    figures: Vec<(String, String)>,
    target: String,
}

#[derive(Serialize)]
struct Edge {
    from: [usize; 2],
    to: [usize; 2],
    bend: usize,
    names: [String; 2],
}

/// Lengths of the stage graph, in pixels.
const COLUMN: usize = 296;
const ROW: usize = 30;
const BOX: usize = 240;
const MARGIN: usize = 10;

/// Most ids of a matrix that its panel lists.
const LISTED: usize = 60;

/// The stages by name, a matrix as one node; `figures` are ids of stages with the titles of what they draw.
pub fn graph<'a>(trace: &Trace, figures: impl Iterator<Item = (&'a str, &'a str)>) -> Graph {
    let mut groups: Vec<(&str, Vec<&Traced>)> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for stage in &trace.stages {
        let name = trace::name_of(&stage.stage);
        let at = *index.entry(name).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, stages)) => stages.push(stage),
            None => groups.push((name, vec![stage])),
        }
    }
    let reads: Vec<BTreeSet<usize>> = groups
        .iter()
        .map(|(name, stages)| {
            let inputs = stages.iter().flat_map(|stage| &stage.inputs);
            let names = inputs.filter_map(|input| trace::stage_of(&input.from).map(trace::name_of));
            let others = names.filter(|other| other != name);
            others.filter_map(|name| index.get(name).copied()).collect()
        })
        .collect();
    // A matrix may be read by an earlier name; what is placed is the order of first readings.
    let earlier = |(at, reads): (usize, &BTreeSet<usize>)| {
        reads.iter().copied().filter(|&read| read < at).collect()
    };
    let places = layers::place(
        &reads
            .iter()
            .enumerate()
            .map(earlier)
            .collect::<Vec<Vec<usize>>>(),
    );
    let corner = |at: usize| {
        let place = places[at];
        (MARGIN + place.column * COLUMN, MARGIN + place.row * ROW)
    };
    let figures: Vec<(&str, &str)> = figures.collect();
    let node = |(at, (name, stages)): (usize, &(&str, Vec<&Traced>))| {
        let (x, y) = corner(at);
        let shown = figures.iter().filter(|(id, _)| trace::name_of(id) == *name);
        let shown: Vec<(String, String)> = shown
            .map(|(id, title)| (anchor("figure", id), (*title).to_owned()))
            .collect();
        let link = |other: usize| {
            let name = groups[other].0;
            (anchor("stage", name), name.to_owned())
        };
        let readers = (0..groups.len()).filter(|&other| reads[other].contains(&at));
        Node {
            id: anchor("stage", name),
            name: (*name).to_owned(),
            kind: stages[0].kind.clone(),
            count: stages.len(),
            ids: stages
                .iter()
                .take(LISTED)
                .map(|stage| stage.stage.clone())
                .collect(),
            x,
            y,
            reads: reads[at].iter().map(|&read| link(read)).collect(),
            read_by: readers.map(link).collect(),
            params: match shown.is_empty() {
                true => pretty(&stages[0].params).unwrap_or_default(),
                // The figure has them.
                false => String::new(),
            },
            figures: shown,
            target: match stages.len() {
                1 => stages[0].stage.clone(),
                _ => format!("'{name}@*'"),
            },
        }
    };
    let edge = |read: usize, at: usize| {
        let ((x, y), (to_x, to_y)) = (corner(read), corner(at));
        Edge {
            from: [x + BOX, y + 11],
            to: [to_x, to_y + 11],
            bend: (COLUMN - BOX) * 3 / 4,
            names: [groups[read].0.to_owned(), groups[at].0.to_owned()],
        }
    };
    let of = |(at, reads): (usize, &BTreeSet<usize>)| {
        reads.iter().map(|&read| edge(read, at)).collect::<Vec<_>>()
    };
    Graph {
        width: MARGIN + places.iter().map(|p| p.column + 1).max().unwrap_or(0) * COLUMN,
        height: MARGIN + places.iter().map(|p| p.row + 1).max().unwrap_or(0) * ROW,
        box_width: BOX,
        nodes: groups.iter().enumerate().map(node).collect(),
        edges: reads.iter().enumerate().flat_map(of).collect(),
    }
}

/// A name that an address may hold.
pub fn anchor(what: &str, name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    format!("{what}-{}", name.chars().map(plain).collect::<String>())
}

/// Parameters, indented by single spaces.
pub fn pretty(params: &serde_json::Value) -> Result<String> {
    let mut text = Vec::new();
    let narrow = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut writer = serde_json::Serializer::with_formatter(&mut text, narrow);
    params.serialize(&mut writer).map_err(failed)?;
    String::from_utf8(text).map_err(failed)
}
