//! Codecs of what stages exchange: bytes <-> plain structs.
//!
//! Parquet and CSV for tables, JSON for models. Byte-stable, and without provenance: equal content gives
//! equal bytes. Knows neither stages nor science.

pub mod cells;
pub mod compare;
pub mod csv;
pub mod foreign_parquet;
pub mod foreign_table;
pub mod model_file;
pub mod table;
pub mod table_diff;
