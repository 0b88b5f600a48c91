//! The 57 subjects of MMLU and their four categories.
//!
//! Source: Hendrycks et al. 2021, "Measuring Massive Multitask Language Understanding", doi:10.48550/arXiv.2009.03300, and
//! the categories that its authors publish with it. Does not know items.

use Category::{Humanities, Other, SocialSciences, Stem};

/// A group of subjects, over which accuracy is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    Stem,
    Humanities,
    SocialSciences,
    /// Medicine, business and what fits nowhere else.
    Other,
}

impl Category {
    pub const ALL: [Category; 4] = [Stem, Humanities, SocialSciences, Other];

    /// As tables and pipeline.yaml write it.
    pub fn name(self) -> &'static str {
        match self {
            Stem => "stem",
            Humanities => "humanities",
            SocialSciences => "social_sciences",
            Other => "other",
        }
    }
}

/// A subject: its place among [`SUBJECTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(usize);

/// Names and categories, by name.
pub const SUBJECTS: [(&str, Category); 57] = [
    ("abstract_algebra", Stem),
    ("anatomy", Other),
    ("astronomy", Stem),
    ("business_ethics", Other),
    ("clinical_knowledge", Other),
    ("college_biology", Stem),
    ("college_chemistry", Stem),
    ("college_computer_science", Stem),
    ("college_mathematics", Stem),
    ("college_medicine", Other),
    ("college_physics", Stem),
    ("computer_security", Stem),
    ("conceptual_physics", Stem),
    ("econometrics", SocialSciences),
    ("electrical_engineering", Stem),
    ("elementary_mathematics", Stem),
    ("formal_logic", Humanities),
    ("global_facts", Other),
    ("high_school_biology", Stem),
    ("high_school_chemistry", Stem),
    ("high_school_computer_science", Stem),
    ("high_school_european_history", Humanities),
    ("high_school_geography", SocialSciences),
    ("high_school_government_and_politics", SocialSciences),
    ("high_school_macroeconomics", SocialSciences),
    ("high_school_mathematics", Stem),
    ("high_school_microeconomics", SocialSciences),
    ("high_school_physics", Stem),
    ("high_school_psychology", SocialSciences),
    ("high_school_statistics", Stem),
    ("high_school_us_history", Humanities),
    ("high_school_world_history", Humanities),
    ("human_aging", Other),
    ("human_sexuality", SocialSciences),
    ("international_law", Humanities),
    ("jurisprudence", Humanities),
    ("logical_fallacies", Humanities),
    ("machine_learning", Stem),
    ("management", Other),
    ("marketing", Other),
    ("medical_genetics", Other),
    ("miscellaneous", Other),
    ("moral_disputes", Humanities),
    ("moral_scenarios", Humanities),
    ("nutrition", Other),
    ("philosophy", Humanities),
    ("prehistory", Humanities),
    ("professional_accounting", Other),
    ("professional_law", Humanities),
    ("professional_medicine", Other),
    ("professional_psychology", SocialSciences),
    ("public_relations", SocialSciences),
    ("security_studies", SocialSciences),
    ("sociology", SocialSciences),
    ("us_foreign_policy", SocialSciences),
    ("virology", Other),
    ("world_religions", Humanities),
];

impl Subject {
    /// All subjects, by name.
    pub fn all() -> impl Iterator<Item = Subject> {
        (0..SUBJECTS.len()).map(Subject)
    }

    /// The subject of this name, with underscores as the hub writes it.
    pub fn find(name: &str) -> Option<Subject> {
        let at = SUBJECTS.binary_search_by(|(known, _)| (*known).cmp(name));
        at.ok().map(Subject)
    }

    /// With underscores.
    pub fn name(self) -> &'static str {
        SUBJECTS[self.0].0
    }

    /// As prompts say it: with blanks.
    pub fn words(self) -> String {
        self.name().replace('_', " ")
    }

    pub fn category(self) -> Category {
        SUBJECTS[self.0].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_categories_have_their_sizes() {
        let count = |category| Subject::all().filter(|s| s.category() == category).count();
        assert_eq!(Category::ALL.map(count), [18, 13, 12, 14]);
    }

    #[test]
    fn subjects_are_found_by_name_alone() {
        assert!(SUBJECTS.windows(2).all(|two| two[0].0 < two[1].0));
        for subject in Subject::all() {
            assert_eq!(Subject::find(subject.name()), Some(subject));
        }
        assert_eq!(Subject::find("all"), None);
        let physics = Subject::find("high_school_physics").unwrap();
        assert_eq!(physics.words(), "high school physics");
    }
}
