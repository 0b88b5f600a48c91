"""Run with: python3 -m unittest discover tests"""

import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "src"))

from estimates import mean, median
from measure import squared_errors


class Estimates(unittest.TestCase):
    def test_small_samples(self):
        self.assertEqual(mean([1, 2, 6]), 3)
        self.assertEqual(median([6, 1, 2]), 2)
        self.assertEqual(median([4, 1, 2, 3]), 2.5)

    def test_the_median_does_not_follow_an_outlier(self):
        self.assertEqual(median([1, 2, 3, 4, 1000]), 3)

    def test_the_same_seed_gives_the_same_errors(self):
        first, second = (squared_errors(10, 50, random.Random(3)) for _ in range(2))
        self.assertEqual(first, second)


if __name__ == "__main__":
    unittest.main()
