//! Codecs of what stages exchange: bytes <-> plain structs.
//!
//! Parquet and CSV for tables, JSON for models. Byte-stable, and without provenance ([`provenance`] puts
//! it into what is published): equal content
//! gives equal bytes. Knows neither stages nor science.

pub mod carried;
pub mod cells;
pub mod compare;
pub mod csv;
pub mod foreign_parquet;
pub mod foreign_table;
pub mod in_parquet;
pub mod in_pdf;
pub mod in_png;
pub mod in_svg;
pub mod model_file;
pub mod provenance;
pub mod table;
pub mod table_diff;
