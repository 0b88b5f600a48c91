//! The bytes of small files: the codecs of tables and models, and a figure as SVG, PNG and PDF.
//!
//! Does not know digests. The font is given: it lies beside the pipeline, not in the program.

use icl::math::stream::Stream;
use plots::color::Color;
use plots::draw::export::{pdf, png, svg};
use plots::draw::figure::draw;
use plots::figure::{
    Axis, ErrorStyle, Figure, Legend, Line, Marker, Panel, Point, ScaleKind, Series,
};
use plots::font::Font;
use std::collections::BTreeMap;
use tables::csv;
use tables::model_file::ModelFile;
use tables::table::{Column, Table};

/// A file's name and its bytes.
pub type Files = Vec<(&'static str, Vec<u8>)>;

/// The files that need a font.
pub const DRAWN: [&str; 3] = ["figure svg", "figure png", "figure pdf"];

/// Rows of the table.
const ROWS: usize = 500;

/// A table of texts, whole numbers, numbers of all sizes and missing ones, and a model.
pub fn tables() -> Result<Files, String> {
    let mut stream = Stream::new(0, "golden table", &[]);
    let floats = (0..ROWS).map(|row| match row % 50 {
        49 => f64::NAN,
        place => stream.normal() * libm::exp2(10.0 * (place as f64 - 25.0)),
    });
    let floats = Column::Float(floats.collect());
    let texts = (0..ROWS).map(|row| format!("−θ₀, \"{}\"", row % 7));
    let table = Table::new(vec![
        ("task", Column::Text(texts.collect())),
        ("n", Column::Int((0..ROWS as i64).collect())),
        ("error", floats),
    ])
    .map_err(|e| e.to_string())?;
    let (parquet, csv) = (table.to_parquet(), table.to_csv());
    let (parquet, csv) = (
        parquet.map_err(|e| e.to_string())?,
        csv.map_err(|e| e.to_string())?,
    );
    // What is read back is written anew: the readers are part of it.
    let from_csv = csv::read(&csv)?.to_csv().map_err(|e| e.to_string())?;
    let from_parquet = Table::from_parquet(&parquet).and_then(|table| table.to_parquet());
    let rows = (0..7).map(|_| (0..7).map(|_| stream.normal()).collect());
    let head = BTreeMap::from([("q".to_owned(), rows.collect())]);
    let model = ModelFile::new(5, vec![vec![head]], None).to_bytes()?;
    Ok(vec![
        ("table csv", csv),
        ("table csv read back", from_csv),
        ("table parquet", parquet),
        (
            "table parquet read back",
            from_parquet.map_err(|e| e.to_string())?,
        ),
        ("model json", model),
    ])
}

/// A figure with a logarithmic axis, error bars, a legend and letters beyond ASCII.
pub fn figure(font: &[u8]) -> Result<Files, String> {
    let font = Font::from_bytes(font).map_err(|e| e.to_string())?;
    let mut stream = Stream::new(0, "golden figure", &[]);
    let mut series = |label: &str, color: Color| Series {
        label: label.to_owned(),
        color: color.into(),
        points: (0..=20)
            .map(|n| Point {
                x: f64::from(n),
                y: libm::exp(stream.normal()),
                error: Some(0.1),
            })
            .collect(),
        line: Some(Line::default()),
        marker: Some(Marker::default()),
        error: ErrorStyle::Band,
        ..Series::default()
    };
    let axis = |label: &str, scale: ScaleKind| Axis {
        label: label.to_owned(),
        scale,
        ..Axis::default()
    };
    let figure = Figure {
        panels: vec![Panel {
            x: axis("number of shots n", ScaleKind::Linear),
            y: axis("test error on −θ₀", ScaleKind::Log),
            series: vec![
                series("ZS (all)", Color::new(0x1F, 0x77, 0xB4)),
                series("ZS+FS (V), w*", Color::viridis(0.7)),
            ],
            ..Panel::default()
        }],
        legend: Some(Legend::default()),
        ..Figure::default()
    };
    let drawing = draw(&figure, &font).map_err(|e| e.to_string())?;
    let svg = svg(&drawing, &font).map_err(|e| e.to_string())?;
    let png = png(&drawing, &font, 100.0).map_err(|e| e.to_string())?;
    let pdf = pdf(&drawing, &font).map_err(|e| e.to_string())?;
    let [svg_name, png_name, pdf_name] = DRAWN;
    Ok(vec![
        (svg_name, svg.into_bytes()),
        (png_name, png),
        (pdf_name, pdf),
    ])
}
