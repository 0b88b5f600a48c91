//! How right a model is on an item: by sampled answers, and by the probabilities of the four letters, which have no
//! sampling noise.
//!
//! Does not know how prompts are made, nor what scores are averaged over.

use crate::language::codec::Codec;
use crate::mmlu::answer::{is_complete, letter, line};
use crate::mmlu::builder::Prompt;
use crate::mmlu::items::{CHOICES, Letter};
use crate::mmlu::sampling::Sampling;
use crate::mmlu::speaker::Speaker;
use icl::math::stream::Stream;
use icl::math::tensor::float::Float;

/// How answers are sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    /// Answers to each prompt.
    pub samples: u64,
    /// Tokens of an answer.
    pub most_tokens: usize,
    pub sampling: Sampling,
    /// Tokens that end an answer.
    pub ends: Vec<u32>,
    pub seed: u64,
}

/// Sampled answers to a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampled {
    pub samples: u64,
    pub right: u64,
    /// Answers that give no letter; they are wrong.
    pub unanswered: u64,
}

impl Sampled {
    /// Right ones among the samples.
    pub fn share(&self) -> f64 {
        self.right as f64 / self.samples as f64
    }
}

/// The answers' letters; each sample has random numbers of its own, by (seed, item, sample).
///
/// # Errors
/// A prompt that leaves no room for an answer; errors of the speaker and the tokenizer.
pub fn sample(
    speaker: &mut dyn Speaker,
    codec: &dyn Codec,
    prompt: &Prompt,
    item: u64,
    asking: &Asking,
) -> Result<Sampled, String> {
    let needed = prompt.tokens.len() + asking.most_tokens;
    if let Some(most) = speaker.context().filter(|&most| needed > most) {
        return Err(format!(
            "the prompt of item {item} has {} tokens: with an answer of {} they are more than the {most} that the model reads",
            prompt.tokens.len(),
            asking.most_tokens
        ));
    }
    let mut found = Sampled {
        samples: asking.samples,
        right: 0,
        unanswered: 0,
    };
    for number in 0..asking.samples {
        let mut stream = Stream::new(asking.seed, "mmlu answer", &[item, number]);
        let text = say(speaker, codec, &prompt.tokens, asking, &mut stream)?;
        match letter(&text) {
            None => found.unanswered += 1,
            Some(letter) => found.right += u64::from(letter == prompt.answer),
        }
    }
    Ok(found)
}

/// One answer's text.
fn say(
    speaker: &mut dyn Speaker,
    codec: &dyn Codec,
    prompt: &[u32],
    asking: &Asking,
    stream: &mut Stream,
) -> Result<String, String> {
    let mut tokens = prompt.to_vec();
    let mut text = String::new();
    for _ in 0..asking.most_tokens {
        let next = asking.sampling.draw(&speaker.logits(&tokens)?, stream)?;
        if asking.ends.contains(&next) {
            break;
        }
        tokens.push(next);
        text = codec.decode(&tokens[prompt.len()..])?;
        if is_complete(&text) {
            break;
        }
    }
    Ok(text)
}

/// Probabilities of the letters behind the prompt and `Answer: `, without any reasoning; they sum to 1 over the four.
///
/// # Errors
/// A tokenizer in which the letters are not one token each behind the same tokens; errors of the speaker.
pub fn letters(
    speaker: &mut dyn Speaker,
    codec: &dyn Codec,
    prompt: &Prompt,
) -> Result<[f64; CHOICES], String> {
    let mut answers = Vec::with_capacity(CHOICES);
    for letter in Letter::ALL {
        answers.push(codec.encode(&line(letter))?);
    }
    let one = |answer: &Vec<u32>| {
        answer
            .split_last()
            .map(|(last, before)| (before.to_vec(), *last))
    };
    let split: Option<Vec<(Vec<u32>, u32)>> = answers.iter().map(one).collect();
    let split = split.filter(|split| {
        let same = split.iter().all(|(before, _)| *before == split[0].0);
        let last = |at: usize| split[at].1;
        same && (0..CHOICES).all(|at| (0..at).all(|earlier| last(earlier) != last(at)))
    });
    let split = split.ok_or_else(|| {
        format!(
            "the tokenizer does not write the letters of `{}` as one token each",
            line(Letter::ALL[0])
        )
    })?;
    let tokens = [&prompt.tokens[..], &split[0].0].concat();
    let logits = speaker.logits(&tokens)?;
    let mut found = [0.0; CHOICES];
    for (found, (_, token)) in found.iter_mut().zip(&split) {
        let logit = logits.get(*token as usize);
        *found = f64::from(*logit.ok_or_else(|| format!("the model has no output {token}"))?);
    }
    let largest = found.into_iter().fold(f64::NEG_INFINITY, Float::max);
    if !largest.is_finite() || found.iter().any(|logit| logit.is_nan()) {
        return Err("the letters' logits are no numbers".into());
    }
    let weights = found.map(|logit| Float::exp(logit - largest));
    let sum: f64 = weights.iter().sum();
    Ok(weights.map(|weight| weight / sum))
}

