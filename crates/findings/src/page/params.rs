//! Params of the kind `report`: which figure stands where, and the words that no input has.
//!
//! Does not know the inputs: whether what is named is there, the kind finds out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    pub title: String,
    /// Who wrote the paper, and where it is.
    pub paper: String,
    pub paper_url: String,
    /// What it is about, for somebody who never heard of it: a few plain sentences under the title.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub story: Vec<String>,
    /// Paragraphs on what came out.
    pub lead: Vec<String>,
    pub sections: Vec<Section>,
    /// For a figure the ids of claims that it bears on. A claim stands in full beside the first figure
    /// that has it.
    #[serde(default)]
    pub claims: BTreeMap<String, Vec<String>>,
    /// What the page says of a claim beside the claim's own words, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, ClaimWords>,
    /// Words and symbols with what they mean; each is linked where the page has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Term>,
    /// The figures, tables and experiments of the paper, and what of them is here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_paper: Vec<PaperItem>,
    /// Labels of inputs of the role `tables`, in order; the others come after them.
    #[serde(default)]
    pub tables: Vec<String>,
    /// The program that the page tells its readers to type.
    #[serde(default = "plain_program")]
    pub program: String,
    /// What the words of claims write out, and the signs that the page has for it, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<[String; 2]>,
    /// How readers verify the page; the program's own ways where none are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<Step>,
}

/// Words on a claim that decide nothing.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimWords {
    /// The statement as a sentence that can be read alone, where it leans on the claim before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<String>,
    /// What the first check measures, whose numbers stand on the card; the check as it is written
    /// where this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<String>,
    /// What its other checks measure, by their number from 2: the card has the numbers of the first that leaves
    /// the claim open, or refutes it, if there are words for it here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measures_of: BTreeMap<String, String>,
    /// The paper makes it of what it studies itself: such claims are counted apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_paper: bool,
}

impl ClaimWords {
    /// What a check measures, by its number from 1.
    pub fn of(&self, check: usize) -> Option<&str> {
        match check {
            1 => self.measures.as_deref(),
            other => self.measures_of.get(&other.to_string()).map(String::as_str),
        }
    }
}

/// A word or symbol of the page.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    pub term: String,
    pub means: String,
    /// What of the page's text is linked with it, where that is not the term itself. A spelling that
    /// ends in ` =` is linked without these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spelled: Vec<String>,
}

/// A figure, a table or an experiment of the paper.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperItem {
    /// What the paper, or its code, calls it.
    pub item: String,
    pub shows: String,
    /// Labels of inputs of the role `pictures`, or globs of them: what is here of it, run with this page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<String>,
    /// The claims that say whether it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// The command for what can be run but was not run here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What differs from the paper, or why it is not here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    pub title: String,
    #[serde(default)]
    pub text: String,
    /// Labels of inputs of the role `pictures`, or globs of them. Their words are those of their stages.
    pub figures: Vec<String>,
}

/// A command for readers.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    command: String,
    /// What it does, as the end of a sentence that begins with the command.
    does: String,
}

fn plain_program() -> String {
    "retrace".to_owned()
}

impl Params {
    /// What the params alone tell.
    ///
    /// # Errors
    /// What stands twice, or says nothing; the message begins with the path of the param.
    pub fn check(&self) -> Result<(), String> {
        let figures = self.sections.iter().flat_map(|section| &section.figures);
        let mut seen = BTreeSet::new();
        for name in figures.chain(&self.tables) {
            if !seen.insert(name) {
                return Err(format!("`{name}` stands in the report twice"));
            }
        }
        let mut terms = BTreeSet::new();
        for (at, term) in self.terms.iter().enumerate() {
            if !terms.insert(&term.term) {
                return Err(format!("terms.{at}: `{}` stands there twice", term.term));
            }
            let spellings = std::iter::once(&term.term).chain(&term.spelled);
            if spellings.map(|spelled| spelled.trim()).any(str::is_empty) {
                return Err(format!("terms.{at}: a term needs letters or signs"));
            }
        }
        for (id, words) in &self.words {
            let says = words.alone.is_some() || words.measures.is_some() || words.of_paper;
            if !says && words.measures_of.is_empty() {
                return Err(format!(
                    "words.{id}: say `alone`, `measures`, `measures_of` or `of_paper`"
                ));
            }
            let is_other = |key: &&String| {
                let number: Option<usize> = key.parse().ok();
                number.is_some_and(|number| number > 1 && number.to_string() == **key)
            };
            if let Some(key) = words.measures_of.keys().find(|key| !is_other(key)) {
                return Err(format!(
                    "words.{id}.measures_of: `{key}` is no number of another check: 2 is the second, and `measures` is of the first"
                ));
            }
        }
        Ok(())
    }

    /// What a reader may type to verify the page.
    pub fn steps(&self) -> Vec<Step> {
        if !self.verify.is_empty() {
            return self.verify.clone();
        }
        let step = |verb: &str, does: &str| Step {
            command: format!("{} {verb}", self.program),
            does: does.to_owned(),
        };
        vec![
            step("verify", "compares every file with the committed lock."),
            step(
                "run",
                "makes everything again that is not as recorded, this page last.",
            ),
            step(
                "verify --rebuild",
                "makes everything from an empty cache and names the first stage that differs.",
            ),
        ]
    }
}
