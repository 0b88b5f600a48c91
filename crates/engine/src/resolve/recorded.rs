//! Inputs that are written as `{recorded: stage.output}`: what the lock records of a stage, read without
//! running it. Such a stage belongs to an opt-in group; what every run makes is an input like any other.

use crate::base::error::{Error, Result};
use crate::resolve::outputs;
use crate::spec::expand::Draft;
use crate::stage::kind::{Kind, Role};
use crate::stage::stage::Source;
use crate::yaml::node::{Node, Value};

/// The key of such a mapping.
pub const RECORDED: &str = "recorded";

/// What is named as recorded, if the node says so: a mapping with this one key.
pub fn named(node: &Node) -> Option<&Node> {
    match &node.value {
        Value::Map(entries) => match &entries[..] {
            [(key, named)] if key.text == RECORDED => Some(named),
            _ => None,
        },
        _ => None,
    }
}

/// The output that is meant, of these drafts; `opt_in` has for each the opt-in groups that have it.
///
/// # Errors
/// There is none, every run makes it, or the role cannot be without.
pub fn read(
    role: &Role,
    node: &Node,
    reader: &str,
    (drafts, opt_in): (&[Draft], &[Vec<usize>]),
    kinds: &[Box<dyn Kind>],
) -> Result<Source> {
    let error = |message: String| Error::config(message).at(&node.place);
    let text = node.text("a recorded output")?;
    if role.arity.is_required() {
        let message = format!(
            "`{text}` may not be recorded yet, and the input `{}` must be there",
            role.name
        );
        return Err(error(message).hint(format!("write `{text}` alone: then it is made first")));
    }
    let Some((stage, output)) = text.rsplit_once('.').filter(|_| !text.contains('/')) else {
        let hint = "write the stage and its output, as {recorded: stage.output}";
        return Err(error(format!("`{text}` names no output of a stage")).hint(hint));
    };
    let Some(index) = drafts.iter().position(|draft| draft.id == stage) else {
        let known = drafts.iter().map(|draft| draft.id.as_str());
        let message = format!("there is no stage `{stage}` (a recorded output has no wildcard)");
        return Err(error(message).suggest(stage, known));
    };
    let draft = &drafts[index];
    let kind = draft.spec.kind.text("kind")?;
    let kind = kinds.iter().find(|known| known.name() == kind);
    // An unknown kind is reported where it stands.
    if let Some(kind) = kind {
        outputs::check_has(draft, output, &**kind).map_err(|e| e.at(&node.place))?;
    }
    if opt_in[index].is_empty() {
        let message =
            format!("`{stage}` is in no opt-in group: every run makes it before `{reader}`");
        return Err(error(message).hint(format!("write `{text}` alone")));
    }
    Ok(Source::Recorded {
        stage: index,
        output: output.to_owned(),
    })
}
