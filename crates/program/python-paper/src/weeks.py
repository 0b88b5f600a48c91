"""The mean height of each group by week."""

import csv
import sys

from helper import heights, mean

with open(sys.argv[1], "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["group", "week", "height"])
    for group, plants in sorted(heights().items()):
        for week in sorted(plants[0]):
            table.writerow([group, week, f"{mean(plants, week):.3f}"])
