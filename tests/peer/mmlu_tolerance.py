"""How far the program and PyTorch with PEFT may lie apart in the MMLU experiment, and why: see mmlu.py and mmlu_exact.py, and what was measured
in docs/language-models.md.
"""

# f32: of a step's loss. A mean of logarithms, each rounded at 6e-8; the largest that was found is in the document, a hundredth of this.
LOSS = 1e-5
# f32: Euclidean norm of the difference of two changes of a matrix, over that of a change. Adam divides by the root of the gradient's mean
# square, so that an entry whose gradient is all rounding moves as far as any other: real models have more of these than a small one.
CHANGE = 1e-2
# f32: of the probability of a letter.
PROBABILITY = 1e-4
# Share of rows of a table in which sampled answers may differ, as a draw lies at the border of two tokens.
OTHER_ANSWERS = 0.02
# f64: of a loss and of a change of a matrix. Rounding at 1e-16 in a dozen steps.
EXACT = 1e-12
