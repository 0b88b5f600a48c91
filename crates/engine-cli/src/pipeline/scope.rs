//! The options that say which pipeline is meant.

use crate::console::typed::{self, quoted};
use clap::Args;
use std::path::{Path, PathBuf};

/// Which pipeline, in which variant, and where its files are.
#[derive(Clone, Debug, Default, Args)]
pub struct Scope {
    /// Act as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Use a profile of pipeline.yaml; its outputs go below the cache folder
    #[arg(long, value_name = "NAME", global = true)]
    pub profile: Option<String>,
    /// Change a parameter (stage.param=value) or a variable (vars.name=value); may be repeated
    #[arg(long = "set", value_name = "STAGE.PARAM=VALUE", global = true)]
    pub sets: Vec<String>,
    /// Add the stages of a group to the targets; may be repeated
    #[arg(long = "group", value_name = "GROUP", global = true)]
    pub groups: Vec<String>,
    /// Keep the cache in DIR instead of where the program does
    #[arg(long, value_name = "DIR", global = true)]
    pub cache_dir: Option<PathBuf>,
    /// Read every file instead of trusting its size and times
    #[arg(long, global = true)]
    pub paranoid: bool,
    /// Write outputs and lock below DIR
    #[arg(long, value_name = "DIR", global = true)]
    pub out: Option<PathBuf>,
}

impl Scope {
    /// Lets the commands that messages tell to type mean from now on what this means.
    pub(crate) fn carry(&self) {
        typed::carry(self.options(), self.places().options());
    }

    /// The options that decide which pipeline, which variant of it and which folders are meant, as they are typed, each
    /// with a space before it. `--group` names targets, which a command has of its own.
    pub fn options(&self) -> String {
        let path = |path: &Path| quoted(&path.display().to_string());
        let mut text = String::new();
        let mut add = |option: &str, value: String| text += &format!(" {option} {value}");
        if let Some(directory) = &self.directory {
            add("-C", path(directory));
        }
        if let Some(profile) = &self.profile {
            add("--profile", quoted(profile));
        }
        for set in &self.sets {
            add("--set", quoted(set));
        }
        if let Some(folder) = &self.cache_dir {
            add("--cache-dir", path(folder));
        }
        if let Some(folder) = &self.out {
            add("--out", path(folder));
        }
        text
    }

    /// The same options without the variant: those that say where things are.
    pub fn places(&self) -> Scope {
        Scope {
            directory: self.directory.clone(),
            cache_dir: self.cache_dir.clone(),
            ..Scope::default()
        }
    }

    /// The variant alone.
    pub fn variant(&self) -> Scope {
        Scope {
            profile: self.profile.clone(),
            sets: self.sets.clone(),
            ..Scope::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_carries_what_changes_its_meaning_and_no_targets() {
        let scope = Scope {
            directory: Some("a b".into()),
            profile: Some("smoke".into()),
            sets: vec!["vars.a=1".into(), "vars.b={c: 1}".into()],
            groups: vec!["main".into()],
            cache_dir: Some("/cache".into()),
            paranoid: true,
            out: Some("there".into()),
        };
        assert_eq!(
            scope.options(),
            " -C 'a b' --profile smoke --set vars.a=1 --set 'vars.b={c: 1}' --cache-dir /cache --out there"
        );
        assert_eq!(Scope::default().options(), "");
    }
}
