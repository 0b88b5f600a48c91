import json
import os
import sys
from collections import Counter

from values import values

source, target = sys.argv[1:]
most = int(values("featurize")["max_features"])


def posts(name):
    with open(os.path.join(source, name + ".tsv")) as file:
        for line in file:
            label, text = line.rstrip("\n").split("\t")
            yield int(label), text.lower().split()


counts = Counter(word for _, words in posts("train") for word in words)
vocabulary = sorted(counts, key=lambda word: (-counts[word], word))[:most]
os.makedirs(target, exist_ok=True)
for name in ["train", "test"]:
    rows = [[label, [words.count(word) for word in vocabulary]] for label, words in posts(name)]
    with open(os.path.join(target, name + ".json"), "w") as file:
        json.dump(rows, file)
