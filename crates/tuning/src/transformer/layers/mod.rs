//! The parts of a layer, each forward and backward: functions on rows of a buffer. A backward adds to
//! gradients of parameters; whether it adds to that of its input, each says.

pub(crate) mod attention;
pub(crate) mod embedding;
pub(crate) mod linear;
pub(crate) mod mlp;
pub(crate) mod norm;
pub(crate) mod rope;
