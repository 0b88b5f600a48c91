//! What every machine gives, by name. `tests/program/golden.rs` prints this table anew when it fails.

/// The first 32 hexadecimal digits of BLAKE3 over the bytes, or over the bits of the numbers (little-endian).
pub const EXPECTED: &[(&str, &str)] = &[
    ("elementary functions", "1448d4a99cfcb9f7ff13d11941f1bf55"),
    (
        "uniforms and normals, one by one",
        "e8d84e2c407420a7553d4db3b2be959e",
    ),
    (
        "normals and chi-squares in lanes",
        "38ac85041c8041e9fe0aeb04a61f6896",
    ),
    (
        "Student's t and its power",
        "f711bdab47a63ed18776d46d3e19e43e",
    ),
    (
        "eigenvectors and matrix functions",
        "a2f801b1636caf9de4353e3e2c979a5a",
    ),
    ("principal components", "5fdd3c77c6f344c5eaf5e0ed1e289e5a"),
    (
        "random tasks and initial models",
        "8b759bde119808348a129a3b33e3bf66",
    ),
    ("data set of a task", "5bade494233571c82ebf2d99c2f571b6"),
    ("pretraining, merged", "67e6c02a85e58ed7ec0a710082fddf8d"),
    (
        "pretraining, d = 3 with a covariance",
        "94115c2c8f55d815865fb8f08d95610e",
    ),
    (
        "fine-tuning, zero-shot, all, SGD",
        "339edc111754535106d982ecfc27b106",
    ),
    (
        "fine-tuning, zero-shot, value, Adam",
        "68ca5bd7471aae624f9de2613eba8608",
    ),
    (
        "fine-tuning, both, key-query, Adam",
        "4ba88c86acda4b8b7d016b6910de0e22",
    ),
    (
        "fine-tuning, both, all, SGD",
        "4485166e8ed8bd9fd0933d0698f78d73",
    ),
    (
        "fine-tuning, replay, value and label column, SGD",
        "a63a7497c68efe298e8a106a3ad7b1b4",
    ),
    (
        "separate matrices, 2 heads",
        "aa6d3def48fdbd5d81ff0313ec377da8",
    ),
    (
        "separate matrices, 2 layers, query",
        "9988f4f208f9fdf8549689ee04744a0a",
    ),
    (
        "separate matrices, 2 heads, 2 layers, key",
        "4203fa186c852ac20364b8aa5528f6bd",
    ),
    (
        "evaluation of one-layer models",
        "ca8da19c7447682c6911d84d489ac698",
    ),
    (
        "evaluation of deep models",
        "8298eb325fedb6330f2eb05d1a0b75b3",
    ),
    (
        "training and evaluation on a pool of examples",
        "556ff94d93a544fe92c54e590660b382",
    ),
    (
        "exact errors and closed forms",
        "b88b103cac3ecebea650c02d2bd19109",
    ),
    (
        "training on the exact loss",
        "cbb06af35fd40c416056e51f9deafdc9",
    ),
    (
        "transformer, f32, on regression",
        "9b7dd9388dad1202e12eb7f92bbefd71",
    ),
    (
        "transformer, f64, on bags of ids",
        "efad58a20cc198abcada2c09c810de6f",
    ),
    (
        "language model, f32, on tasks in words",
        "0084fd3d4e5c32e5103ee88722c20dd7",
    ),
    ("table csv", "066b4815e759b942ae1a3fff2b2b800e"),
    ("table csv read back", "066b4815e759b942ae1a3fff2b2b800e"),
    ("table parquet", "06dec74823402c861504e22aaf353cc6"),
    (
        "table parquet read back",
        "06dec74823402c861504e22aaf353cc6",
    ),
    ("model json", "d5cb2471d93954aa715e8483762d73df"),
    ("figure svg", "20a6fc659a8aa31b85a05ec9465317f7"),
    ("figure png", "20f899a7164891257d8b8bd950db6fa4"),
    ("figure pdf", "5d68e690d733512c186b2901ae75296a"),
];
