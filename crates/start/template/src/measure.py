"""One seed of the experiment: squared errors of mean and median, written as a table."""

import argparse
import csv
import random

from estimates import mean, median

SIZES = [10, 20, 40, 80]
OUTLIERS = 0.1
OUTLIER_SPREAD = 10.0


def draw(size, generator):
    """A sample around 0 in which some values spread wider."""
    spreads = (OUTLIER_SPREAD if generator.random() < OUTLIERS else 1.0 for _ in range(size))
    return [generator.gauss(0.0, spread) for spread in spreads]


def squared_errors(size, repeats, generator):
    """The mean squared error of each estimate over many samples."""
    estimates = {"mean": mean, "median": median}
    sums = dict.fromkeys(estimates, 0.0)
    for _ in range(repeats):
        sample = draw(size, generator)
        for name, estimate in estimates.items():
            sums[name] += estimate(sample) ** 2
    return {name: total / repeats for name, total in sums.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    # All chance comes from here: the same seed gives the same table.
    generator = random.Random(options.seed)
    with open(options.out, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["method", "n", "error"])
        for size in SIZES:
            for method, error in squared_errors(size, options.repeats, generator).items():
                table.writerow([method, size, f"{error:.6f}"])


if __name__ == "__main__":
    main()
