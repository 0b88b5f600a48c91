"""The heights, and their means."""

import csv


def heights(path="data/growth.csv"):
    """Plants by group: for each the heights by week."""
    groups = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            plants = groups.setdefault(row["group"], {})
            plants.setdefault(row["plant"], {})[int(row["week"])] = float(row["height"])
    return {group: list(plants.values()) for group, plants in groups.items()}


def mean(plants, week):
    return sum(plant[week] for plant in plants) / len(plants)
