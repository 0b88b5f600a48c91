import json
import os
import sys

model, source = sys.argv[1:]
weights = json.load(open(model))
rows = json.load(open(os.path.join(source, "test.json")))
scored = [(sum(w * x for w, x in zip(weights, [1.0, *counts])), label) for label, counts in rows]
right = sum((score > 0) == bool(label) for score, label in scored)
os.makedirs(os.path.join("eval", "plots"), exist_ok=True)
json.dump({"accuracy": right / len(scored), "posts": len(scored)}, open("eval/metrics.json", "w"))
positive = sum(label for _, label in scored)
with open("eval/plots/roc.csv", "w") as file:
    file.write("fpr,tpr\n")
    for bound, _ in sorted(scored, reverse=True):
        above = [label for score, label in scored if score >= bound]
        hits, misses = sum(above), len(above) - sum(above)
        file.write(f"{misses / (len(scored) - positive):.6f},{hits / positive:.6f}\n")
