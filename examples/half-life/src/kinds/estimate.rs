//! Stage kind `estimate`: half-lives from counts, as a table and a figure.

use crate::kinds::counts::Counts;
use crate::kinds::draw;
use crate::kinds::fit::Fit;
use retrace::{Error, Io, Result, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Fits each sample that it reads.
pub struct Estimate;

/// There is nothing to choose.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

impl StageKind for Estimate {
    const NAME: &'static str = "estimate";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("counts")];
    const OUTPUTS: &'static [&'static str] = &["table", "figure"];
    type Params = NoParams;

    fn run(_: &NoParams, io: &Io) -> Result<()> {
        let mut table = "sample,half_life,std_error\n".to_owned();
        let mut samples = Vec::new();
        for (label, path) in io.inputs("counts") {
            let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, &e))?;
            let wrong = |why| Error::failed(format!("counts of `{label}`: {why}"));
            let counts = Counts::from_csv(&text).map_err(wrong)?;
            let fit = Fit::of(&counts)
                .map_err(wrong)
                .map_err(|e| e.hint("count for longer, or a sample of higher activity"))?;
            let _ = writeln!(table, "{label},{},{}", fit.half_life, fit.std_error);
            samples.push((label.as_str(), counts, fit));
        }
        io.write("table", table.as_bytes())?;
        io.write("figure", draw::svg(&samples).as_bytes())
    }
}
