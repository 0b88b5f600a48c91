"""Estimates of the centre of a sample."""


def mean(sample):
    return sum(sample) / len(sample)


def median(sample):
    ordered = sorted(sample)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
