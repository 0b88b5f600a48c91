//! Files cut at every place and with bytes flipped: an error, or a model that is whole; never a panic.

use crate::folder::{self, Kind};
use crate::gguf;
use crate::tiny::{Family, tiny};
use icl::math::stream::Stream;
use pretrained::{Error, Pretrained, load_folder, read_gguf};
use std::path::Path;
use tempfile::TempDir;
use tuning::transformer::model::layout::Layout;

/// An error that says something, or a model of finite parameters.
fn sound(result: Result<Pretrained, Error>) -> bool {
    match result {
        Ok(loaded) => {
            let layout = Layout::new(&loaded.config).expect("a layout");
            assert_eq!(loaded.parameters.len(), layout.len());
            assert!(loaded.parameters.iter().all(|x| x.is_finite()));
            let _ = loaded.tokens.encode("the end. 12 <u><|end|>");
            true
        }
        Err(error) => {
            assert!(!error.what.is_empty() && !error.hint.is_empty() && !error.path.is_empty());
            false
        }
    }
}

fn read(bytes: &[u8]) -> Result<Pretrained, Error> {
    read_gguf(Path::new("tiny.gguf"), bytes)
}

/// Where the first tensor's data begins.
fn data(bytes: &[u8], file: &gguf::Gguf) -> usize {
    let length: usize = file.tensors.iter().map(|tensor| tensor.data.len()).sum();
    bytes.len() - length
}

#[test]
fn every_truncation_of_a_gguf_file_is_an_error() {
    let file = gguf::of(&tiny(Family::Llama, true));
    let bytes = file.bytes();
    let start = data(&bytes, &file);
    assert!(sound(read(&bytes)));
    let cuts = (0..start)
        .chain((start..bytes.len()).step_by(13))
        .chain([bytes.len() - 1]);
    for cut in cuts {
        assert!(!sound(read(&bytes[..cut])), "cut at {cut}");
    }
    assert!(
        !sound(read(&[bytes.as_slice(), &[0; 64]].concat())),
        "more than there should be"
    );
}

#[test]
fn flipped_bytes_of_a_gguf_file_are_errors_or_other_models() {
    let file = gguf::of(&tiny(Family::Qwen2, false));
    let mut bytes = file.bytes();
    let start = data(&bytes, &file);
    let mut stream = Stream::new(0, "flips", &[]);
    let mut refused = 0;
    for at in 0..start {
        let mask = match stream.index(3) {
            0 => 0xff,
            1 => 0x80,
            _ => 1 << stream.index(8),
        };
        bytes[at] ^= mask;
        refused += usize::from(!sound(read(&bytes)));
        bytes[at] ^= mask;
    }
    assert!(refused > start / 4, "{refused} of {start}");
    for _ in 0..200 {
        let at = start + stream.index(bytes.len() - start);
        bytes[at] ^= 0xff;
        sound(read(&bytes));
        bytes[at] ^= 0xff;
    }
}

/// Every file of a folder: cut, and with a byte flipped.
#[test]
fn damaged_folders_are_errors_or_other_models() {
    let model = tiny(Family::Qwen2, false);
    let temp = TempDir::new().expect("a folder");
    let files = folder::write(temp.path(), &model, Kind::Bf16);
    let mut stream = Stream::new(0, "folder flips", &[]);
    let optional = files.tokenizer_config.clone().expect("written");
    for path in [
        &files.config,
        &files.tokenizer,
        &optional,
        &files.weights[0],
    ] {
        let bytes = std::fs::read(path).expect("read");
        let is_weights = path == &files.weights[0];
        for _ in 0..150 {
            let cut = stream.index(bytes.len());
            std::fs::write(path, &bytes[..cut]).expect("written");
            assert!(
                !sound(load_folder(&files)),
                "{} cut at {cut}",
                path.display()
            );
        }
        // Of the weights the header: eight bytes of length, then JSON.
        let most = if is_weights { 3000 } else { bytes.len() };
        for _ in 0..400 {
            let at = stream.index(most);
            let mut other = bytes.clone();
            other[at] ^= 1 << stream.index(8);
            std::fs::write(path, &other).expect("written");
            sound(load_folder(&files));
        }
        std::fs::write(path, &bytes).expect("written");
        assert!(sound(load_folder(&files)));
    }
}
