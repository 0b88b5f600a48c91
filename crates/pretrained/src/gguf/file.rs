//! The container: a header of named values, the list of tensors, and their data.
//!
//! Versions 2 and 3, little-endian. Checks that every tensor lies within the file and none over another. Does not know
//! what a value or a tensor is for. Source: the specification in ggml's repository, docs/gguf.md.

use crate::base::error::{Error, Result};
use crate::base::numbers::Stored;
use crate::gguf::cursor::Cursor;
use std::collections::BTreeMap;
use std::path::Path;

/// Where tensors begin, unless the header says otherwise: at a multiple of this.
const ALIGNMENT: u64 = 32;
/// A bound of our own: alignments are small powers of two.
const MOST_ALIGNMENT: u64 = 1 << 20;

/// A value of the header.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Bool(bool),
    /// Any of the integer types.
    Integer(i128),
    /// Either of the floating-point types; every f32 is an f64.
    Float(f64),
    Text(&'a str),
    Texts(Vec<&'a str>),
    Integers(Vec<i64>),
    /// An array of what no key that is used here has.
    Other,
}

/// A tensor's values as they are stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredTensor<'a> {
    /// Rows and columns, or a vector's length.
    pub shape: Vec<usize>,
    pub stored: Stored,
    pub data: &'a [u8],
}

#[derive(Debug)]
pub(crate) struct File<'a> {
    pub values: BTreeMap<&'a str, Value<'a>>,
    pub tensors: BTreeMap<&'a str, StoredTensor<'a>>,
}

/// # Errors
/// Another format, another version, a file that is cut off or contradicts itself, a type of values that is not
/// supported.
pub(crate) fn parse<'a>(path: &'a Path, bytes: &'a [u8]) -> Result<File<'a>> {
    let mut cursor = Cursor::new(path, bytes);
    if bytes.get(..4) != Some(b"GGUF".as_slice()) {
        let hint = "name a .gguf file; other formats are read as a folder of the model hub";
        return Err(Error::new(path, "it is no GGUF file", hint));
    }
    cursor.take(4)?;
    let version = cursor.u32()?;
    if !matches!(version, 2 | 3) {
        let what = match version.swap_bytes() {
            2 | 3 => "it is a big-endian GGUF file".to_owned(),
            _ => format!("it is GGUF version {version}"),
        };
        return Err(Error::new(
            path,
            what,
            "convert it to version 3, little-endian",
        ));
    }
    // The least that a tensor takes: name's length, number of dimensions, type, offset; and a value: key's length, type, a byte.
    let tensors = cursor.count("tensors", 24)?;
    let values = cursor.count("values", 13)?;
    let values = header(path, &mut cursor, values)?;
    let alignment = match values.get("general.alignment") {
        None => ALIGNMENT,
        Some(&Value::Integer(stated)) => u64::try_from(stated).unwrap_or(0),
        Some(_) => 0,
    };
    if !alignment.is_power_of_two() || alignment > MOST_ALIGNMENT {
        let what = "general.alignment is no small power of two";
        return Err(Error::damaged(path, what));
    }
    let entries = (0..tensors)
        .map(|_| entry(path, &mut cursor))
        .collect::<Result<Vec<Entry>>>()?;
    let start = (cursor.at() as u64).next_multiple_of(alignment);
    let tensors = place(path, bytes, start, alignment, entries)?;
    Ok(File { values, tensors })
}

fn header<'a>(
    path: &Path,
    cursor: &mut Cursor<'a>,
    count: usize,
) -> Result<BTreeMap<&'a str, Value<'a>>> {
    let mut values = BTreeMap::new();
    for _ in 0..count {
        let key = cursor.string("a key")?;
        let kind = cursor.u32()?;
        let value = value(path, cursor, key, kind)?;
        if values.insert(key, value).is_some() {
            return Err(Error::damaged(
                path,
                format!("it has the key {key:?} twice"),
            ));
        }
    }
    Ok(values)
}

/// Numbers of types, as the format has them.
const UINT8: u32 = 0;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const FLOAT64: u32 = 12;

fn value<'a>(path: &Path, cursor: &mut Cursor<'a>, key: &str, kind: u32) -> Result<Value<'a>> {
    match kind {
        STRING => Ok(Value::Text(cursor.string(key)?)),
        ARRAY => {
            let kind = cursor.u32()?;
            array(path, cursor, key, kind)
        }
        _ => scalar(path, cursor, key, kind),
    }
}

fn scalar<'a>(path: &Path, cursor: &mut Cursor<'a>, key: &str, kind: u32) -> Result<Value<'a>> {
    Ok(match kind {
        UINT8 => Value::Integer(cursor.u8()?.into()),
        1 => Value::Integer((cursor.u8()? as i8).into()),
        2 => Value::Integer(cursor.u16()?.into()),
        3 => Value::Integer((cursor.u16()? as i16).into()),
        4 => Value::Integer(cursor.u32()?.into()),
        5 => Value::Integer((cursor.u32()? as i32).into()),
        6 => Value::Float(f32::from_bits(cursor.u32()?).into()),
        BOOL => match cursor.u8()? {
            0 => Value::Bool(false),
            1 => Value::Bool(true),
            other => {
                let what = format!("{key} is {other}, neither true nor false");
                return Err(Error::damaged(path, what));
            }
        },
        10 => Value::Integer(cursor.u64()?.into()),
        11 => Value::Integer((cursor.u64()? as i64).into()),
        FLOAT64 => Value::Float(f64::from_bits(cursor.u64()?)),
        _ => {
            let what = format!("{key} has a value of type {kind}, which the format does not have");
            return Err(Error::damaged(path, what));
        }
    })
}

