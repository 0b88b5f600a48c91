//! The closed forms that a claim may name, with their formulas: all the science that claims know.

use findings::claims::query::evidence::Constant;
use icl::prompts::setting::Setting;
use icl::theory::optima;

/// A closed form at m shots of pretraining.
struct Form {
    name: &'static str,
    formula: &'static str,
    value: fn(&Setting, usize) -> f64,
}

const FORMS: [Form; 7] = [
    Form {
        name: "noise-floor",
        formula: "sigma2",
        value: |setting, _| setting.noise_var(),
    },
    Form {
        name: "pretraining-loss",
        formula: "1 + sigma2 - m/(m+1+d+d sigma2)",
        value: optima::pretraining_loss,
    },
    Form {
        name: "pretraining-scale",
        formula: "(m+1)/(m+1+d+d sigma2)",
        value: optima::pretraining_scale,
    },
    Form {
        name: "authors-scale",
        formula: "m/(m+1+d)",
        value: |setting, m| optima::authors_pretraining_scale(setting.d(), m),
    },
    Form {
        name: "value-only-floor",
        formula: "sigma2 + 2/(d+4)",
        value: |setting, _| optima::value_only_zero_shot_loss(setting, 1.0),
    },
    Form {
        name: "zero-shot-limit",
        formula: "1 + sigma2",
        value: |setting, _| optima::zero_shot_asymptote(setting),
    },
    Form {
        name: "best-weight",
        formula: "w*(m)",
        value: |setting, m| optima::best_value_weight(setting, m, 1.0),
    },
];

/// Their names.
pub const NAMES: [&str; FORMS.len()] = {
    let mut names = [""; FORMS.len()];
    let mut i = 0;
    while i < FORMS.len() {
        names[i] = FORMS[i].name;
        i += 1;
    }
    names
};

/// Their values.
pub fn values(setting: &Setting, pretrain_shots: usize) -> Vec<Constant> {
    let constant = |form: &Form| Constant {
        name: form.name,
        formula: form.formula,
        value: (form.value)(setting, pretrain_shots),
    };
    FORMS.iter().map(constant).collect()
}
