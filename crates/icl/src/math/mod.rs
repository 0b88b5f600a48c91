//! Numbers without a subject: random streams, lane arithmetic, moments, small linear algebra and
//! tolerances. Knows neither prompts nor pipelines. Streams and tests are those of the crate `statistics`.

pub mod basis;
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
pub mod tensor;
pub mod tolerance;
pub mod width;
pub mod words;

pub use statistics::{beta, clusters, stream, student, ziggurat};
