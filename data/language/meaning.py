"""Meanings of English words from WordNet: opposites and classes of things.

Knows no spelling.
"""

import os.path
import re

# What WordNet says of a sense: the first kind leaves the word out, whatever else it means; the second one
# does so if the sense is often meant.
RUDE = re.compile(r"obscene|vulgar|ethnic slur|offensive (term|name|word)|derogatory|disparaging (term|name)")
UNFIT = re.compile(
    r"\b(slur|insulting|abusive|taboo|slang|sexual\w*|copulat\w*|prostitut\w*|genital\w*|buttocks|excrement|ethnic|racial)\b"
)
RUDE_DOMAINS = {"disparagement", "ethnic_slur", "vulgarism", "obscenity", "dirty_word", "derogation", "profanity"}
# What those rules do not find, and what should not stand in a prompt.
STOP = set(
    "sex sexual sexy rape rapist nude naked breast breasts negro nazi slave suicide murder kill killer whore nigger "
    "bitch bastard cock dick pussy ass arse fuck shit piss crap tit anus rectum penis vagina fag faggot queer gay "
    "lesbian dyke retard retarded precocious cripple gypsy savage savages heathen infidel jew jap chink spic coon wog damn hell terrorist "
    "virgin orgasm condom masturbate incest torture corpse".split()
)
# Beginnings of words that are opposites in spelling too.
BEGINNINGS = set("un in im ir il non dis a an anti de counter mis under over hypo hyper sub super extra post pre mono poly".split())
# Classes that the first sense, though not the word, makes clear; and words of a class by a technical reading alone.
CLASS_UNSURE = set(
    "pitcher grill shipwreck sulky dun buckskin scours cud feedlot wrapper os mankind horseback vitamin duct lobe balloon "
    "hay alcohol individual someone laundry tissue larva cortex diet spine colon jaguar seal vertebrate pectoral pupil "
    "specialist guard speaker patient bullet malignancy coop lap andrena limb lichen ergot smoother abrader".split()
)

CLASSES = [
    ("animal", "animal", 0),
    ("plant", "plant", 1),
    ("food", "food", 0),
    ("food", "food", 1),
    ("vehicle", "vehicle", 0),
    ("clothing", "clothing", 0),
    ("building", "building", 0),
    ("body", "body_part", 0),
    ("instrument", "musical_instrument", 0),
    ("furniture", "furniture", 0),
    ("weapon", "weapon", 0),
    ("tool", "tool", 0),
    ("person", "person", 0),
    ("disease", "disease", 0),
]
# Items of a class, the most common ones.
MOST_OF_CLASS = 32


def is_rude(wordnet, word):
    uses = sum(sum(wordnet.counts(part, word)) for part in wordnet.senses)
    for part, senses in wordnet.senses.items():
        for offset, count in zip(senses.get(word, []), wordnet.counts(part, word)):
            found = wordnet.synsets[part][offset]
            domains = {w for p in found.pointers if p.symbol == ";u" for w in wordnet.synsets[p.part][p.offset].words}
            definition = found.gloss.split('; "')[0]
            often = 10 * count >= uses
            if domains & RUDE_DOMAINS or RUDE.search(definition) or (often and UNFIT.search(definition)):
                return True
    return False


def is_plain(wordnet, word):
    """Whether a word is of two to twelve letters a to z, mostly no name, and fit to be printed."""
    if not re.fullmatch("[a-z]{2,12}", word) or word in STOP or is_rude(wordnet, word):
        return False
    # The first sense of a name is spelt with a capital letter: the verb tell stays, though there was a Tell.
    parts = [part for part in wordnet.senses if word in wordnet.senses[part]]
    most = max(sum(wordnet.counts(part, word)) for part in parts)
    return all(word in wordnet.sense(part, word).words for part in parts if sum(wordnet.counts(part, word)) == most)


def are_of_one_stem(one, other):
    """Whether a beginning or an ending is all the difference: aware, unaware; careful, careless; but not major, minor."""
    longer, shorter = sorted((one, other), key=lambda word: (-len(word), word))
    start = len(os.path.commonprefix([one, other]))
    end = len(os.path.commonprefix([one[::-1], other[::-1]]))
    beginnings = {one[: len(one) - end], other[: len(other) - end]}
    less = [word for word in (one, other) if word.endswith("less")]
    stem = min(len(shorter), len(less[0]) - 4) if less else 5
    return longer.endswith(shorter) or start >= min(stem, 5) or (end >= 3 and beginnings <= BEGINNINGS | {""})


def opposites(wordnet, word):
    """Direct antonyms of all senses of an adjective, with the number of the sense."""
    for number, offset in enumerate(wordnet.senses["a"][word]):
        found = wordnet.synsets["a"][offset]
        for pointer in found.pointers:
            if pointer.symbol == "!" and found.words[pointer.source - 1].lower() == word:
                yield number, wordnet.synsets[pointer.part][pointer.offset].words[pointer.target - 1]


def antonym(wordnet):
    items = []
    for word in wordnet.senses["a"]:
        if not is_plain(wordnet, word) or not wordnet.is_mostly("a", word):
            continue
        found = list(opposites(wordnet, word))
        answers = {answer for _, answer in found}
        counts = wordnet.counts("a", word)
        # The sense that has the opposite is one that people mean.
        if len(answers) != 1 or not any(2 * counts[number] >= max(counts) for number, _ in found):
            continue
        answer = answers.pop()
        if is_plain(wordnet, answer) and wordnet.frequency("a", answer) >= 3 and not are_of_one_stem(word, answer):
            items.append((word, answer))
    return sorted(items, key=lambda item: (-wordnet.frequency("a", item[0]), item[0]))


def hypernym_class(wordnet):
    roots = {wordnet.senses["n"][lemma][number]: name for name, lemma, number in CLASSES}

    def classes(offset):
        return {roots[above] for above in wordnet.above(offset) if above in roots}

    found = {name: [] for name in roots.values()}
    plurals = {form for forms in wordnet.irregular["n"].values() for form in forms}
    for word, senses in wordnet.senses["n"].items():
        if not is_plain(wordnet, word) or word in found or word in CLASS_UNSURE:
            continue
        # Rarer words, not met in the tagged texts, if they are nouns only and stand in a gloss.
        only = wordnet.glosses[word] > 0 and not any(word in wordnet.senses[part] for part in "var")
        if not wordnet.is_mostly("n", word) and not only:
            continue
        # Plurals that are entries of their own: eggs, oxen.
        if word in plurals or word[:-1] in wordnet.senses["n"] and re.search("[^su]s$", word):
            continue
        counts = wordnet.counts("n", word)
        first = classes(senses[0])
        # A word of many uses is what it mostly is; of a rare word, all senses count.
        meant = [offset for offset, count in zip(senses, counts) if count > 0 or sum(counts) < 5]
        every = set().union(*(classes(offset) for offset in meant))
        if len(every) == 1 and first == every and 10 * counts[0] >= 7 * sum(counts):
            found[every.pop()].append(word)
    items = []
    for name, words in found.items():
        words.sort(key=lambda word: (-wordnet.frequency("n", word), word))
        items += [(word, name) for word in words[:MOST_OF_CLASS]]
    return sorted(items, key=lambda item: (-wordnet.frequency("n", item[0]), item[0]))
