//! Linear attention: weights, heads, layers, predictions and gradients.

pub mod attention;
pub mod effective;
pub mod head;
pub mod head_gradient;
pub mod single_token;
pub mod trainable;
pub mod weights;
