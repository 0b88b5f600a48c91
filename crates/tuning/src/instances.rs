//! Which generic functions become code in this crate, and so at its level of optimisation, whoever calls them.
//!
//! The transformer's part of what [`icl::instances`] says. Nothing in this file is ever called.

use crate::bridge::explained_path::explained_path;
use crate::forgetting::paths;
use crate::forgetting::world::Measure;
use crate::language;
use crate::transformer::adapter::adapt;
use crate::transformer::decode::Decoder;
use crate::transformer::model::batch::Batch;
use crate::transformer::model::parameters::initial;
use crate::transformer::network::Network;
use crate::transformer::train::{Ending, Training, Worker, train};
use icl::math::tensor::float::Float;
use std::ops::ControlFlow;

/// Trainings of a transformer, and what is measured of it, in one precision.
fn transformer<T: Float>() -> Vec<*const ()> {
    vec![
        initial::<T> as *const (),
        paths::pretrain::<T> as *const (),
        paths::finetune::<T> as *const (),
        Measure::error::<T> as *const (),
        explained_path::<T> as *const (),
        language::finetune::measure::<T> as *const (),
        language::finetune::finetune::<T> as *const (),
        language::evaluation::score::<T> as *const (),
        Worker::<T>::predict as *const (),
        Worker::<T>::loss_and_gradient as *const (),
        Decoder::<T>::read as *const (),
        Decoder::<T>::read_each as *const (),
        Decoder::<T>::score as *const (),
        either::<T> as *const (),
    ]
}

/// Step, loss before its update, parameters.
type Heard<'a, T> = dyn FnMut(usize, Option<f64>, &[T]) -> ControlFlow<()> + 'a;

/// The parts of both ways to train, which take functions of their caller.
fn either<T: Float>(
    network: &Network,
    parameters: &mut [T],
    training: &Training,
    batch_of: &mut dyn FnMut(usize) -> Result<Batch, String>,
    heard: &mut Heard<'_, T>,
) -> Result<Ending, String> {
    match training.low_rank {
        Some(_) => adapt(network, parameters, training, batch_of, heard),
        None => train(network, parameters, training, batch_of, heard),
    }
}

/// All of them: what can be called from outside becomes code with all that it names.
pub fn instances() -> Vec<*const ()> {
    [transformer::<f32>(), transformer::<f64>()].concat()
}
