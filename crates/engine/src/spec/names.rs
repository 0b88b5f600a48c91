//! The names that a pipeline.yaml gives to stages, groups and profiles, without anything else of it.
//!
//! For who completes a word while it is typed: thousands of stages are named in milliseconds, because no parameter is
//! filled in and no kind is asked. So it does not know whether the rest of the file is right.

use crate::base::error::{Error, Result};
use crate::spec::combinations::Combinations;
use crate::spec::expand::{MAX_COMBINATIONS, combinations, id};
use crate::spec::file::Spec;
use crate::spec::fill::{Budget, Scope};
use crate::spec::settings::{self, Settings};

/// The names of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// In the order of the file.
    pub stages: Vec<StageNames>,
    pub groups: Vec<String>,
    pub profiles: Vec<String>,
}

/// A stage as written, with the stages that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageNames {
    pub name: String,
    pub has_matrix: bool,
    /// Ids; the name alone where there is no matrix.
    pub ids: Vec<String>,
}

impl Names {
    /// Those of a file under a profile and changed variables, which may say what is left out of a matrix.
    ///
    /// # Errors
    /// The file's grammar, a profile or a matrix is wrong.
    pub fn read(source: &str, text: &str, settings: &Settings) -> Result<Names> {
        let mut spec = Spec::parse(source, text)?;
        let changes = settings::changes(&spec, settings)?;
        settings::change_vars(&mut spec, &changes)?;
        let budget = Budget::whole();
        let scope = Scope::of_file(&spec.vars, &budget);
        let mut left = MAX_COMBINATIONS;
        let mut stages = Vec::with_capacity(spec.stages.len());
        for stage in &spec.stages {
            let sizes = stage.matrix.iter().map(|(_, items)| items.len());
            let count = sizes.fold(1usize, usize::saturating_mul);
            left = left.checked_sub(count).ok_or_else(|| {
                Error::config("there are too many stages to name").at(&stage.name.place)
            })?;
            let chosen = Combinations::read(stage, &scope)?;
            let items = combinations(&stage.matrix);
            let items = items.iter().filter(|items| chosen.has(items));
            stages.push(StageNames {
                name: stage.name.text.clone(),
                has_matrix: !stage.matrix.is_empty(),
                ids: items.map(|items| id(stage, items)).collect(),
            });
        }
        Ok(Names {
            stages,
            groups: spec
                .groups
                .iter()
                .map(|group| group.name.text.clone())
                .collect(),
            profiles: spec
                .profiles
                .iter()
                .map(|(name, _)| name.text.clone())
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "version: 2\n\
        vars: {left: [{a: x}]}\n\
        profiles:\n  small: {vars.left: [{a: y}]}\n\
        groups: {all: [one, 'two@*']}\n\
        stages:\n\
        \x20 one: {kind: k}\n\
        \x20 two: {kind: k, matrix: {a: [x, y], b: [1, 2]}, exclude: \"${left}\"}\n";

    fn names(settings: &Settings) -> Result<Names> {
        Names::read("pipeline.yaml", FILE, settings)
    }

    #[test]
    fn ids_are_those_of_the_profile() {
        let found = names(&Settings::default()).unwrap();
        assert_eq!(found.stages[0].ids, ["one"]);
        assert_eq!(found.stages[1].ids, ["two@y,1", "two@y,2"]);
        assert!(found.stages[1].has_matrix && !found.stages[0].has_matrix);
        assert_eq!(
            (found.groups, found.profiles),
            (vec!["all".into()], vec!["small".into()])
        );
        let small = Settings {
            profile: Some("small".into()),
            ..Settings::default()
        };
        let found = names(&small).unwrap();
        assert_eq!(found.stages[1].ids, ["two@x,1", "two@x,2"]);
    }

    #[test]
    fn a_file_with_another_grammar_names_nothing() {
        assert!(Names::read("pipeline.yaml", "stages: [", &Settings::default()).is_err());
        let other = Settings {
            profile: Some("smal".into()),
            ..Settings::default()
        };
        assert!(names(&other).is_err());
    }
}
