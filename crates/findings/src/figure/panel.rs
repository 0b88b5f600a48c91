//! Panels in the words of pipeline.yaml: one that is written once is drawn for each of its facets.
//!
//! Brings curves, guides and rows of a panel together. Does not know the other panels.

use crate::figure::check;
use crate::figure::curves::{Curve, CurvePlace, Curves};
use crate::figure::guide::{Callout, Lines};
use crate::figure::query::choice::Group;
use crate::figure::query::selector::Selector;
use crate::figure::query::tables::{Drawn, TableScope, Tables};
use crate::figure::rows::{FigureRows, RowColumns};
use crate::params::look::Scale;
use plots::figure::{Axis, Guide, Panel, Series};
use retrace::base::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelParams {
    #[serde(default)]
    title: String,
    /// Draws this panel once for each of these, one after the other.
    #[serde(default)]
    facets: Vec<Facet>,
    x: Axis,
    y: Axis,
    /// Rows in place of numbers on the y axis.
    #[serde(default)]
    rows: Option<RowColumns>,
    #[serde(default)]
    guides: Vec<Lines>,
    /// Points of the tables that are marked and named.
    #[serde(default)]
    callouts: Vec<Callout>,
    pub series: Vec<Curves>,
}

/// What one of several like panels has of its own.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Facet {
    title: String,
    /// The table of all curves that name none.
    table: Option<String>,
    /// Chooses rows for all curves, beside their own `where`.
    #[serde(rename = "where")]
    filter: BTreeMap<String, Selector>,
    x: Bounds,
    y: Bounds,
}

/// What an axis of a facet shows; what is left out is as the panel says.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Bounds {
    range: Option<[f64; 2]>,
    within: Option<[f64; 2]>,
    ticks: Option<Vec<f64>>,
}

impl Bounds {
    fn of(&self, axis: &Axis) -> Axis {
        Axis {
            range: self.range.or(axis.range),
            within: self.within.or(axis.within),
            ticks: self.ticks.clone().or_else(|| axis.ticks.clone()),
            ..axis.clone()
        }
    }
}

/// A panel as it is drawn: itself, or one of its facets.
pub struct PanelAt<'p> {
    params: &'p PanelParams,
    /// `panels.0`.
    path: String,
    facet: &'p Facet,
    /// `panels.0.facets.1`; that of the panel where it has none.
    facet_path: String,
    pub title: &'p str,
    pub x: Axis,
    pub y: Axis,
}

/// A panel with its curves, and what is said of them.
pub struct Filled {
    pub path: String,
    pub title: String,
    pub panel: Panel,
    pub entries: Vec<Entry>,
    pub on_rows: bool,
    /// What the rows are called, by key.
    pub row_names: BTreeMap<String, String>,
    /// Paths of the guides that were written, below that of the panel.
    pub guides: Vec<String>,
}

/// The curves of one entry of `series`.
pub struct Entry {
    pub path: String,
    pub under: String,
    pub each: String,
    pub gaps: bool,
    pub curves: Vec<Curve>,
    /// Values without a curve: the value, the label of its table, its rows.
    pub unseen: Vec<(String, String, Vec<usize>)>,
    pub missing: Vec<String>,
}

/// How many panels are drawn.
pub fn count(panels: &[PanelParams]) -> usize {
    panels.iter().map(|panel| panel.facets.len().max(1)).sum()
}

/// Every panel that is drawn, in order.
pub fn drawn(panels: &[PanelParams]) -> Vec<PanelAt<'_>> {
    const WHOLE: &Facet = &Facet {
        title: String::new(),
        table: None,
        filter: BTreeMap::new(),
        x: Bounds::ALL,
        y: Bounds::ALL,
    };
    let panels = panels.iter().enumerate();
    let all = panels.flat_map(|(at, params)| {
        let path = format!("panels.{at}");
        let facets: Vec<(String, &Facet)> = match params.facets.is_empty() {
            true => vec![(path.clone(), WHOLE)],
            false => {
                let facets = params.facets.iter().enumerate();
                facets
                    .map(|(at, facet)| (format!("{path}.facets.{at}"), facet))
                    .collect()
            }
        };
        facets.into_iter().map(move |(facet_path, facet)| PanelAt {
            params,
            path: path.clone(),
            facet_path,
            title: match facet.title.as_str() {
                "" => &params.title,
                title => title,
            },
            x: facet.x.of(&params.x),
            y: facet.y.of(&params.y),
            facet,
        })
    });
    all.collect()
}

impl Bounds {
    const ALL: Bounds = Bounds {
        range: None,
        within: None,
        ticks: None,
    };
}

