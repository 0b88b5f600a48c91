//! Numbers without a subject: random streams, lane arithmetic, moments, small linear algebra and
//! tolerances. Knows neither prompts nor pipelines.

pub mod basis;
pub mod beta;
pub mod clusters;
pub mod lane_stream;
pub mod lanes;
pub mod lbfgs;
pub mod linalg;
pub mod moments;
pub mod pca;
pub mod product;
pub mod sample;
pub mod simd;
pub mod spread;
pub mod stream;
pub mod student;
pub mod tensor;
pub mod tolerance;
pub mod width;
pub mod words;
pub mod ziggurat;