fn array<'a>(path: &Path, cursor: &mut Cursor<'a>, key: &str, kind: u32) -> Result<Value<'a>> {
    let least = match kind {
        STRING | 10..=FLOAT64 => 8,
        2 | 3 => 2,
        4..=6 => 4,
        _ => 1,
    };
    if kind == ARRAY {
        let what = format!("{key} is an array of arrays, which nothing here needs");
        return Err(Error::unsupported(path, what));
    }
    let count = cursor.count(&format!("elements of {key}"), least)?;
    if kind == STRING {
        let texts = (0..count).map(|_| cursor.string(key));
        return Ok(Value::Texts(texts.collect::<Result<_>>()?));
    }
    let mut integers = Vec::new();
    for _ in 0..count {
        if let Value::Integer(integer) = scalar(path, cursor, key, kind)? {
            integers.extend(i64::try_from(integer));
        }
    }
    Ok(if integers.len() == count {
        Value::Integers(integers)
    } else {
        Value::Other
    })
}

/// A line of the list of tensors.
struct Entry<'a> {
    name: &'a str,
    shape: Vec<usize>,
    stored: Stored,
    offset: u64,
    length: u64,
}

fn entry<'a>(path: &Path, cursor: &mut Cursor<'a>) -> Result<Entry<'a>> {
    let name = cursor.string("a tensor's name")?;
    let dimensions = cursor.u32()?;
    if !(1..=4).contains(&dimensions) {
        let what = format!("tensor {name} has {dimensions} dimensions, not 1 to 4");
        return Err(Error::damaged(path, what));
    }
    let sizes = (0..dimensions)
        .map(|_| cursor.u64())
        .collect::<Result<Vec<u64>>>()?;
    let stored = stored(path, name, cursor.u32()?)?;
    let offset = cursor.u64()?;
    let (values, bytes) = stored.block();
    let count = sizes
        .iter()
        .try_fold(1u64, |count, &size| count.checked_mul(size));
    let columns = sizes[0];
    let length = count
        .filter(|_| columns % values as u64 == 0)
        .and_then(|count| (count / values as u64).checked_mul(bytes as u64));
    // The first size runs fastest: of a matrix its columns.
    let shape: Option<Vec<usize>> = sizes
        .iter()
        .rev()
        .map(|&size| size.try_into().ok())
        .collect();
    match (length, shape) {
        (Some(length), Some(shape)) => Ok(Entry {
            name,
            shape,
            stored,
            offset,
            length,
        }),
        _ => {
            let what = format!("tensor {name} has sizes {sizes:?}, which {stored:?} cannot have");
            Err(Error::damaged(path, what))
        }
    }
}

/// Names of the types by number; those without a reader are refused by their names.
fn stored(path: &Path, tensor: &str, number: u32) -> Result<Stored> {
    let name = match number {
        0 => return Ok(Stored::F32),
        1 => return Ok(Stored::F16),
        2 => return Ok(Stored::Q4_0),
        3 => return Ok(Stored::Q4_1),
        6 => return Ok(Stored::Q5_0),
        7 => return Ok(Stored::Q5_1),
        8 => return Ok(Stored::Q8_0),
        30 => return Ok(Stored::Bf16),
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => {
            let what = format!("tensor {tensor} has the unknown type {number}");
            return Err(Error::damaged(path, what));
        }
    };
    let what = format!("tensor {tensor} is stored as {name}");
    let hint = "use a file of type F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1 or Q8_0";
    Err(Error::new(path, what, hint))
}

/// The tensors' data, from offsets that count from `start`.
fn place<'a>(
    path: &Path,
    bytes: &'a [u8],
    start: u64,
    alignment: u64,
    mut entries: Vec<Entry<'a>>,
) -> Result<BTreeMap<&'a str, StoredTensor<'a>>> {
    entries.sort_by_key(|entry| entry.offset);
    let damaged = |what: String| Err(Error::damaged(path, what));
    let mut tensors = BTreeMap::new();
    let (mut end, mut before) = (0, "");
    for entry in entries {
        let Entry { name, offset, .. } = entry;
        if offset % alignment != 0 {
            return damaged(format!(
                "tensor {name} begins at {offset}, no multiple of {alignment}"
            ));
        }
        if offset < end {
            return damaged(format!("tensors {before} and {name} lie over each other"));
        }
        let first = start.checked_add(offset);
        let last = first.and_then(|first| first.checked_add(entry.length));
        let range = first
            .zip(last)
            .filter(|&(_, last)| last <= bytes.len() as u64)
            .map(|(first, last)| first as usize..last as usize);
        let Some(range) = range else {
            return damaged(format!("it ends before the end of tensor {name}"));
        };
        // In range: no overflow.
        (end, before) = (offset + entry.length, name);
        let tensor = StoredTensor {
            shape: entry.shape,
            stored: entry.stored,
            data: &bytes[range],
        };
        if tensors.insert(name, tensor).is_some() {
            return damaged(format!("it has tensor {name} twice"));
        }
    }
    let rest = bytes.len() as u64 - (start + end).min(bytes.len() as u64);
    if rest >= alignment {
        return damaged(format!("{rest} bytes follow the last tensor"));
    }
    Ok(tensors)
}
