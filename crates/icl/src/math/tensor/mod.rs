pub mod float;
pub mod matmul;
