//! A Parquet file that another program wrote: its columns' names and types, and the cells of one column
//! when somebody asks for it.
//!
//! Reads pages itself, below polars' own types: those that this program is not built with (a date, a
//! category, an 8-bit number) would end in a panic for the whole file. What is not asked for is not
//! looked at. Damage may make the library panic, or worse: whoever reads foreign files tries them in a child first.

use crate::cells::Cells;
use polars::prelude::pf16;
use polars_arrow::array::{Array, BooleanArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType as Type, Field};
use polars_arrow::types::NativeType;
use polars_parquet::read::schema::parquet_to_arrow_schema;
use polars_parquet::read::{
    BasicDecompressor, FileMetadata, PageReader, RowGroupMetadata, column_iter_to_arrays,
    infer_schema, read_metadata,
};
use std::fmt::Display;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a column may hold, for messages.
pub const READABLE: &str =
    "text and categories, truth values, whole numbers and floats of every width";

/// An opened file.
pub struct ForeignParquet {
    bytes: Vec<u8>,
    metadata: FileMetadata,
    fields: Vec<Field>,
}

impl ForeignParquet {
    /// Reads what the file says of itself.
    ///
    /// # Errors
    /// When it is no Parquet file.
    pub fn open(bytes: Vec<u8>) -> Result<Self, String> {
        let metadata = read_metadata(&mut Cursor::new(&bytes)).map_err(unreadable)?;
        let fields = fields(&metadata);
        Ok(ForeignParquet {
            bytes,
            metadata,
            fields,
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.metadata.num_rows
    }

    /// The names of the columns, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// The type of a column, in the words of people, when it is one that cannot be read.
    pub fn unreadable_type(&self, column: usize) -> Option<String> {
        let field = &self.fields[column];
        collector(&field.dtype)
            .is_none()
            .then(|| type_name(&field.dtype))
    }

    /// The cells of a column.
    ///
    /// # Errors
    /// A type that is none of [`READABLE`], and damage.
    pub fn cells(&self, column: usize) -> Result<Cells, String> {
        let field = &self.fields[column];
        let Some(mut cells) = collector(&field.dtype) else {
            let name = type_name(&field.dtype);
            return Err(format!(
                "it is of type {name}; what can be used: {READABLE}"
            ));
        };
        let groups = &self.metadata.row_groups;
        for group in groups.iter().filter(|group| group.num_rows() > 0) {
            let mut rows = 0;
            for array in self.arrays(group, field)? {
                rows += array.len();
                collect(&mut cells, array.as_ref())
                    .ok_or("its values are not of the type that the file says")?;
            }
            if rows != group.num_rows() {
                let wanted = group.num_rows();
                return Err(format!(
                    "it holds {rows} values where the file says {wanted}"
                ));
            }
        }
        match cells.len() == self.rows() {
            true => Ok(cells),
            false => Err(format!(
                "it holds {} values, the file has {} rows",
                cells.len(),
                self.rows()
            )),
        }
    }

    /// The values of a column in a group of rows.
    fn arrays(
        &self,
        group: &RowGroupMetadata,
        field: &Field,
    ) -> Result<Vec<Box<dyn Array>>, String> {
        let mut chunks = group
            .columns_under_root_iter(&field.name)
            .into_iter()
            .flatten();
        let (Some(chunk), None) = (chunks.next(), chunks.next()) else {
            return Err("a part of the file does not hold it".into());
        };
        let range = chunk.byte_range();
        let place = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        let part = place.and_then(|(start, end)| self.bytes.get(start..end));
        let part = part.ok_or("its values lie beyond the end of the file")?;
        let pages = PageReader::new(
            Cursor::new(part.to_vec().into()),
            chunk,
            Vec::new(),
            MAX_PAGE,
        );
        let pages = BasicDecompressor::new(pages, Vec::new());
        let kind = &chunk.descriptor().descriptor.primitive_type;
        // Text by any name is read as text: with the type of a category the library expects one of its own.
        let field = Field::new(field.name.clone(), plain(&field.dtype).clone(), true);
        let (arrays, _) =
            column_iter_to_arrays(vec![pages], vec![kind], field, None).map_err(unreadable)?;
        Ok(arrays)
    }
}

/// A larger page is refused: ten times what writers of whole columns make.
const MAX_PAGE: usize = 1 << 30;

fn unreadable(error: impl Display) -> String {
    format!("no Parquet table: {error}")
}

/// The columns with the types that Arrow, where it wrote the file, says they had, and Parquet's else. A
/// schema that cannot be understood may be about a column that nobody asks for.
fn fields(metadata: &FileMetadata) -> Vec<Field> {
    let parquet = metadata.schema().fields();
    let stated = catch_unwind(AssertUnwindSafe(|| infer_schema(metadata)));
    let stated = stated.ok().and_then(Result::ok).unwrap_or_default();
    let derived = |index: usize| {
        let schema = parquet_to_arrow_schema(&parquet[index..=index]);
        schema.iter_values().next().cloned()
    };
    let field = |(index, name): (usize, &str)| {
        let known = stated.get(name).cloned().or_else(|| derived(index));
        Field::new(
            name.into(),
            known.map_or(Type::Null, |field| field.dtype),
            true,
        )
    };
    parquet
        .iter()
        .map(|kind| kind.name())
        .enumerate()
        .map(field)
        .collect()
}

/// The type under what others put around it: categories of texts are texts.
fn plain(kind: &Type) -> &Type {
    match kind.to_storage() {
        Type::Dictionary(_, values, _) => plain(values),
        kind => kind,
    }
}

/// Where cells of a type go; `None` for a type that is not read.
fn collector(kind: &Type) -> Option<Cells> {
    use Type::{
        Boolean, Float16, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32,
        UInt64, Utf8View,
    };
    match plain(kind) {
        Utf8View => Some(Cells::Text(Vec::new())),
        Boolean => Some(Cells::Truth(Vec::new())),
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 => {
            Some(Cells::Whole(Vec::new()))
        }
        Float16 | Float32 | Float64 => Some(Cells::Number(Vec::new())),
        _ => None,
    }
}

/// Adds an array's values; `None` when they are of another type.
fn collect(cells: &mut Cells, array: &dyn Array) -> Option<()> {
    match cells {
        Cells::Text(cells) => {
            let array = array.as_any().downcast_ref::<Utf8ViewArray>()?;
            cells.extend(array.iter().map(|text| text.map(str::to_owned)));
            Some(())
        }
        Cells::Truth(cells) => {
            cells.extend(array.as_any().downcast_ref::<BooleanArray>()?.iter());
            Some(())
        }
        Cells::Whole(cells) => convert::<i8, _>(cells, array)
            .or_else(|| convert::<i16, _>(cells, array))
            .or_else(|| convert::<i32, _>(cells, array))
            .or_else(|| convert::<i64, _>(cells, array))
            .or_else(|| convert::<u8, _>(cells, array))
            .or_else(|| convert::<u16, _>(cells, array))
            .or_else(|| convert::<u32, _>(cells, array))
            .or_else(|| convert::<u64, _>(cells, array)),
        Cells::Number(cells) => convert::<f64, _>(cells, array)
            .or_else(|| convert::<f32, _>(cells, array))
            .or_else(|| halves(cells, array)),
    }
}

fn convert<T: NativeType + Into<U>, U>(
    cells: &mut Vec<Option<U>>,
    array: &dyn Array,
) -> Option<()> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<T>>()?;
    cells.extend(array.iter().map(|value| value.map(|&value| value.into())));
    Some(())
}

/// Floats of 16 bits.
fn halves(cells: &mut Vec<Option<f64>>, array: &dyn Array) -> Option<()> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<pf16>>()?;
    cells.extend(
        array
            .iter()
            .map(|value| value.map(|value| value.0.to_f64())),
    );
    Some(())
}

/// A type in the words of people who write tables.
fn type_name(kind: &Type) -> String {
    match kind.to_storage() {
        Type::Null => "null (it has no values)".into(),
        Type::Date32 | Type::Date64 => "date".into(),
        Type::Time32(_) | Type::Time64(_) => "time".into(),
        Type::Timestamp(..) => "datetime".into(),
        Type::Duration(_) => "duration".into(),
        Type::Interval(_) => "interval".into(),
        Type::Binary | Type::LargeBinary | Type::BinaryView | Type::FixedSizeBinary(_) => {
            "binary".into()
        }
        Type::List(_) | Type::LargeList(_) => "list".into(),
        Type::FixedSizeList(..) => "array".into(),
        Type::Struct(_) => "struct".into(),
        Type::Map(..) => "map".into(),
        Type::Decimal(precision, scale) | Type::Decimal256(precision, scale) => {
            format!("decimal({precision}, {scale})")
        }
        Type::Dictionary(_, values, _) => format!("categories of {}", type_name(values)),
        kind => format!("{kind:?}").to_lowercase(),
    }
}