/// The most probable letter; at equality the first.
pub fn most_probable(probabilities: &[f64; CHOICES]) -> Letter {
    let of = |letter: Letter| probabilities[letter.place()];
    let larger = |best, letter| if of(letter) > of(best) { letter } else { best };
    Letter::ALL.into_iter().fold(Letter::ALL[0], larger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::codec::Bytes;

    const END: u32 = 3;

    /// Says one of several texts, by what was said so far; and chooses letters with fixed logits.
    struct Parrot {
        texts: &'static [&'static str],
        letters: Option<[f32; CHOICES]>,
        asked: usize,
    }

    impl Speaker for Parrot {
        fn context(&self) -> Option<usize> {
            Some(64)
        }

        fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>, String> {
            self.asked += 1;
            let mut logits = vec![-1e9; Bytes::VOCABULARY];
            let said = &tokens[PROMPT.len()..];
            for text in self.texts {
                let whole = Bytes.encode(text)?;
                if let Some(rest) = whole.strip_prefix(said) {
                    let next = rest.first().map_or(END, |&next| next);
                    logits[next as usize] = 0.0;
                }
            }
            let at_letter = Bytes.decode(said)? == "Answer: ";
            if let Some(letters) = self.letters.filter(|_| at_letter) {
                for (letter, logit) in Letter::ALL.into_iter().zip(letters) {
                    logits[letter.char() as usize] = logit;
                }
            }
            Ok(logits)
        }
    }

    const PROMPT: &str = "[Query] ?";

    fn parrot(texts: &'static [&'static str]) -> Parrot {
        Parrot {
            texts,
            letters: None,
            asked: 0,
        }
    }

    fn prompt(answer: char) -> Prompt {
        Prompt {
            text: PROMPT.into(),
            tokens: Bytes.encode(PROMPT).unwrap(),
            answer: Letter::of(answer).unwrap(),
            shots: Vec::new(),
        }
    }

    fn asking(samples: u64) -> Asking {
        Asking {
            samples,
            most_tokens: 40,
            sampling: Sampling {
                top_k: 20,
                top_p: 1.0,
                temperature: 1.0,
            },
            ends: vec![END],
            seed: 0,
        }
    }

    #[test]
    fn the_score_is_the_share_of_right_samples() {
        // Each of the three is drawn with probability 1/3: the first letters differ.
        let mut speaker = parrot(&["Answer: B.", "So, Answer: C.", "nothing"]);
        let mut of =
            |answer| sample(&mut speaker, &Bytes, &prompt(answer), 7, &asking(60)).unwrap();
        let (b, c, d) = (of('B'), of('C'), of('D'));
        assert_eq!((b.samples, d.right), (60, 0));
        assert_eq!(b.right + c.right + b.unanswered, 60);
        assert!(
            [b.right, c.right, b.unanswered]
                .iter()
                .all(|&n| (8..33).contains(&n)),
            "{b:?} {c:?}"
        );
        assert!((b.share() - b.right as f64 / 60.0).abs() < 1e-15);
        // Another item, other draws.
        let other = sample(&mut speaker, &Bytes, &prompt('B'), 8, &asking(60)).unwrap();
        let again = sample(&mut speaker, &Bytes, &prompt('B'), 7, &asking(60)).unwrap();
        assert!(again == b && other != b);
    }

    #[test]
    fn answers_stop_where_they_are_complete() {
        // Eight letters, then `A`, then `.`; the rest is not asked for.
        let mut speaker = parrot(&["Answer: A. And then it goes on"]);
        let found = sample(&mut speaker, &Bytes, &prompt('A'), 7, &asking(1)).unwrap();
        assert_eq!((found.right, speaker.asked), (1, 10));
        // A next prompt is no part of an answer.
        let mut speaker = parrot(&["no [Query] Answer: A."]);
        let found = sample(&mut speaker, &Bytes, &prompt('A'), 7, &asking(1)).unwrap();
        assert_eq!((found.unanswered, speaker.asked), (1, 10));
        // The letter may be the last that is said.
        let mut speaker = parrot(&["Answer: A"]);
        let found = sample(&mut speaker, &Bytes, &prompt('A'), 7, &asking(1)).unwrap();
        assert_eq!((found.right, speaker.asked), (1, 10));
    }

    #[test]
    fn a_prompt_without_room_is_refused() {
        let mut long = asking(1);
        long.most_tokens = 60;
        let told = sample(&mut parrot(&[""]), &Bytes, &prompt('A'), 7, &long).unwrap_err();
        assert_eq!(
            told,
            "the prompt of item 7 has 9 tokens: with an answer of 60 they are more than the 64 that the model reads"
        );
    }

    #[test]
    fn letters_have_probabilities() {
        let mut speaker = parrot(&[]);
        let logits = [0.5_f64, 0.25, 0.125, 0.125].map(|p| libm::log(p) as f32 + 3.0);
        speaker.letters = Some(logits);
        let found = letters(&mut speaker, &Bytes, &prompt('B')).unwrap();
        for (found, expected) in found.into_iter().zip([0.5, 0.25, 0.125, 0.125]) {
            assert!((found - expected).abs() < 1e-6);
        }
        assert_eq!(most_probable(&found).char(), 'A');
        assert_eq!(most_probable(&[0.2, 0.3, 0.3, 0.2]).char(), 'B');
        speaker.letters = Some([0.0, 0.0, f32::NAN, 0.0]);
        assert!(letters(&mut speaker, &Bytes, &prompt('B')).is_err());
    }

    /// Joins a letter with what is before it.
    struct Words;

    impl Codec for Words {
        fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
            Ok(text.split(' ').map(|word| word.len() as u32).collect())
        }

        fn decode(&self, _: &[u32]) -> Result<String, String> {
            Ok(String::new())
        }
    }

    #[test]
    fn letters_must_be_tokens_of_their_own() {
        let told = letters(&mut parrot(&[]), &Words, &prompt('B')).unwrap_err();
        assert!(told.contains("as one token each"), "{told}");
    }
}
