//! The images of handwritten digits, against what others computed of them.

use flate2::read::GzDecoder;
use icl::math::pca::Pca;
use icl::prompts::hold_out;
use ndarray::{Array2, s};
use std::io::Read;
use std::path::Path;

/// Pixels by row and column, and the digit in the last column.
fn images() -> Array2<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits/digits.csv.gz");
    let bytes = std::fs::read(path).expect("the images");
    let mut text = String::new();
    GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .expect("gzip");
    let numbers = text.split([',', '\n']).filter(|field| !field.is_empty());
    let numbers: Vec<f64> = numbers
        .map(|field| field.parse().expect("a number"))
        .collect();
    Array2::from_shape_vec((numbers.len() / 65, 65), numbers).expect("65 columns")
}

/// Shares of the variance of all 1,797 images, by numpy 2.4 (`eigvalsh` of the covariance matrix); the
/// documentation of scikit-learn prints the same for its PCA of these images.
#[test]
fn principal_components_have_the_published_shares() {
    let images = images();
    let pixels = images.slice(s![.., ..64]);
    let total: f64 = pixels
        .columns()
        .into_iter()
        .map(|column| column.var(0.0))
        .sum();
    let pca = Pca::fit(pixels, 6).expect("they vary");
    let published = [
        0.14890594, 0.13618771, 0.11794594, 0.08409979, 0.05782415, 0.0491691,
    ];
    for (variance, expected) in pca.variances.iter().zip(published) {
        assert!(
            (variance / total - expected).abs() < 1e-8,
            "{}",
            variance / total
        );
    }
    // Three corner pixels are blank in every image: 61 directions at most.
    assert_eq!(Pca::fit(pixels, 62).expect_err("too many").rank, 61);
}

/// The counts of UCI's description of its test set, and a split that keeps their shares.
#[test]
fn classes_have_their_sizes_on_both_sides_of_the_split() {
    let images = images();
    let digits: Vec<usize> = images
        .column(64)
        .iter()
        .map(|&digit| digit as usize)
        .collect();
    let held_out = hold_out::stratified(&digits, 0.2, 0);
    let sizes = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];
    for (digit, size) in sizes.into_iter().enumerate() {
        let of_class = || (0..digits.len()).filter(|&row| digits[row] == digit);
        assert_eq!(of_class().count(), size, "{digit}");
        let held = of_class().filter(|&row| held_out[row]).count() as f64;
        assert!((held - 0.2 * size as f64).abs() <= 0.5, "{digit}: {held}");
    }
}
