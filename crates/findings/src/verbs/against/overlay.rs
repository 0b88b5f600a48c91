//! The curves of another version, for the charts of a page that has its own: those that differ, as small as
//! the page's weight wants.
//!
//! Data in, JSON out. Knows no stage and no page.

use crate::page::figures::Chart;
use retrace::base::error::{Error, Result};
use serde_json::{Map, Value as Json, json};

/// How much of the curves is left where the page would weigh too much, the most first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// Points with their standard errors.
    Errors,
    /// Points alone.
    Points,
}

/// The curves of `other` that `own` does not have just so, by panel; `None` where there are none.
///
/// # Errors
/// A chart is none that JSON can hold.
pub fn curves(own: Option<&Chart>, other: &Chart, detail: Detail) -> Result<Option<Json>> {
    let json = |chart: &Chart| {
        serde_json::to_value(chart).map_err(|e| Error::failed(format!("a chart: {e}")))
    };
    let own = own.map(json).transpose()?.unwrap_or_default();
    let mut other = json(other)?;
    let mut any = false;
    let panels = other["panels"].as_array_mut().map(std::mem::take);
    let panels: Vec<Json> = panels
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(at, mut panel)| {
            let known = own["panels"][at]["series"].as_array();
            let series = panel["series"].as_array_mut().map(std::mem::take);
            let mut series = series.unwrap_or_default();
            series.retain(|curve| !known.is_some_and(|known| known.contains(curve)));
            for curve in &mut series {
                any = true;
                for point in curve["points"].as_array_mut().into_iter().flatten() {
                    *point = shortened(point, detail);
                }
            }
            json!({"rows": panel["rows"], "series": series})
        })
        .collect();
    Ok(any.then(|| json!({"panels": panels})))
}

/// x, y and, if wanted, the standard error, to four digits: the file of the other version has all of them.
fn shortened(point: &Json, detail: Detail) -> Json {
    let kept = match detail {
        Detail::Errors => 3,
        Detail::Points => 2,
    };
    let short = |number: &Json| match number.as_f64() {
        Some(value) => json!(format!("{value:.3e}").parse::<f64>().unwrap_or(value)),
        None => Json::Null,
    };
    let numbers = point.as_array().into_iter().flatten();
    let mut numbers: Vec<Json> = numbers.take(kept).map(short).collect();
    if numbers.get(2) == Some(&Json::Null) {
        numbers.pop();
    }
    Json::Array(numbers)
}

/// Figures by id with their curves, at most `most` bytes of JSON in all: first without standard errors, then
/// without the last figures, whose ids are returned too.
///
/// # Errors
/// A chart is none that JSON can hold.
pub fn fitting(
    charts: &[(String, Option<Chart>, Chart)],
    most: usize,
) -> Result<(Map<String, Json>, Vec<String>)> {
    let with = |detail| -> Result<Vec<(String, Json)>> {
        let mut found = Vec::new();
        for (id, own, other) in charts {
            if let Some(curves) = curves(own.as_ref(), other, detail)? {
                found.push((id.clone(), curves));
            }
        }
        Ok(found)
    };
    let weight = |id: &str, curves: &Json| id.len() + curves.to_string().len() + 4;
    // The braces around all of them.
    let most = most.saturating_sub(2);
    let mut found = with(Detail::Errors)?;
    let all: usize = found.iter().map(|(id, curves)| weight(id, curves)).sum();
    if all > most {
        found = with(Detail::Points)?;
    }
    let (mut left, mut out) = (most, Vec::new());
    let mut kept = Map::new();
    for (id, curves) in found {
        match left.checked_sub(weight(&id, &curves)) {
            Some(rest) => {
                left = rest;
                kept.insert(id, curves);
            }
            None => out.push(id),
        }
    }
    Ok((kept, out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::figures::chart;

    const HEAD: &str = "panel,panel_title,curve,series,key,row,x,y,std_error,exact,color,line,marker,shape,std_errors\n";

    fn drawn(rows: &[(&str, f64, f64)]) -> Chart {
        let line = |(name, x, y): &(&str, f64, f64)| {
            let curve = usize::from(*name != "a");
            format!("0,p,{curve},{name},,,{x},{y},0.125,,#4D96FF,solid,,,2\n")
        };
        let text = HEAD.to_owned() + &rows.iter().map(line).collect::<String>();
        chart(&Json::Null, text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn only_curves_that_differ_are_laid_over() {
        let own = drawn(&[("a", 0.0, 1.0), ("b", 0.0, 2.0)]);
        let other = drawn(&[("a", 0.0, 1.0), ("b", 0.0, 2.123_456)]);
        let found = curves(Some(&own), &other, Detail::Errors).unwrap().unwrap();
        let series = found["panels"][0]["series"].as_array().unwrap();
        assert_eq!(series.len(), 1);
        assert_eq!(series[0]["name"], "b");
        assert_eq!(series[0]["points"], json!([[0.0, 2.123, 0.125]]));
        assert_eq!(curves(Some(&own), &own, Detail::Errors).unwrap(), None);
        let bare = curves(None, &own, Detail::Points).unwrap().unwrap();
        assert_eq!(
            bare["panels"][0]["series"][1]["points"],
            json!([[0.0, 2.0]])
        );
    }

    #[test]
    fn a_heavy_page_loses_errors_first_and_then_the_last_figures() {
        let charts = ["one", "two"].map(|id| {
            let (own, other) = (drawn(&[("a", 0.0, 1.0)]), drawn(&[("a", 0.0, 3.0)]));
            (id.to_owned(), Some(own), other)
        });
        let whole = fitting(&charts, usize::MAX).unwrap().0;
        let size = serde_json::to_string(&whole).unwrap().len();
        assert_eq!(
            whole["one"]["panels"][0]["series"][0]["points"],
            json!([[0.0, 3.0, 0.125]])
        );
        let (bare, out) = fitting(&charts, size - 1).unwrap();
        assert!(out.is_empty());
        assert_eq!(
            bare["two"]["panels"][0]["series"][0]["points"],
            json!([[0.0, 3.0]])
        );
        let (some, out) = fitting(&charts, size / 2).unwrap();
        assert_eq!((some.len(), &*out), (1, &["two".to_owned()][..]));
        assert_eq!(fitting(&charts, 0).unwrap().1.len(), 2);
    }
}
