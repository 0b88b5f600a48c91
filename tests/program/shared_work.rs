//! Which fine-tunings of the committed pipeline say that they share their work.

use icl_repro::registry;
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use std::path::Path;

#[test]
fn fine_tunings_share_the_prompts_that_are_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline.yaml");
    let text = std::fs::read_to_string(path).expect("pipeline.yaml is there");
    let spec = Spec::parse("pipeline.yaml", &text).expect("it is one");
    let pipeline = Pipeline::resolve(spec, &registry::kinds(), &Settings::default());
    let pipeline = pipeline.expect("it resolves");
    let shared = |start: &str| {
        let stages = pipeline.stages.iter();
        let of_start = stages.filter(|stage| stage.id.starts_with(start));
        let mut shared: Vec<Option<String>> = of_start.map(|stage| stage.job.shares()).collect();
        assert!(shared.len() > 1, "{start}");
        shared.dedup();
        shared
    };
    // Of one seed all objectives and all sets of matrices; replay draws something beside.
    let [tuned, replayed] = ["finetune@0,", "replay@0,"].map(shared);
    let [other, digits] = ["finetune@1,", "digits_finetune@8,0,0_vs_1,seen,"].map(shared);
    for one in [&tuned, &replayed, &other, &digits] {
        assert!(matches!(&one[..], [Some(_)]), "{one:?}");
    }
    assert_ne!(tuned, replayed);
    assert_ne!(tuned, other);
    // Every pretraining has prompts of its own.
    assert_eq!(shared("pretrain@"), [None]);
}
