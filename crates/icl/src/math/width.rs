//! The side of small square matrices: known to the compiler, or only at run time.
//!
//! A kernel that takes a [`Width`] is written once and compiled for both: with [`Fixed`] all loop
//! bounds and strides are constants, so that loops unroll and sums stay in registers. The operations
//! and their order are the same, and so are the bits. Does not know what the matrices are.

/// A side length.
pub trait Width: Copy {
    fn get(self) -> usize;
}

/// A side that the compiler knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed<const N: usize>;

impl<const N: usize> Width for Fixed<N> {
    #[inline(always)]
    fn get(self) -> usize {
        N
    }
}

impl Width for usize {
    #[inline(always)]
    fn get(self) -> usize {
        self
    }
}
