//! All kinds of stages that a pipeline.yaml can name.

use crate::pipeline::kind::{Kind, Registered, StageKind};
use crate::stages::balance_law::BalanceLaw;
use crate::stages::claims::Claims;
use crate::stages::code;
use crate::stages::configuration_table::ConfigurationTable;
use crate::stages::digits::Digits;
use crate::stages::error_table::ErrorTable;
use crate::stages::evaluate::Evaluate;
use crate::stages::figure::DrawFigure;
use crate::stages::finetune::Finetune;
use crate::stages::loss_table::LossTable;
use crate::stages::measure::Measure;
use crate::stages::optimum::Optimum;
use crate::stages::parameter_table::ParameterTable;
use crate::stages::pool_evaluate::PoolEvaluate;
use crate::stages::pool_pretrain::PoolPretrain;
use crate::stages::population::Population;
use crate::stages::pretrain::Pretrain;
use crate::stages::prompt_figure::PromptFigure;
use crate::stages::report::Report;
use crate::stages::shot_table::ShotTable;
use crate::stages::tabular_tasks::TabularTasks;
use crate::stages::target_summary::TargetSummary;
use crate::stages::task_roles::TaskRoles;
use crate::stages::tasks::Tasks;
use crate::stages::theory::Theory;

/// Every kind, with the digests of its code.
pub fn kinds() -> Vec<Box<dyn Kind>> {
    fn kind<K: StageKind>() -> Box<dyn Kind> {
        Box::new(Registered::<K>::new(code::reach(K::SOURCE)))
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
        kind::<Claims>(),
        kind::<Digits>(),
        kind::<TabularTasks>(),
        kind::<TaskRoles>(),
        kind::<PoolPretrain>(),
        kind::<PoolEvaluate>(),
        kind::<TargetSummary>(),
        kind::<PromptFigure>(),
        kind::<ShotTable>(),
        kind::<Report>(),
    ]
}
