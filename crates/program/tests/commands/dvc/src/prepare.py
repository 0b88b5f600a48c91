import os
import random
import sys
import xml.etree.ElementTree as tree

from values import values

options = values("prepare")
chance = random.Random(int(options["seed"]))
folder = os.path.join("data", "prepared")
os.makedirs(folder, exist_ok=True)
train = open(os.path.join(folder, "train.tsv"), "w")
test = open(os.path.join(folder, "test.tsv"), "w")
for post in tree.parse(sys.argv[1]).getroot():
    label = int("<r>" in post.get("Tags"))
    text = " ".join(post.get("Title").split())
    file = test if chance.random() < options["split"] else train
    file.write(f"{label}\t{text}\n")
