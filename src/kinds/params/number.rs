//! Parameter types that several kinds share; each refuses a value out of range where it stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A larger covariate dimension is taken for a mistake.
const MAX_DIMENSION: u64 = 1000;
/// A larger number of things is taken for a mistake.
const MAX_COUNT: u64 = 1_000_000_000;

/// A covariate dimension, 1 to 1000.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64", into = "u64")]
#[schemars(extend("minimum" = 1, "maximum" = MAX_DIMENSION))]
pub struct Dimension(usize);

/// A number of things, 1 to a billion.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64", into = "u64")]
#[schemars(extend("minimum" = 1, "maximum" = MAX_COUNT))]
pub struct Count(usize);

/// A finite number > 0.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(extend("exclusiveMinimum" = 0))]
pub struct Positive(f64);

/// A finite number >= 0.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(extend("minimum" = 0))]
pub struct NonNegative(f64);

/// A number in [0, 1).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
pub struct Share(f64);

fn whole(value: u64, most: u64) -> Result<usize, String> {
    if (1..=most).contains(&value) {
        return usize::try_from(value).map_err(|e| e.to_string());
    }
    Err(format!("{value} is not a whole number from 1 to {most}"))
}

fn checked(value: f64, ok: bool, what: &str) -> Result<f64, String> {
    if ok && value.is_finite() {
        Ok(value)
    } else {
        Err(format!("{value} is not {what}"))
    }
}

impl Dimension {
    /// The dimension.
    pub fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<u64> for Dimension {
    type Error = String;
    fn try_from(value: u64) -> Result<Self, String> {
        whole(value, MAX_DIMENSION).map(Dimension)
    }
}

impl From<Dimension> for u64 {
    fn from(value: Dimension) -> u64 {
        value.0 as u64
    }
}

impl Count {
    /// One.
    pub const ONE: Count = Count(1);

    /// Whether it is one.
    pub fn is_one(&self) -> bool {
        self.0 == 1
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for Count {
    fn default() -> Self {
        Count::ONE
    }
}

impl TryFrom<u64> for Count {
    type Error = String;
    fn try_from(value: u64) -> Result<Self, String> {
        whole(value, MAX_COUNT).map(Count)
    }
}

impl From<Count> for u64 {
    fn from(value: Count) -> u64 {
        value.0 as u64
    }
}

impl Positive {
    /// One.
    pub const ONE: Positive = Positive(1.0);

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Positive {
    type Error = String;
    fn try_from(value: f64) -> Result<Self, String> {
        checked(value, value > 0.0, "a finite number above 0").map(Positive)
    }
}

impl From<Positive> for f64 {
    fn from(value: Positive) -> f64 {
        value.0
    }
}

impl NonNegative {
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for NonNegative {
    type Error = String;
    fn try_from(value: f64) -> Result<Self, String> {
        checked(value, value >= 0.0, "a finite number of at least 0").map(NonNegative)
    }
}

impl From<NonNegative> for f64 {
    fn from(value: NonNegative) -> f64 {
        value.0
    }
}

impl Share {
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = String;
    fn try_from(value: f64) -> Result<Self, String> {
        checked(
            value,
            (0.0..1.0).contains(&value),
            "a number from 0 to below 1",
        )
        .map(Share)
    }
}

impl From<Share> for f64 {
    fn from(value: Share) -> f64 {
        value.0
    }
}

/// Numbers of shots from `first`, by `step`, to `last` at most.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "ShotBounds", into = "ShotBounds")]
pub struct ShotRange {
    first: u32,
    last: u32,
    step: Count,
}

/// [`ShotRange`] as written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShotBounds {
    #[schemars(range(max = MAX_SHOTS))]
    first: u32,
    #[schemars(range(max = MAX_SHOTS))]
    last: u32,
    #[serde(default, skip_serializing_if = "Count::is_one")]
    step: Count,
}

/// More shots than this are taken for a mistake.
pub const MAX_SHOTS: u32 = 1_000_000;

impl TryFrom<ShotBounds> for ShotRange {
    type Error = String;
    fn try_from(ShotBounds { first, last, step }: ShotBounds) -> Result<Self, String> {
        if first > last {
            return Err(format!(
                "shots {first} to {last} are none: first is above last"
            ));
        }
        if last > MAX_SHOTS {
            return Err(format!("{last} shots are more than {MAX_SHOTS}"));
        }
        Ok(ShotRange { first, last, step })
    }
}

impl From<ShotRange> for ShotBounds {
    fn from(ShotRange { first, last, step }: ShotRange) -> Self {
        ShotBounds { first, last, step }
    }
}

impl ShotRange {
    /// The numbers, ascending.
    pub fn to_vec(self) -> Vec<usize> {
        let all = (self.first..=self.last).map(|n| n as usize);
        all.step_by(self.step.get()).collect()
    }
}
