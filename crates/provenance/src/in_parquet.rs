//! Provenance in a Parquet file: an entry of its key-value metadata.
//!
//! The table is written again, as the crate `tables` writes tables: what other programs wrote
//! does not come back byte for byte, and so cannot carry provenance.

use crate::carried::{Carried, NAME, Result, Unreadable};
use polars::prelude::{
    DataFrame, KeyValueMetadata, ParquetCompression, ParquetReader, ParquetWriter, SerReader,
    StatisticsOptions,
};
use std::io::Cursor;

/// Adds the entry.
pub fn embed(content: &[u8], json: &str) -> Result<Vec<u8>> {
    let entry = (NAME.to_owned(), json.to_owned());
    let metadata = KeyValueMetadata::from_static(vec![entry]);
    write(&mut read(content)?, Some(metadata))
}

/// Finds the entry, and writes the table without it.
pub fn take_apart(file: &[u8]) -> Result<Carried> {
    let mut reader = ParquetReader::new(Cursor::new(file));
    let metadata = reader.get_metadata().map_err(unreadable)?;
    let entries = metadata.key_value_metadata().iter().flatten();
    let mut ours = entries.filter(|entry| entry.key == NAME);
    let provenance = ours.next().and_then(|entry| entry.value.clone());
    let content = match &provenance {
        None => file.to_vec(),
        Some(_) => write(&mut read(file)?, None)?,
    };
    Ok(Carried {
        provenance,
        content,
    })
}

fn read(file: &[u8]) -> Result<DataFrame> {
    ParquetReader::new(Cursor::new(file))
        .finish()
        .map_err(unreadable)
}

fn write(frame: &mut DataFrame, metadata: Option<KeyValueMetadata>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Uncompressed)
        .with_statistics(StatisticsOptions::empty())
        .set_parallel(false)
        .with_key_value_metadata(metadata)
        .finish(frame)
        .map_err(|e| Unreadable(format!("the Parquet file cannot be written: {e}")))?;
    Ok(bytes)
}

fn unreadable(error: polars::error::PolarsError) -> Unreadable {
    Unreadable(format!("no whole Parquet file: {error}"))
}
