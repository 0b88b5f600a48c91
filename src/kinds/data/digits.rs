//! Kind `digits`: the images of handwritten digits as a table of tasks.
//!
//! Reads the gzipped CSV that scikit-learn ships (one image a row: 64 pixels from 0 to 16, row by row,
//! then the digit) and refuses it when its BLAKE3 digest is not the stated one. Output `table`: columns
//! `pixel_0` to `pixel_63`, `digit`, and for each of the 45 pairs a < b of digits the task `a_vs_b`:
//! -1 for an image of a, 1 for one of b, null for others.

use crate::kinds::data::packed::{check_digest, read_packed};
use crate::kinds::exchange::table::{failed, write_table};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct Digits;

/// Pixels of an image.
const PIXELS: usize = 64;
/// The darkest pixel.
const DARKEST: i64 = 16;
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Digest of the file, 64 hexadecimal digits.
    blake3: String,
}

impl StageKind for Digits {
    const NAME: &'static str = "digits";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("images")];
    const OUTPUTS: &'static [&'static str] = &["table.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        check_digest(&params.blake3)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let (name, text) = read_packed(io, "images", &params.blake3)?;
        let images = parse(&text).map_err(|e| Error::failed(format!("{name}: {e}")))?;
        io.log(format!("{} images", images.len()));
        write_table(io, "table", Ok(table(&images)?))
    }
}

/// An image: its pixels and the digit.
type Image = [i64; PIXELS + 1];

/// Rows and columns in messages are counted from 1.
fn parse(text: &str) -> std::result::Result<Vec<Image>, String> {
    let image = |(row, line): (usize, &str)| {
        let fields: Vec<&str> = line.split(',').collect();
        let row = row + 1;
        if fields.len() != PIXELS + 1 {
            let (found, wanted) = (fields.len(), PIXELS + 1);
            return Err(format!("row {row} has {found} columns, expected {wanted}"));
        }
        let mut image = [0; PIXELS + 1];
        for (column, (value, field)) in image.iter_mut().zip(fields).enumerate() {
            let (what, most) = match column {
                PIXELS => ("digit", 9),
                _ => ("pixel", DARKEST),
            };
            *value = match field.trim().parse() {
                Ok(number) if (0..=most).contains(&number) => number,
                _ => {
                    let column = column + 1;
                    return Err(format!(
                        "row {row}, column {column}: `{field}` is no {what}, a whole number from 0 to {most}"
                    ));
                }
            };
        }
        Ok(image)
    };
    let images: Vec<Image> = text
        // A blank line at the end is no image.
        .trim_end()
        .lines()
        .enumerate()
        .map(image)
        .collect::<std::result::Result<_, _>>()?;
    match images.is_empty() {
        true => Err("it has no rows".into()),
        false => Ok(images),
    }
}

fn table(images: &[Image]) -> Result<Table> {
    let mut columns: Vec<(String, Column)> = Vec::new();
    for pixel in 0..=PIXELS {
        let name = match pixel {
            PIXELS => "digit".to_owned(),
            _ => format!("pixel_{pixel}"),
        };
        let values = images.iter().map(|image| image[pixel]).collect();
        columns.push((name, Column::Int(values)));
    }
    for low in 0..10 {
        for high in low + 1..10 {
            let label = |image: &Image| match image[PIXELS] {
                digit if digit == low => -1.0,
                digit if digit == high => 1.0,
                _ => f64::NAN,
            };
            let labels = images.iter().map(label).collect();
            columns.push((format!("{low}_vs_{high}"), Column::Float(labels)));
        }
    }
    let columns = columns
        .iter()
        .map(|(name, column)| (name.as_str(), column.clone()));
    Table::new(columns.collect()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pixel: &str, digit: &str) -> String {
        format!("{},{pixel},{digit}\n", vec!["0"; PIXELS - 1].join(","))
    }

    #[test]
    fn images_become_tasks() {
        let images = parse(&(row("16", "3") + &row("0", "7") + &row("5", "1") + "\r\n\n")).unwrap();
        assert_eq!(images.len(), 3);
        let table = table(&images).unwrap();
        assert_eq!(table.columns().len(), 64 + 1 + 45);
        assert_eq!(table.floats("pixel_63").unwrap(), [16.0, 0.0, 5.0]);
        let labels = table.floats("3_vs_7").unwrap();
        assert!(labels[0] == -1.0 && labels[1] == 1.0 && labels[2].is_nan());
    }

    #[test]
    fn messages_name_row_and_column() {
        let message = |text: String| parse(&text).unwrap_err();
        let good = row("1", "2");
        assert_eq!(
            message(good.clone() + &row("17", "2")),
            "row 2, column 64: `17` is no pixel, a whole number from 0 to 16"
        );
        assert!(message(row("x", "2")).contains("row 1, column 64: `x`"));
        assert!(message(row("NaN", "2")).contains("`NaN`"));
        assert!(message(row("1", "10")).contains("column 65: `10` is no digit"));
        assert_eq!(message("1,2\n".into()), "row 1 has 2 columns, expected 65");
        assert_eq!(message(String::new()), "it has no rows");
    }
}
