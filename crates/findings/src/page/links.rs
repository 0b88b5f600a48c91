//! Links from the page to the files of a stage: the page lies in figures/, and so do they.

/// What is published of outputs, given by name and path: what each file is called, and the way there.
pub fn of<'a>(outputs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let published = outputs.filter_map(|(name, path)| {
        let words = match name {
            "data" => "CSV".to_owned(),
            "parquet" => "Parquet".to_owned(),
            "tex" => "LaTeX".to_owned(),
            "md" => "Markdown".to_owned(),
            other => other.to_uppercase(),
        };
        Some((words, path.strip_prefix("figures/")?.to_owned()))
    });
    published.collect()
}
