"""Means of both groups over plants that are drawn again, with replacement."""

import argparse
import csv
import random

from helper import heights, mean


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--resamples", type=int, required=True)
    parser.add_argument("out")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with open(options.out, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["group", "week", "height"])
        for group, plants in sorted(heights().items()):
            draws = [chance.choices(plants, k=len(plants)) for _ in range(options.resamples)]
            for week in sorted(plants[0]):
                height = sum(mean(draw, week) for draw in draws) / len(draws)
                table.writerow([group, week, f"{height:.4f}"])


if __name__ == "__main__":
    main()
