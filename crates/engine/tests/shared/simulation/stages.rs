//! Toy stages that read each other: what each makes, and what comes of all of them one after the other.

use crate::simulation::clock::draw;
use retrace::base::digest::Digest;
use retrace::stage::key::{Code, Key};
use serde_json::json;
use std::sync::Arc;

/// Stages, each of which reads some of those before it.
pub struct Stages {
    pub reads: Vec<Vec<usize>>,
    code: Arc<Code>,
}

impl Stages {
    /// So many stages in layers of `width`; a stage reads up to two of the layer before.
    pub fn drawn(seed: u64, count: usize, width: usize) -> Self {
        let reads = (0..count).map(|stage| {
            let Some(layer) = (stage / width).checked_sub(1) else {
                return Vec::new();
            };
            let of_layer = |n| {
                let number = draw(seed, "reads", (stage * 2 + n) as u64) as usize;
                layer * width + number % width
            };
            let mut reads: Vec<usize> = (0..2).map(of_layer).collect();
            reads.sort_unstable();
            reads.dedup();
            reads
        });
        Stages {
            reads: reads.collect(),
            code: Arc::new(Code::new("1", [("toy.rs".into(), "1".into())])),
        }
    }

    pub fn count(&self) -> usize {
        self.reads.len()
    }

    /// The key of a stage whose inputs have these digests.
    pub fn key(&self, stage: usize, inputs: &[Digest]) -> Key {
        let names = self.reads[stage].iter().map(|read| format!("parts.{read}"));
        let inputs = names.zip(inputs.iter().copied()).collect();
        Key::new("toy", Arc::new(json!({"stage": stage})), inputs, &self.code)
    }

    /// What a stage makes of its inputs. Every third makes what its neighbour makes: one object for both.
    pub fn make(&self, stage: usize, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut text = format!("{} of", stage - stage % 3).into_bytes();
        for input in inputs {
            text.extend_from_slice(format!(" {}", Digest::of(input)).as_bytes());
        }
        text
    }

    /// What comes of each, with its key, one after the other on one machine.
    pub fn serial(&self) -> Vec<(Key, Vec<u8>)> {
        let mut made: Vec<(Key, Vec<u8>)> = Vec::new();
        for (stage, reads) in self.reads.iter().enumerate() {
            let inputs: Vec<Vec<u8>> = reads.iter().map(|&read| made[read].1.clone()).collect();
            let digests: Vec<Digest> = inputs.iter().map(|bytes| Digest::of(bytes)).collect();
            made.push((self.key(stage, &digests), self.make(stage, &inputs)));
        }
        made
    }
}
