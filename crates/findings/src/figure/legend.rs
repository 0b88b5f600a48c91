//! The key to a figure, in the words of pipeline.yaml: what it lists beyond what the curves say of
//! themselves, and how many standard errors their bars show.
//!
//! An entry explains something that the figure has. Does not know where the legend stands.

use crate::figure::error_range::ErrorRange;
use crate::params::look::{self, Look, LookOf, Scale, Sizes};
use plots::color::Color;
use plots::figure::{ErrorStyle, Figure, Guide, Legend, Position, Series};
use retrace::base::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Of what has no colour of its own: bars of curves of several colours.
const INK: Color = Color::new(0x22, 0x22, 0x22);

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LegendParams {
    /// Entries run down the first column, then the next.
    columns: usize,
    position: Position,
    /// The panel whose corner holds it.
    pub panel: usize,
    /// What to list instead of the curves.
    entries: Vec<Entry>,
    /// A thin box around it.
    frame: bool,
}

/// An entry, or one for each of several names of `looks`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    look: Option<LookOf>,
    #[serde(default)]
    mark: Sizes,
    /// A bar or band; how many standard errors it is stands for `{}` in the look's label.
    #[serde(default)]
    error: Option<ErrorRange>,
}

impl Default for LegendParams {
    fn default() -> Self {
        let plain = Legend::default();
        LegendParams {
            columns: plain.columns,
            position: plain.position,
            panel: plain.panel,
            entries: Vec::new(),
            frame: plain.frame,
        }
    }
}

impl LegendParams {
    /// What the params alone tell.
    ///
    /// # Errors
    /// A panel or a look that is not there, an entry of nothing.
    pub fn check(&self, panels: usize, looks: &Scale) -> std::result::Result<(), String> {
        if self.panel > 0 && self.panel >= panels {
            return Err(format!(
                "legend.panel: there is no panel {}: they are counted from 0 to {}",
                self.panel,
                panels.saturating_sub(1)
            ));
        }
        for (at, entry) in self.entries.iter().enumerate() {
            let path = format!("legend.entries.{at}");
            match (entry.values.is_empty(), &entry.look, entry.error) {
                (false, Some(_), _) => {
                    return Err(format!("{path}.look: each of `values` has its own look"));
                }
                (true, None, None) => {
                    return Err(format!(
                        "{path}: it lists nothing: write `values`, `look` or `error`"
                    ));
                }
                (_, Some(look), _) => look.check(looks, &format!("{path}.look"))?,
                _ => {}
            }
            for (place, name) in entry.values.iter().enumerate() {
                look::known(name, looks, &format!("{path}.values.{place}"))?;
            }
        }
        Ok(())
    }

    /// The legend of a figure whose curves have these errors.
    pub fn legend(&self, figure: &Figure, looks: &Scale, errors: &[ErrorRange]) -> Legend {
        let mut entries: Vec<Series> = match self.entries.is_empty() {
            true => figure.listed(),
            false => self.entries.iter().flat_map(|e| e.series(looks)).collect(),
        };
        // Bars and bands have one entry of their own, which says how far they reach.
        let told = self.entries.iter().any(|entry| entry.error.is_some());
        if !told && !entries.is_empty() {
            for entry in &mut entries {
                entry.error = ErrorStyle::None;
            }
            let series = || figure.panels.iter().flat_map(|panel| &panel.series);
            let along_x = series().any(|series| series.error == ErrorStyle::BarsAlongX);
            for error in errors {
                let mut entry = error_entry(*error);
                if along_x {
                    entry.error = error.style_on_rows();
                }
                if !entries.iter().any(|known| known.label == entry.label) {
                    entries.push(entry);
                }
            }
        }
        Legend {
            columns: self.columns,
            position: self.position,
            panel: self.panel,
            entries,
            frame: self.frame,
        }
    }

    /// That every entry explains something that the figure has, or can have: a colour of `possible`.
    ///
    /// # Errors
    /// An entry of another colour.
    pub fn check_entries(&self, figure: &Figure, looks: &Scale, possible: &[Color]) -> Result<()> {
        if figure.panels.is_empty() {
            return Ok(());
        }
        let series = figure.panels.iter().flat_map(|panel| &panel.series);
        let mut colors: BTreeSet<String> = series.map(|s| s.color.0.to_string()).collect();
        colors.extend(possible.iter().map(Color::to_string));
        let guide = |guide: &Guide| match guide {
            Guide::Vertical(line) | Guide::Horizontal(line) => line.color,
            Guide::Point(point) => point.color,
        };
        let guides = figure.panels.iter().flat_map(|panel| &panel.guides);
        colors.extend(guides.map(|g| guide(g).to_string()));
        for (at, entry) in self.entries.iter().enumerate() {
            for series in entry.series(looks) {
                let color = series.color.0.to_string();
                if entry.error.is_none() && !colors.contains(&color) {
                    let message = format!(
                        "legend.entries.{at}: nothing in the figure has the colour {color} of `{}`",
                        series.label
                    );
                    let known = colors.iter().map(String::as_str);
                    return Err(Error::failed(message).suggest(&color, known));
                }
            }
        }
        Ok(())
    }
}

impl Entry {
    fn series(&self, looks: &Scale) -> Vec<Series> {
        let one = |look: &Look| Series {
            label: match self.error {
                Some(error) => look.label.replace("{}", &error.words()),
                None => look.label.clone(),
            },
            color: look.color.at(0, 1).into(),
            line: look.line(self.mark),
            marker: look.marker(self.mark),
            error: self.error.map_or(ErrorStyle::None, ErrorRange::style),
            ..Series::default()
        };
        let named = self
            .values
            .iter()
            .filter_map(|name| look::find(name, looks));
        let own = self.look.iter().filter_map(|look| look.of(looks));
        let mut listed: Vec<Series> = named.chain(own).map(one).collect();
        if let (true, Some(error)) = (listed.is_empty(), self.error) {
            listed.push(error_entry(error));
        }
        listed
    }
}

fn error_entry(error: ErrorRange) -> Series {
    Series {
        label: error.words(),
        color: INK.into(),
        error: error.style(),
        ..Series::default()
    }
}
