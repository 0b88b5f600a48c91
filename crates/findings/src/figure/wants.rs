//! The columns that a figure names: they are held against the tables before anything runs.
//!
//! Knows how params name tables and columns. Whether the values of a column are there, the drawing says.

use crate::figure::curves::Curves;
use crate::figure::panel::PanelAt;
use crate::figure::query::tables::{Rows, TableScope};
use retrace::stage::columns::Wanted;

/// Every column that these panels name, each with the path of its param.
pub fn wants(panels: &[PanelAt]) -> Vec<Wanted> {
    let mut wants = Vec::new();
    for panel in panels {
        let (path, scope) = (panel.path(), panel.scope());
        if let Some(rows) = panel.rows() {
            wants.push(want(&rows.table, &rows.key, format!("{path}.rows.key")));
            for (at, line) in rows.lines.iter().enumerate() {
                let param = format!("{path}.rows.lines.{at}");
                wants.push(want(&rows.table, line, param));
            }
        }
        for (at, callout) in panel.callouts().iter().enumerate() {
            let path = format!("{path}.callouts.{at}.from");
            of_rows(&callout.from, scope, &path, &mut wants);
        }
        for (at, curves) in panel.series().iter().enumerate() {
            of_curves(curves, scope, &format!("{path}.series.{at}"), &mut wants);
        }
    }
    wants
}

fn of_curves(curves: &Curves, scope: TableScope, path: &str, wants: &mut Vec<Wanted>) {
    let from = format!("{path}.from");
    of_rows(&curves.from, scope, &from, wants);
    if !curves.each().is_empty() {
        let (table, _) = curves.from.label(scope, &from);
        wants.push(want(table, curves.each(), format!("{path}.each")));
    }
}

fn of_rows(rows: &Rows, scope: TableScope, path: &str, wants: &mut Vec<Wanted>) {
    let (table, _) = rows.label(scope, path);
    let named = [("x", Some(&rows.x)), ("y", Some(&rows.y))];
    let named = named
        .into_iter()
        .chain([("std_error", rows.std_error.as_ref())]);
    for (key, column) in named {
        wants.extend(column.map(|column| want(table, column, format!("{path}.{key}"))));
    }
    for (column, _, at) in rows.conditions(scope, path) {
        wants.push(want(table, column, format!("{at}.where.{column}")));
    }
}

fn want(table: &str, column: &str, param: String) -> Wanted {
    Wanted {
        role: "tables".to_owned(),
        label: table.to_owned(),
        column: column.to_owned(),
        param,
    }
}
