//! Provenance in a PNG file: an `iTXt` chunk right after the header.
//!
//! Chunks are copied as they are: no pixel is decoded. PNG specification, third edition (W3C 2025),
//! sections 5 (chunks) and 11.3.3.4 (`iTXt`).

use crate::carried::{Carried, NAME, Result, Unreadable};
use std::ops::Range;

/// The first bytes of every PNG file.
pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Length and type before the data of a chunk, and checksum behind it.
const BEFORE: usize = 8;
const BEHIND: usize = 4;

/// Where a chunk is in the file, and where its data are.
struct Chunk {
    kind: [u8; 4],
    whole: Range<usize>,
    data: Range<usize>,
}

/// Adds the chunk.
pub fn embed(content: &[u8], json: &str) -> Result<Vec<u8>> {
    let chunks = chunks(content)?;
    let at = chunks[0].whole.end;
    let mut body = b"iTXt".to_vec();
    body.extend_from_slice(&start());
    body.extend_from_slice(json.as_bytes());
    let length = u32::try_from(body.len() - 4);
    let length = length.map_err(|_| Unreadable("the provenance is too long for PNG".into()))?;
    let mut file = content[..at].to_vec();
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(&body);
    file.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
    file.extend_from_slice(&content[at..]);
    Ok(file)
}

/// Finds the chunk and removes it.
pub fn take_apart(file: &[u8]) -> Result<Carried> {
    let start = start();
    let ours =
        |chunk: &&Chunk| chunk.kind == *b"iTXt" && file[chunk.data.clone()].starts_with(&start);
    let chunks = chunks(file)?;
    let Some(chunk) = chunks.iter().find(ours) else {
        return Ok(Carried {
            provenance: None,
            content: file.to_vec(),
        });
    };
    let text = &file[chunk.data.start + start.len()..chunk.data.end];
    Ok(Carried {
        provenance: Some(String::from_utf8_lossy(text).into_owned()),
        content: [&file[..chunk.whole.start], &file[chunk.whole.end..]].concat(),
    })
}

/// How the chunk's data begin: the keyword; not compressed; no language, no translated keyword.
fn start() -> Vec<u8> {
    [NAME.as_bytes(), &[0, 0, 0, 0, 0]].concat()
}

/// All chunks, each with the right checksum, from `IHDR` to `IEND`.
fn chunks(file: &[u8]) -> Result<Vec<Chunk>> {
    let short = || Unreadable("the PNG is cut short".into());
    if !file.starts_with(SIGNATURE) {
        return Err(Unreadable("it does not begin like a PNG".into()));
    }
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut at = SIGNATURE.len();
    while chunks.last().is_none_or(|last| last.kind != *b"IEND") {
        let word = |at: usize| -> Option<[u8; 4]> { file.get(at..at + 4)?.try_into().ok() };
        let length = u32::from_be_bytes(word(at).ok_or_else(short)?);
        let kind = word(at + 4).ok_or_else(short)?;
        let length = usize::try_from(length).map_err(|_| short())?;
        let data = at + BEFORE..(at + BEFORE).saturating_add(length);
        let checksum = word(data.end.min(file.len())).ok_or_else(short)?;
        if crc32fast::hash(&file[at + 4..data.end]).to_be_bytes() != checksum {
            return Err(Unreadable("the PNG is damaged: a checksum is wrong".into()));
        }
        let whole = at..data.end + BEHIND;
        at = whole.end;
        chunks.push(Chunk { kind, whole, data });
    }
    match chunks[0].kind == *b"IHDR" && at == file.len() {
        true => Ok(chunks),
        false => Err(Unreadable(
            "the PNG has no header, or bytes behind its end".into(),
        )),
    }
}
