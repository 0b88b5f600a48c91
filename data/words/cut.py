#!/usr/bin/env python3
"""Cuts names.tsv.gz from the package cldr-localenames-full 48.2.0 of the npm registry.

    npm pack cldr-localenames-full@48.2.0
    python3 data/words/cut.py cldr-localenames-full-48.2.0.tgz data/words/names.tsv.gz

A line of the file is a language's tag, a thing and its name, separated by tabs, sorted by thing and tag; a
thing is `territory/DE`, `language/fr` or `script/Cyrl`. Which lines there are:

* of each tag of a language, or of a language and a script: regional variants repeat most names;
* one name a thing: no alternatives (short forms, menu forms), no name that is only the code;
* languages with at least LEAST_NAMES names; of a script, the most frequent of their letters, that at least
  LEAST_LANGUAGES have;
* copies only once: of two languages that agree on COPY or more of the things that both name, the one that
  comes first is kept, tags without a script before those with one, then by the alphabet.

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
import unicodedata

# Of the package's archive, as the registry states it.
SHA512 = "4o0paYDz0UXhfhChAVFkmVl2CP0YTSEqE6WrC0fNafaSC5u5DAXphxH3SZ1Ujczarikr8DToKZfiok6EqWLdNQ=="
LEAST_NAMES = 400
LEAST_LANGUAGES = 4
COPY = 0.8
KINDS = {"languages": "language", "territories": "territory", "scripts": "script"}
PLACE = re.compile(r"package/main/([a-z]{2,3}(?:-[A-Z][a-z]{3})?)/(languages|territories|scripts)\.json")


def read(archive):
    """Names by tag and thing."""
    names = collections.defaultdict(dict)
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        for member in package:
            place = PLACE.fullmatch(member.name)
            if not place:
                continue
            tag, kind = place.groups()
            found = json.load(package.extractfile(member))["main"][tag]["localeDisplayNames"].get(kind, {})
            for code, name in found.items():
                name = unicodedata.normalize("NFC", " ".join(name.split()))
                if "-alt-" not in code and "-menu-" not in code and name != code:
                    names[tag][f"{KINDS[kind]}/{code}"] = name
    return {tag: found for tag, found in names.items() if len(found) >= LEAST_NAMES}


def agreement(one, other):
    """Share of equal names among the things that both name."""
    common = [thing for thing in one if thing in other]
    return sum(one[thing] == other[thing] for thing in common) / max(len(common), 1)


def without_copies(names):
    kept = []
    for tag in sorted(names, key=lambda tag: ("-" in tag, tag)):
        like = [(agreement(names[tag], names[other]), other) for other in kept]
        share, other = max(like, default=(0, ""))
        if share >= COPY:
            print(f"{tag} left out: {share:.3f} of its names are those of {other}", file=sys.stderr)
        else:
            kept.append(tag)
    return {tag: names[tag] for tag in kept}


def script(names):
    """First word of the Unicode name of most letters: LATIN, CYRILLIC."""
    letters = (letter for name in names.values() for letter in name if letter.isalpha())
    counts = collections.Counter(unicodedata.name(letter).split()[0] for letter in letters)
    return counts.most_common(1)[0][0]


def main(source, target):
    with open(source, "rb") as file:
        archive = file.read()
    found = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != SHA512:
        sys.exit(f"{source}: its SHA-512 is {found}, expected {SHA512}: it is not cldr-localenames-full 48.2.0")
    names = without_copies(read(archive))
    scripts = {tag: script(found) for tag, found in names.items()}
    sizes = collections.Counter(scripts.values())
    kept = [tag for tag in names if sizes[scripts[tag]] >= LEAST_LANGUAGES]
    lines = sorted((thing, tag, name) for tag in kept for thing, name in names[tag].items())
    text = "".join(f"{tag}\t{thing}\t{name}\n" for thing, tag, name in lines).encode()
    with open(target, "wb") as file:
        # No time in it, so that the same names are the same bytes.
        file.write(gzip.compress(text, 9, mtime=0))
    for name, size in sizes.most_common():
        print(f"{name}: {size} languages{'' if size >= LEAST_LANGUAGES else ', left out'}", file=sys.stderr)
    print(f"{len(lines)} names, {len(kept)} languages, SHA-256 of the text {hashlib.sha256(text).hexdigest()}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
