//! Counts of decays, one for each minute, and the file that holds them.

/// At least one count.
#[derive(Debug, PartialEq)]
pub struct Counts {
    counts: Vec<u32>,
}

const HEADER: &str = "minute,count";

impl Counts {
    /// Counts of successive minutes.
    ///
    /// # Errors
    /// There is none.
    pub fn new(counts: Vec<u32>) -> Result<Self, String> {
        match counts.is_empty() {
            true => Err("there are no counts".into()),
            false => Ok(Counts { counts }),
        }
    }

    /// As lines `minute,count` below a header.
    pub fn to_csv(&self) -> String {
        let minutes = self.counts.iter().enumerate();
        let lines = minutes.map(|(minute, count)| format!("{minute},{count}\n"));
        format!("{HEADER}\n{}", lines.collect::<String>())
    }

    /// Reads what [`Counts::to_csv`] wrote.
    ///
    /// # Errors
    /// The first line that is no count of its minute.
    pub fn from_csv(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(format!("line 1: expected `{HEADER}`"));
        }
        let count = |(minute, line): (usize, &str)| {
            let count = line.strip_prefix(&format!("{minute},"));
            let count = count.and_then(|count| count.parse().ok());
            count.ok_or(format!(
                "line {}: expected the count of minute {minute}",
                minute + 2
            ))
        };
        Counts::new(lines.enumerate().map(count).collect::<Result<_, _>>()?)
    }

    /// Minutes, counted from 0, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        let minutes = self.counts.iter().enumerate();
        minutes.map(|(minute, &count)| (minute as f64, f64::from(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_anything_else_is_named() {
        let counts = Counts::new(vec![3, 0, 1]).unwrap();
        assert_eq!(Counts::from_csv(&counts.to_csv()), Ok(counts));
        for (text, words) in [
            ("count\n", "line 1"),
            (
                "minute,count\n0,1\n2,1\n",
                "line 3: expected the count of minute 1",
            ),
            ("minute,count\n0,-1\n", "line 2"),
            ("minute,count\n", "there are no counts"),
        ] {
            let error = Counts::from_csv(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
