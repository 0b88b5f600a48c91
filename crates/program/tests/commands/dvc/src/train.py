import json
import math
import os
import sys

from values import values

source, target = sys.argv[1:]
options = values("train")
rows = json.load(open(os.path.join(source, "train.json")))
weights = [0.0] * (len(rows[0][1]) + 1)
for _ in range(int(options["epochs"])):
    for label, counts in rows:
        inputs = [1.0, *counts]
        score = sum(w * x for w, x in zip(weights, inputs))
        error = label - 1 / (1 + math.exp(-score))
        weights = [w + options["rate"] * error * x for w, x in zip(weights, inputs)]
json.dump([round(w, 9) for w in weights], open(target, "w"))
