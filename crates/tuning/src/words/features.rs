//! What a model sees of a name: its letters in groups of one to three, hashed.
//!
//! Does not know languages or prompts.

use crate::words::corpus::folded;
use icl::math::stream::Stream;
use std::fmt;

/// Stands before and after a name, so that beginnings and ends are features of their own. No name has it.
const BOUNDARY: char = '\u{1f}';
/// Longest groups of letters.
const LONGEST: usize = 3;

/// The ids of tokens: `0..n_grams` are hashed n-grams, then a letter for each place of a deal, then the
/// token that every prompt begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vocabulary {
    n_grams: usize,
}

/// Letters that are dealt: A to D.
pub const LETTERS: usize = 4;

/// Too few or too many buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VocabularyError(pub usize);

impl fmt::Display for VocabularyError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let most = Vocabulary::MOST;
        write!(f, "{} n-gram ids: from 1 to {most} are possible", self.0)
    }
}

impl std::error::Error for VocabularyError {}

impl Vocabulary {
    /// More rows of an embedding than any name needs.
    pub const MOST: usize = 1 << 24;

    /// With so many ids for n-grams; 8,192 is usual here. The names of 82 languages in Latin script have some
    /// 31,000 different n-grams, of which 12,400 occur five times or more: an id stands for four, though a
    /// name is told by the 33 ids that it has on average, which two names hardly ever share.
    ///
    /// # Errors
    /// Unless there are 1 to [`Vocabulary::MOST`].
    pub fn new(n_grams: usize) -> Result<Vocabulary, VocabularyError> {
        match (1..=Vocabulary::MOST).contains(&n_grams) {
            true => Ok(Vocabulary { n_grams }),
            false => Err(VocabularyError(n_grams)),
        }
    }

    /// Ids of n-grams.
    pub fn n_grams(self) -> usize {
        self.n_grams
    }

    /// The id of a letter, by its place from 0.
    pub fn letter(self, place: usize) -> u32 {
        debug_assert!(place < LETTERS, "letters are A to D");
        (self.n_grams + place) as u32
    }

    /// The id of the token that begins a prompt.
    pub fn start(self) -> u32 {
        (self.n_grams + LETTERS) as u32
    }

    /// All ids: rows of an embedding.
    pub fn size(self) -> usize {
        self.n_grams + LETTERS + 1
    }

    /// The ids of a name: of all groups of one to three neighbouring letters of the name in small letters
    /// between two boundary marks, sorted, each once. The lone mark is in every name and no feature. The id
    /// of a group is the 64-bit FNV-1a hash of its UTF-8 bytes, its upper half xored onto the lower, modulo
    /// the number of ids.
    pub fn bag(self, name: &str) -> Vec<u32> {
        let marked: Vec<char> = std::iter::once(BOUNDARY)
            .chain(folded(name).chars())
            .chain(std::iter::once(BOUNDARY))
            .collect();
        let mut ids = Vec::new();
        for length in 1..=LONGEST {
            for group in marked.windows(length) {
                if group != [BOUNDARY] {
                    ids.push((hash(group) % self.n_grams as u64) as u32);
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// Source: Fowler, Noll and Vo, the FNV non-cryptographic hash; IETF draft-eastlake-fnv, 64 bits, folded to
/// 32 since the low bits alone mix little.
fn hash(group: &[char]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut bytes = [0; 4];
    for letter in group {
        for byte in letter.encode_utf8(&mut bytes).bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    (hash >> 32) ^ (hash & 0xffff_ffff)
}

/// Leaves out each id with probability `share`, and keeps one, chosen uniformly, where none would be left.
/// The order stays. One uniform number an id, whatever comes of it; nothing is drawn at share 0.
pub fn drop_out(ids: &[u32], share: f64, stream: &mut Stream, into: &mut Vec<u32>) {
    if share <= 0.0 {
        into.extend_from_slice(ids);
        return;
    }
    let before = into.len();
    into.extend(ids.iter().filter(|_| stream.uniform() >= share));
    if into.len() == before && !ids.is_empty() {
        into.push(ids[stream.index(ids.len())]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        Vocabulary::new(8192).unwrap()
    }

    #[test]
    fn ids_follow_each_other() {
        let vocabulary = vocabulary();
        assert_eq!(vocabulary.letter(0), 8192);
        assert_eq!(vocabulary.start(), 8196);
        assert_eq!(vocabulary.size(), 8197);
        assert!(Vocabulary::new(0).is_err());
        let error = Vocabulary::new(1 << 25).unwrap_err().to_string();
        assert_eq!(
            error,
            "33554432 n-gram ids: from 1 to 16777216 are possible"
        );
    }

    #[test]
    fn a_name_is_its_groups_of_letters() {
        let bag = |name| vocabulary().bag(name);
        // o, |o, o|, |o|
        assert_eq!(bag("o").len(), 4);
        // a, b, |a, ab, b|, |ab, ab|
        assert_eq!(bag("ab").len(), 7);
        // a, |a, aa, a|, |aa, aaa, aa|: repeated ones count once.
        assert_eq!(bag("aaaa").len(), 7);
        assert_eq!(bag("Ärger"), bag("ärger"));
        assert_ne!(bag("ab"), bag("ba"));
        assert!(bag("Österreich").is_sorted());
        assert_eq!(bag(""), [hash_of(&[BOUNDARY, BOUNDARY])]);
    }

    fn hash_of(group: &[char]) -> u32 {
        (hash(group) % 8192) as u32
    }

    /// Pins the hash: embeddings of trained models hang on it.
    #[test]
    fn golden_hashes() {
        // FNV-1a of "foobar" in 64 bits, from the authors' test vectors.
        let folded = 0x8594_4171_f739_67e8_u64;
        let letters: Vec<char> = "foobar".chars().collect();
        assert_eq!(hash(&letters), (folded >> 32) ^ (folded & 0xffff_ffff));
        assert_eq!(vocabulary().bag("å"), GOLDEN);
    }

    const GOLDEN: [u32; 4] = [6, 1074, 1198, 7234];

    #[test]
    fn few_ids_collide_and_stay_in_range() {
        let small = Vocabulary::new(5).unwrap();
        let ids = small.bag("Liechtenstein");
        assert_eq!(ids, [0, 1, 2, 3, 4]);
        assert_eq!(Vocabulary::new(1).unwrap().bag("x"), [0]);
    }

    #[test]
    fn drop_out_keeps_its_share_and_one() {
        let ids: Vec<u32> = (0..1000).collect();
        let mut stream = Stream::new(3, "drop out", &[]);
        let mut kept = Vec::new();
        drop_out(&ids, 0.3, &mut stream, &mut kept);
        // 700 expected, standard deviation 14.5.
        assert!((640..760).contains(&kept.len()), "{}", kept.len());
        assert!(kept.is_sorted());
        for _ in 0..100 {
            let mut kept = vec![7];
            drop_out(&[1, 2], 0.999, &mut stream, &mut kept);
            assert_eq!((kept[0], kept.len()), (7, 2));
        }
        let mut all = Vec::new();
        drop_out(&ids, 0.0, &mut stream, &mut all);
        assert_eq!(all, ids);
        let mut none = Vec::new();
        drop_out(&[], 0.5, &mut stream, &mut none);
        assert!(none.is_empty());
    }
}
