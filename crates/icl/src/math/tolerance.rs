//! Named tolerances, each with the reason for its number. Nothing else compares floats by a literal.

/// Two ways to compute the same expression in f64 with at most a few thousand operations: their
/// gap grows like eps * sqrt(operations), about 1e-14; two orders of room.
pub const ROUNDING: f64 = 1e-12;

/// A closed form printed to four decimals agrees when it is within half a unit of the last one.
pub const PRINTED_4: f64 = 0.5e-4 + 1e-9;

/// A closed form printed to six decimals.
pub const PRINTED_6: f64 = 0.5e-6 + 1e-11;

/// Central differences with step 1e-5 of an order-one smooth loss: truncation about 1e-10 times a
/// third derivative of up to 1e2, rounding about 1e-16 / 1e-5.
pub const FINITE_DIFFERENCE: f64 = 2e-7;

/// Step of those central differences.
pub const FINITE_DIFFERENCE_STEP: f64 = 1e-5;

/// A Monte Carlo mean is rejected beyond this many standard errors: 6e-7 two-sided per comparison,
/// so a thousand comparisons raise a false alarm once in 1700 suites (and seeds are fixed).
pub const STANDARD_ERRORS: f64 = 5.0;

/// Largest relative asymmetry |a_ij - a_ji| / max |a| of a matrix given as symmetric. Covariances
/// computed elsewhere in f64 carry a few eps per entry; a typo is far larger.
pub const ASYMMETRY: f64 = 1e-12;

/// Smallest eigenvalue, relative to the largest, of a matrix given as positive definite. Below it
/// the eigenvalue is rounding noise of the decomposition.
pub const DEFINITENESS: f64 = 1e-13;

/// A vector whose part outside a span is shorter than this share of itself lies in the span.
/// Dropping it changes a prediction by this share, far below any Monte Carlo error.
pub const SPAN: f64 = 1e-10;

/// A slope from central differences that are exact for the polynomial at hand, with steps of order
/// one, relative to |gradient| |direction|: rounding of a few hundred operations, about 1e-13, on
/// errors up to 1e3 times the slope. The theory asks for 1e-7.
pub const POLYNOMIAL_SLOPE: f64 = 1e-10;