impl<'p> PanelAt<'p> {
    /// What the params alone tell.
    ///
    /// # Errors
    /// What cannot be, with its path.
    pub fn check(&self, looks: &Scale) -> std::result::Result<(), String> {
        let (panel, path) = (self.params, &self.path);
        check::names(&self.x, &format!("{path}.x"))?;
        check::names(&self.y, &format!("{path}.y"))?;
        if let Some(rows) = &panel.rows {
            rows.check(&format!("{path}.rows"))?;
        }
        for (at, guide) in panel.guides.iter().enumerate() {
            guide.check(&format!("{path}.guides.{at}"))?;
        }
        for (at, callout) in panel.callouts.iter().enumerate() {
            callout.check(&format!("{path}.callouts.{at}"), self.scope(), looks)?;
        }
        for (at, curves) in panel.series.iter().enumerate() {
            let path = format!("{path}.series.{at}");
            curves.check(&path, self.scope(), panel.rows.is_some(), looks)?;
        }
        Ok(())
    }

    /// A path with the facet, for warnings.
    fn said(&self, path: &str) -> String {
        match self.facet_path.strip_prefix(&self.path) {
            None | Some("") => path.to_owned(),
            Some(facet) => format!("{path} ({})", facet.trim_start_matches('.')),
        }
    }

    /// `panels.0`, whatever its facet.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn rows(&self) -> Option<&'p RowColumns> {
        self.params.rows.as_ref()
    }

    /// The lines across its frame.
    pub fn lines(&self) -> Vec<Guide> {
        self.params.guides.iter().flat_map(Lines::guides).collect()
    }

    pub fn callouts(&self) -> &'p [Callout] {
        &self.params.callouts
    }

    pub fn series(&self) -> &'p [Curves] {
        &self.params.series
    }

    /// What its facet says of all rows.
    pub fn scope(&self) -> TableScope<'_> {
        TableScope {
            table: self.facet.table.as_deref(),
            filter: &self.facet.filter,
            path: &self.facet_path,
        }
    }

    /// The panel with its curves.
    ///
    /// # Errors
    /// What it names and is not there.
    pub fn fill(&self, tables: &Tables, looks: &Scale, drawn: &mut Drawn) -> Result<Filled> {
        let (panel, path) = (self.params, &self.path);
        let rows = panel.rows.as_ref();
        let rows = rows.map(|rows| FigureRows::read(rows, tables, &format!("{path}.rows")));
        let rows = rows.transpose()?;
        let mut entries = Vec::new();
        for (at, curves) in panel.series.iter().enumerate() {
            let path = format!("{path}.series.{at}");
            let place = CurvePlace {
                path: &path,
                scope: self.scope(),
                rows: rows.as_ref(),
                looks,
            };
            let found = curves.find(tables, place, drawn)?;
            let unseen = found.unseen.into_iter();
            let unseen =
                unseen.map(|Group { value, named, rows }| (value, named.label.to_owned(), rows));
            entries.push(Entry {
                under: found.under,
                each: curves.each().to_owned(),
                gaps: curves.gaps,
                curves: found.curves,
                unseen: unseen.collect(),
                missing: found.missing,
                path: self.said(&path),
            });
        }
        let (mut guides, mut guide_paths) = (Vec::new(), Vec::new());
        for (at, lines) in panel.guides.iter().enumerate() {
            let lines: Vec<Guide> = lines.guides();
            guide_paths.extend(lines.iter().map(|_| format!("guides.{at}")));
            guides.extend(lines);
        }
        for (at, callout) in panel.callouts.iter().enumerate() {
            let at = format!("callouts.{at}");
            let place = format!("{path}.{at}");
            guides.push(callout.guide(tables, self.scope(), looks, &place, drawn)?);
            guide_paths.push(at);
        }
        guides.extend(rows.iter().flat_map(FigureRows::separators));
        let curves = entries.iter().flat_map(|entry| &entry.curves);
        let series: Vec<Series> = curves.map(|curve| curve.series.clone()).collect();
        Ok(Filled {
            path: self.said(path),
            title: self.title.to_owned(),
            panel: Panel {
                title: self.title.to_owned(),
                x: self.x.clone(),
                y: match &rows {
                    Some(rows) => rows.axis(&self.y),
                    None => self.y.clone(),
                },
                series,
                guides,
            },
            entries,
            on_rows: rows.is_some(),
            row_names: rows.as_ref().map_or_else(BTreeMap::new, FigureRows::names),
            guides: guide_paths,
        })
    }
}
