//! All kinds of stages that a pipeline.yaml can name.

use crate::code;
use crate::kinds::claims::kind::PaperClaims;
use crate::kinds::data::digits::Digits;
use crate::kinds::data::names::Names;
use crate::kinds::data::tabular_tasks::TabularTasks;
use crate::kinds::figure::prompts::PromptFigure;
use crate::kinds::figure::word_prompts::WordPrompts;
use crate::kinds::kept::kind::Kept;
use crate::kinds::kept::of_models::KeptOfModels;
use crate::kinds::kept::summary::KeptSummary;
use crate::kinds::kept::table::KeptTable;
use crate::kinds::language::finetune::LanguageFinetune;
use crate::kinds::language::items::LanguageItems;
use crate::kinds::language::rates::LanguageRates;
use crate::kinds::measure::balance_law::BalanceLaw;
use crate::kinds::measure::closed_forms::ClosedForms;
use crate::kinds::measure::draw_means::DrawMeans;
use crate::kinds::measure::evaluate::Evaluate;
use crate::kinds::measure::kind::Measure;
use crate::kinds::measure::optimum::Optimum;
use crate::kinds::measure::pareto_front::ParetoFront;
use crate::kinds::measure::pareto_gap::ParetoGap;
use crate::kinds::measure::pool_evaluate::PoolEvaluate;
use crate::kinds::measure::target_summary::TargetSummary;
use crate::kinds::measure::theory::Theory;
use crate::kinds::measure::tradeoff_paths::TradeoffPaths;
use crate::kinds::measure::tradeoff_points::TradeoffPoints;
use crate::kinds::measure::word_baselines::WordBaselines;
use crate::kinds::mmlu::evaluate::MmluEvaluate;
use crate::kinds::mmlu::finetune::MmluFinetune;
use crate::kinds::mmlu::items::MmluItems;
use crate::kinds::mmlu::prompts::MmluPrompts;
use crate::kinds::mmlu::random_model::MmluRandomModel;
use crate::kinds::table::configuration_table::ConfigurationTable;
use crate::kinds::table::error_table::ErrorTable;
use crate::kinds::table::loss_table::LossTable;
use crate::kinds::table::parameter_table::ParameterTable;
use crate::kinds::table::shot_table::ShotTable;
use crate::kinds::train::finetune::Finetune;
use crate::kinds::train::label_column::LabelColumn;
use crate::kinds::train::pool_pretrain::PoolPretrain;
use crate::kinds::train::population::Population;
use crate::kinds::train::pretrain::Pretrain;
use crate::kinds::train::task_roles::TaskRoles;
use crate::kinds::train::tasks::Tasks;
use crate::kinds::transformer::bridge_explain::BridgeExplain;
use crate::kinds::transformer::bridge_finetune::BridgeFinetune;
use crate::kinds::transformer::bridge_pretrain::BridgePretrain;
use crate::kinds::transformer::words_finetune::WordsFinetune;
use crate::kinds::transformer::words_pretrain::WordsPretrain;
use findings::claims::verdict_table::VerdictTable;
use findings::figure::kind::DrawFigure;
use findings::page::kind::Report;
use retrace::stage::kind::{Kind, Registered, StageKind};

/// Every kind, with the digests of its code.
pub fn kinds() -> Vec<Box<dyn Kind>> {
    fn kind<K: StageKind>() -> Box<dyn Kind> {
        Box::new(Registered::<K>::new(code::SOURCES.reach(K::SOURCE)))
    }
    vec![
        kind::<Tasks>(),
        kind::<Pretrain>(),
        kind::<Finetune>(),
        kind::<Evaluate>(),
        kind::<Optimum>(),
        kind::<Theory>(),
        kind::<DrawFigure>(),
        kind::<ErrorTable>(),
        kind::<ParameterTable>(),
        kind::<LossTable>(),
        kind::<ConfigurationTable>(),
        kind::<Measure>(),
        kind::<Population>(),
        kind::<BalanceLaw>(),
        kind::<ParetoFront>(),
        kind::<ParetoGap>(),
        kind::<TradeoffPaths>(),
        kind::<TradeoffPoints>(),
        kind::<Kept>(),
        kind::<KeptOfModels>(),
        kind::<KeptSummary>(),
        kind::<KeptTable>(),
        kind::<DrawMeans>(),
        kind::<LabelColumn>(),
        kind::<ClosedForms>(),
        kind::<PaperClaims>(),
        kind::<Digits>(),
        kind::<Names>(),
        kind::<LanguageItems>(),
        kind::<LanguageFinetune>(),
        kind::<LanguageRates>(),
        kind::<WordBaselines>(),
        kind::<WordPrompts>(),
        kind::<TabularTasks>(),
        kind::<TaskRoles>(),
        kind::<PoolPretrain>(),
        kind::<PoolEvaluate>(),
        kind::<TargetSummary>(),
        kind::<PromptFigure>(),
        kind::<ShotTable>(),
        kind::<VerdictTable>(),
        kind::<BridgePretrain>(),
        kind::<BridgeFinetune>(),
        kind::<BridgeExplain>(),
        kind::<WordsPretrain>(),
        kind::<WordsFinetune>(),
        kind::<MmluItems>(),
        kind::<MmluPrompts>(),
        kind::<MmluRandomModel>(),
        kind::<MmluFinetune>(),
        kind::<MmluEvaluate>(),
        kind::<Report>(),
        Box::new(command::Command::default()),
    ]
}
