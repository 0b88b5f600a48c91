//! What a loaded model is. Knows no format.

pub(crate) mod loaded;
