//! One model in every form is one model.

use crate::folder::{self, Kind};
use crate::gguf;
use crate::tiny::{Family, Tiny, tiny};
use pretrained::{Message, Pretrained, load_folder, load_gguf, read_gguf};
use std::path::Path;
use tempfile::TempDir;
use tuning::transformer::model::config::{HeadOutput, Output};
use tuning::transformer::model::layout::Layout;

pub fn of_gguf(file: &gguf::Gguf) -> Result<Pretrained, pretrained::Error> {
    read_gguf(Path::new("tiny.gguf"), &file.bytes())
}

fn all() -> Vec<Tiny> {
    let families = [Family::Llama, Family::Qwen2];
    let all = families.map(|family| [true, false].map(|tied| tiny(family, tied)));
    all.concat()
}

/// Each tensor where the layout has it, by its name.
fn has(loaded: &Pretrained, model: &Tiny) {
    let layout = Layout::new(&loaded.config).expect("a layout");
    assert_eq!(loaded.parameters.len(), layout.len());
    assert_eq!(layout.tensors().len(), model.tensors.len());
    for tensor in layout.tensors() {
        let (_, values) = &model.tensors[&tensor.name];
        assert_eq!(
            &loaded.parameters[tensor.range()],
            values,
            "{}",
            tensor.name
        );
    }
}

#[test]
fn a_gguf_file_and_a_folder_are_the_same_model() {
    for model in all() {
        let temp = TempDir::new().expect("a folder");
        let files = folder::write(temp.path(), &model, Kind::F32);
        let from_folder = load_folder(&files).expect("a sound folder");
        has(&from_folder, &model);
        let path = temp.path().join("tiny.gguf");
        std::fs::write(&path, gguf::of(&model).bytes()).expect("written");
        let from_gguf = load_gguf(&path).expect("a sound file");
        has(&from_gguf, &model);
        assert_eq!(from_gguf.config, from_folder.config);
        assert_eq!(
            from_gguf.config.attention.bias,
            model.family == Family::Qwen2
        );
        assert_eq!(
            from_gguf.config.attention.output,
            HeadOutput::Projection { bias: false }
        );
        assert_eq!(from_gguf.config.output == Output::Tied, model.tied);
        assert_eq!((from_gguf.context, from_folder.context), (64, 64));
        assert_eq!((&from_gguf.end, &from_folder.end), (&vec![0], &vec![0]));
        assert_eq!(from_gguf.about.licence.as_deref(), Some("mit"));
        assert_eq!(
            from_gguf.tokens.vocabulary(),
            from_folder.tokens.vocabulary()
        );
        let chat = [Message::new("user", "the other 42\nthe <u>.")];
        let texts = [&from_gguf, &from_folder].map(|loaded| {
            let chat_template = loaded.chat.as_ref().expect("a template");
            chat_template.render(&chat, true).expect("rendered")
        });
        assert_eq!(
            texts[0],
            "<|start|>user the other 42\nthe <u>.<|end|><|start|>assistant "
        );
        assert_eq!(texts[0], texts[1]);
        let ids = [&from_gguf, &from_folder]
            .map(|loaded| loaded.tokens.encode(&texts[0]).expect("encoded"));
        assert_eq!(ids[0], ids[1]);
        assert_eq!(from_gguf.tokens.decode(&ids[0]).expect("decoded"), texts[0]);
    }
}

#[test]
fn half_precision_and_several_files_change_nothing() {
    for model in all() {
        for kind in [Kind::F16, Kind::Bf16] {
            let temp = TempDir::new().expect("a folder");
            let files = folder::write(temp.path(), &model, kind);
            has(&load_folder(&files).expect("sound"), &model);
        }
        let temp = TempDir::new().expect("a folder");
        folder::write(temp.path(), &model, Kind::F32);
        let mut files = folder::split(temp.path(), &model);
        assert_eq!(files.weights.len(), 2);
        has(&load_folder(&files).expect("sound"), &model);
        files.weights.reverse();
        has(&load_folder(&files).expect("in any order"), &model);
        files.index = None;
        has(
            &load_folder(&files).expect("an index is not needed"),
            &model,
        );
    }
}

/// Q8_0 and Q4_1 of the values' quants, and what they stand for: f64 holds quant * scale + offset exactly.
#[test]
fn quantised_tensors_are_what_their_blocks_say() {
    let (scale, offset) = (0x2c00u16, 0xb800u16);
    let (of_scale, of_offset) = (0.0625, -0.5);
    for (kind, bytes) in [(8u32, 34usize), (3, 20)] {
        let mut model = tiny(Family::Llama, true);
        let mut file = gguf::of(&model);
        let name = "model.layers.1.mlp.down_proj.weight";
        let tensor = file.tensor("blk.1.ffn_down.weight");
        let count = tensor.data.len() / 4;
        tensor.kind = kind;
        tensor.data.clear();
        let mut expected = Vec::new();
        for block in 0..count / 32 {
            let before = tensor.data.len();
            tensor.data.extend(scale.to_le_bytes());
            if kind == 8 {
                let quants: Vec<i8> = (0..32).map(|i| (i * 7 + block as i32) as i8).collect();
                expected.extend(quants.iter().map(|&q| (f64::from(q) * of_scale) as f32));
                tensor.data.extend(quants.iter().map(|&q| q as u8));
            } else {
                tensor.data.extend(offset.to_le_bytes());
                let quants: Vec<u8> = (0..32).map(|i| ((i * 5 + block) % 16) as u8).collect();
                expected.extend(
                    quants
                        .iter()
                        .map(|&q| (f64::from(q) * of_scale + of_offset) as f32),
                );
                tensor
                    .data
                    .extend((0..16).map(|i| quants[i] | quants[i + 16] << 4));
            }
            assert_eq!(tensor.data.len() - before, bytes);
        }
        model.tensors.get_mut(name).expect("there").1 = expected;
        has(&of_gguf(&file).expect("sound"), &model);
    }
}

#[test]
fn a_file_says_which_tokens_begin_a_text() {
    let mut file = gguf::of(&tiny(Family::Llama, true));
    assert_eq!(of_gguf(&file).expect("sound").begin, [0u32; 0]);
    file.set("tokenizer.ggml.add_bos_token", gguf::truth(true));
    let loaded = of_gguf(&file).expect("sound");
    assert_eq!(loaded.begin, [1]);
    // Never by itself: who writes a chat would have it twice.
    assert_eq!(loaded.tokens.encode("the").expect("encoded").len(), 1);
}
