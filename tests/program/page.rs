//! What a page of results is made of, for small repositories that have one.

use crate::repository::Repository;
use std::path::Path;

/// Copies template, style, script and library of charts to `data/report` of a small repository.
pub fn add(repository: &Repository) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/report");
    let folder = repository.path("data/report");
    std::fs::create_dir_all(&folder).expect("a folder");
    for name in [
        "page.html",
        "page.css",
        "page.js",
        "vendor/echarts.common.min.js",
    ] {
        let to = Path::new(name).file_name().expect("a name");
        std::fs::copy(project.join(name), folder.join(to)).expect("a copy");
    }
}
