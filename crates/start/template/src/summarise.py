"""The mean over seeds of the tables that measure.py writes."""

import argparse
import csv
from collections import defaultdict


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    parser.add_argument("tables", nargs="+")
    options = parser.parse_args()
    errors = defaultdict(list)
    for path in options.tables:
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                errors[row["method"], int(row["n"])].append(float(row["error"]))
    with open(options.out, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["method", "n", "error", "seeds"])
        for (method, size), values in sorted(errors.items()):
            table.writerow([method, size, f"{sum(values) / len(values):.6f}", len(values)])


if __name__ == "__main__":
    main()
