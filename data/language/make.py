#!/usr/bin/env python3
"""Makes tasks.tsv.gz: short questions with one right answer each, from WordNet 3.0 and CLDR.

    apt-get download wordnet-base=1:3.0-37
    npm pack cldr-core@48.2.0
    python3 data/language/make.py wordnet-base_1%3a3.0-37_all.deb cldr-core-48.2.0.tgz \\
        data/words/names.tsv.gz data/language/tasks.tsv.gz

A line of the file is task, question, answer and rank, separated by tabs, sorted by task and rank; rank 1 is the
most common question of its task. README.md beside this file has the rule of every task.

Needs Python 3.9 and nothing else. Knows no pipeline.
"""

import base64
import collections
import gzip
import hashlib
import io
import json
import re
import sys
import tarfile

import inflection
import meaning
import places
from wordnet import WordNet

# Of the archive of cldr-core 48.2.0, as the registry states it.
CORE_SHA512 = "zfmLothncSwfv2jlevoSrgI2VGgH8SDGHXst6jUEotHA8nq9Igeg9jzdJDFtBso9pgJuG89DK16TzrmZDdo2Bg=="
# Of names.tsv.gz, unpacked, as ../README.md states it.
NAMES_SHA256 = "0ea8a7f662ed30a9da7e1c4b668c5ff0a195ab24fc4459c238ddc683844ebfce"
# Items of a task, the most common ones.
MOST = 400


def core(source):
    """Supplemental data of CLDR by name of the file."""
    with open(source, "rb") as file:
        archive = file.read()
    found = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != CORE_SHA512:
        sys.exit(f"{source}: its SHA-512 is {found}, expected {CORE_SHA512}: it is not cldr-core 48.2.0")
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        read = lambda name: json.load(package.extractfile(f"package/supplemental/{name}.json"))["supplemental"][name]
        return {name: read(name) for name in ("territoryInfo", "territoryContainment")}


def cldr_names(source):
    """Names by tag of the language and thing."""
    with gzip.open(source) as file:
        text = file.read()
    found = hashlib.sha256(text).hexdigest()
    if found != NAMES_SHA256:
        sys.exit(f"{source}: the SHA-256 of its text is {found}, expected {NAMES_SHA256}: it is not names.tsv.gz")
    names = collections.defaultdict(dict)
    for line in text.decode().splitlines():
        tag, thing, name = line.split("\t")
        names[tag][thing] = name
    return names


def letters(wordnet, taken):
    """Tasks on the letters of a word: every other common word that no other task has."""
    words = {word for part in ("n", "v", "a") for word in wordnet.senses[part]}
    words = [word for word in words if meaning.is_plain(wordnet, word) and word not in taken and len(word) >= 4]
    words.sort(key=lambda word: (-max(wordnet.frequency(part, word) for part in "nva"), word))
    words = words[: 2 * MOST]
    upper = [(word, word.upper()) for word in words[::2]]
    first = [(word, word[0]) for word in words[1::2]]
    return {"upper_case": upper, "first_letter": first}


def check(task, items):
    """One answer a question, none its own answer, and nothing that a line cannot hold."""
    questions = [question for question, _ in items]
    assert len(set(questions)) == len(questions), (task, [q for q, n in collections.Counter(questions).items() if n > 1])
    for question, answer in items:
        assert question != answer and question == question.strip() != "", (task, question, answer)
        assert all(re.fullmatch(r"[^\W\d_]+( [^\W\d_]+)?", text) for text in (question, answer)), (task, question, answer)


def main(deb, core_source, names_source, target):
    wordnet, cldr, names = WordNet(deb), core(core_source), cldr_names(names_source)
    tasks = {
        "past_irregular": inflection.past_irregular(wordnet),
        "past_regular": inflection.past_regular(wordnet),
        "plural_irregular": inflection.plural_irregular(wordnet),
        "plural_regular": inflection.plural_regular(wordnet),
        "comparative": inflection.comparative(wordnet),
        "antonym": meaning.antonym(wordnet),
        "hypernym_class": meaning.hypernym_class(wordnet),
        **places.tasks(cldr, names),
    }
    tasks = {task: items[:MOST] for task, items in tasks.items()}
    taken = {word for items in tasks.values() for item in items for word in item}
    tasks |= letters(wordnet, taken)
    lines = []
    for task, items in sorted(tasks.items()):
        check(task, items)
        print(f"{task}: {len(items)}", file=sys.stderr)
        lines += [f"{task}\t{question}\t{answer}\t{at}\n" for at, (question, answer) in enumerate(items, 1)]
    text = "".join(lines).encode()
    with open(target, "wb") as file:
        # No time in it, so that the same items are the same bytes.
        file.write(gzip.compress(text, 9, mtime=0))
    print(f"{len(lines)} items, SHA-256 of the text {hashlib.sha256(text).hexdigest()}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
