"""Reads the dictionary of WordNet 3.0 from Debian's package wordnet-base.

Formats: wndb(5WN) and senseidx(5WN) of WordNet. Knows no task.
"""

import collections
import hashlib
import io
import re
import sys
import tarfile

SHA256 = "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752"
FOLDER = "usr/share/wordnet/"
PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
# The first number of a sense key; 5 is a satellite adjective.
KEY_PART = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}

Synset = collections.namedtuple("Synset", "file words pointers gloss")
# `source` and `target` are places of words, from 1, or 0 for all.
Pointer = collections.namedtuple("Pointer", "symbol offset part source target")


def members(deb):
    """Name and bytes of each member of an ar archive."""
    place = 8
    while place < len(deb):
        head = deb[place : place + 60]
        size = int(head[48:58])
        yield head[:16].decode().strip(), deb[place + 60 : place + 60 + size]
        place += 60 + size + size % 2


def unpack(source):
    """Text of each file of the dictionary."""
    with open(source, "rb") as file:
        deb = file.read()
    found = hashlib.sha256(deb).hexdigest()
    if found != SHA256:
        sys.exit(f"{source}: its SHA-256 is {found}, expected {SHA256}: it is not wordnet-base 1:3.0-37")
    data = next(data for name, data in members(deb) if name.startswith("data.tar"))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        inside = {member.name.removeprefix("./"): member for member in tar if member.isfile()}
        names = [name for name in inside if name.startswith(FOLDER)]
        return {name[len(FOLDER) :]: tar.extractfile(inside[name]).read().decode("utf-8", "replace") for name in names}


def synset(line):
    fields, gloss = line.split(" | ", 1)
    fields = fields.split()
    count = int(fields[3], 16)
    words = [re.sub(r"\((a|p|ip)\)$", "", word) for word in fields[4 : 4 + 2 * count : 2]]
    place = 5 + 2 * count
    pointers = []
    for at in range(place, place + 4 * int(fields[place - 1]), 4):
        symbol, offset, part, ends = fields[at : at + 4]
        pointers.append(Pointer(symbol, offset, part.replace("s", "a"), int(ends[:2], 16), int(ends[2:], 16)))
    return fields[0], Synset(int(fields[1]), words, pointers, gloss.strip())


class WordNet:
    """`synsets` by part of speech and offset; `senses` of a word, the most frequent first; `tags`: how often each
    sense was met in tagged texts; `irregular`: forms of a word that no rule makes; `glosses`: how often each
    word stands in a definition or example."""

    def __init__(self, source):
        files = unpack(source)
        self.synsets = {part: {} for part in PARTS}
        self.senses = {part: {} for part in PARTS}
        self.irregular = {part: collections.defaultdict(list) for part in PARTS}
        self.tags = collections.Counter()
        self.glosses = collections.Counter()
        for part, name in PARTS.items():
            for line in files[f"data.{name}"].splitlines():
                if not line.startswith("  "):
                    offset, found = synset(line)
                    self.synsets[part][offset] = found
                    self.glosses.update(re.findall(r"[a-z]+", found.gloss))
            for line in files[f"index.{name}"].splitlines():
                if not line.startswith("  "):
                    fields = line.split()
                    self.senses[part][fields[0]] = fields[-int(fields[2]) :]
            for line in files[f"{name}.exc"].splitlines():
                form, *words = line.split()
                for word in words:
                    self.irregular[part][word].append(form)
        for line in files["cntlist.rev"].splitlines():
            key, sense, count = line.split()
            lemma, rest = key.split("%")
            self.tags[KEY_PART[rest[0]], lemma, int(sense) - 1] += int(count)

    def sense(self, part, word, number=0):
        return self.synsets[part][self.senses[part][word][number]]

    def counts(self, part, word):
        """How often each sense of a word was met in tagged texts."""
        return [self.tags[part, word, number] for number in range(len(self.senses[part].get(word, [])))]

    def frequency(self, part, word):
        """Uses as this part of speech in tagged texts, and any in glosses."""
        return sum(self.counts(part, word)) + self.glosses[word]

    def is_mostly(self, part, word):
        """Whether half or more of the word's tagged uses are this part of speech, and there are some."""
        uses = {one: sum(self.counts(one, word)) for one in PARTS}
        return uses[part] > 0 and 2 * uses[part] >= sum(uses.values())

    def above(self, offset):
        """Offsets of a noun's synset and all of its hypernyms."""
        found, left = set(), [offset]
        while left:
            at = left.pop()
            if at not in found:
                found.add(at)
                left += [p.offset for p in self.synsets["n"][at].pointers if p.symbol in ("@", "@i")]
        return found
