"""Forms of English words: past, plural, comparative.

A form is certain if WordNet lists it as irregular or a spelling rule makes it, and no other form of the word is
in use. That a form is in use is known from WordNet's definitions and examples. Knows no other task.
"""

import re

from meaning import is_plain

# Two past forms, or a past that is the verb itself, which WordNet does not say.
PAST_UNSURE = set(
    "abide alight awake be beget behold beseech beset bespeak bet bid bide broadcast burst bust cast chide cleave clothe "
    "cost crow cut dare dive dwell fit floodlight forbear forbid forecast gird gild gin grave hang heave hew hit hurt "
    "input inset interbreed intercut knit lade lay lean leap let lie light may miscast mow offset outbid output overbid "
    "overcast overspread plead preset prove proofread put quit read recast recut reset rid rive saw set sew "
    "shave shed shine shit shoe show shred shut  slit slay smite sneak sow speed spell spill spit split "
    "spoil spread spring stave stink strew strive sublet swell telecast thrive thrust tread typecast typeset upset wed "
    "wet whipsaw wind work wreak writhe bereave gas bias focus bus program worship kidnap benefit leapfrog zigzag learn burn dream kneel address bless bypass "
    "transfix spotlight seed unteach foreknow bethink overdrive underlie overflow shear".split()
)
# Irregular, though a regular past is met in a technical sense: flied out.
PAST_SURE = {"fly"}
# Nouns without a plural of their own, or that are one, though WordNet counts them.
PLURAL_UNSURE = set(
    "people police cattle fish sheep deer fowl shrimp squid grouse moose bison cod herring salmon trout aircraft "
    "spacecraft offspring swine poultry livestock staff clothing furniture equipment underwear footwear hair "
    "prey linen youth folk military cavalry infantry stuff wildlife".split()
)
# Irregular in WordNet, where people say otherwise or hardly any.
IRREGULAR_UNSURE = set("sent vena genius taxis vas diva aorta calculus testis lied corpus lepton milium trachea stylus maximum minimum labium".split())
# Not a compound with man.
NOT_MEN = set("human german roman shaman talisman ottoman caiman cayman norman brahman woman toman dolman".split())
# Without a comparative, or with another one.
COMPARATIVE_UNSURE = set("any all ill halfway dun ungodly unholy".split())
MOST_MEN = 30
# Regular verbs that are met more often as another word: the past of find or fall, an auxiliary, a name.
OTHER_WORDS = set("can found fell don ram sour compound".split())
VOWELS = "aeiou"


def ends_short(word):
    """Whether a consonant that doubles follows one vowel letter: stop, quit, but not look or show."""
    return re.search(r"(?:[^aeiou]|qu)[aeiouy][^aeiouwxy]$", word) is not None and word[-2] != "y"


def syllables(word):
    return len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word)))


def plain_past(verb):
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in VOWELS:
        return verb[:-1] + "ied"
    return verb + "ed"


def regular_pasts(verb):
    """Spellings of a regular past."""
    return {plain_past(verb), verb + verb[-1] + "ed"} if ends_short(verb) else {plain_past(verb)}


def simple_past(verb, forms):
    """The simple past among irregular forms, or None: WordNet lists participles with them.

    A participle ends in n (gone, written) or has u for the past's a (sung, sang). A lone form in -en, or that is the
    verb and n (shown), is a participle whose past is regular.
    """
    past = [form for form in forms if not re.search(r"(e|w|ai|i|or|o)n$|(or|o)ne$", form) or form in ("won", "shone")]
    pairs = [form for form in past if any(form.replace("a", "u", 1) == other for other in past if other != form)]
    if len(pairs) == 1:
        past = pairs
    return past[0] if len(past) == 1 else None


def verbs(wordnet):
    found = [verb for verb in wordnet.senses["v"] if is_plain(wordnet, verb) and verb not in PAST_UNSURE]
    return sorted(found, key=lambda verb: (-wordnet.frequency("v", verb), verb))


def past_irregular(wordnet):
    items = []
    for verb in verbs(wordnet):
        listed = [form for form in wordnet.irregular["v"].get(verb, []) if not re.search(r"(ing|s)$", form) and form != verb]
        # Not those that only spelling makes irregular: upped, panicked.
        spelt = {plain_past(verb), verb + verb[-1] + "ed", verb + "ked"}
        forms = [form for form in listed if form not in spelt]
        # Some of them are other words, or the past of one: seed, singed.
        known = lambda form: form in wordnet.senses["n"] or form in wordnet.senses["a"] or form[:-1] in wordnet.senses["v"]
        in_use = any(wordnet.glosses[form] and not known(form) for form in regular_pasts(verb)) and verb not in PAST_SURE
        past = simple_past(verb, forms)
        if past and past != verb and not in_use and len(listed) == len(forms) and sum(wordnet.counts("v", verb)) > 0:
            items.append((verb, past))
    return items


def past_regular(wordnet):
    items = []
    for verb in verbs(wordnet):
        listed = set(wordnet.irregular["v"].get(verb, []))
        past = {form for form in listed if not form.endswith("ing")}
        doubled = verb + verb[-1] + "ed"
        if not wordnet.is_mostly("v", verb) or verb in OTHER_WORDS or past - {doubled}:
            continue
        form = doubled if past else plain_past(verb)
        other = plain_past(verb) if past else doubled
        # A short syllable doubles; of longer verbs, those in l and s double in Britain only.
        sure = ends_short(verb) == bool(past) if syllables(verb) == 1 else not (past and verb[-1] in "ls")
        if syllables(verb) > 1 and verb.endswith("l") and ends_short(verb):
            sure = False
        if sure and bool(past) == bool(listed) and wordnet.glosses[form] and not wordnet.glosses[other]:
            items.append((verb, form))
    return items


def plural(noun):
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


# WordNet's files of nouns for things that one can count: animals, artefacts, parts of bodies, objects, persons, plants.
COUNTABLE = {5, 6, 8, 17, 18, 20}


def nouns(wordnet, files):
    found = [
        noun
        for noun in wordnet.senses["n"]
        if is_plain(wordnet, noun) and noun not in PLURAL_UNSURE and wordnet.sense("n", noun).file in files
    ]
    return sorted(found, key=lambda noun: (-wordnet.frequency("n", noun), noun))


def plural_regular(wordnet):
    forms = {form for forms in wordnet.irregular["n"].values() for form in forms}
    items = []
    for noun in nouns(wordnet, COUNTABLE):
        form = plural(noun)
        if noun in wordnet.irregular["n"] or noun in forms or not wordnet.is_mostly("n", noun):
            continue
        if re.search(r"(o|f|fe|[^s]s|man|z|th)$", noun) and not re.search(r"(us|oo|eo|io|ff|mouth|month)$", noun):
            continue
        if wordnet.glosses[form] >= 2 and form not in wordnet.senses["n"]:
            items.append((noun, form))
    return items


def plural_irregular(wordnet):
    items, men = [], 0
    for noun in nouns(wordnet, range(3, 29)):
        forms = wordnet.irregular["n"].get(noun, [])
        if noun.endswith("man") and noun not in NOT_MEN and wordnet.sense("n", noun).file == 18:
            # WordNet lists few of them. Not so many that the task is one of man.
            men += 1
            if men <= MOST_MEN:
                items.append((noun, noun[:-3] + "men"))
            continue
        regular = {noun + "s", noun + "es", plural(noun)}
        if noun in IRREGULAR_UNSURE or len(forms) != 1 or forms[0] in regular or forms[0] == noun:
            continue
        if any(wordnet.glosses[form] for form in regular) or not re.fullmatch("[a-z]+", forms[0]):
            continue
        if wordnet.glosses[forms[0]] and wordnet.frequency("n", noun) >= 2:
            items.append((noun, forms[0]))
    return items


def comparative(wordnet):
    items = []
    for word in wordnet.senses["a"]:
        if not is_plain(wordnet, word) or not wordnet.is_mostly("a", word):
            continue
        listed = [form for form in wordnet.irregular["a"].get(word, []) if not form.endswith("st")]
        if word.endswith("e"):
            rule = word + "r"
        elif word.endswith("y") and word[-2] not in VOWELS:
            rule = word[:-1] + "ier"
        else:
            rule = word + "er"
        forms = listed or [rule]
        short = syllables(word) == 1 or word.endswith("y") or listed
        if not short or len(forms) != 1 or (not listed and ends_short(word)):
            continue
        if word in COMPARATIVE_UNSURE or wordnet.frequency("a", word) < 3:
            continue
        if not listed and (not wordnet.glosses[forms[0]] or forms[0] in wordnet.senses["n"]):
            continue
        items.append((word, forms[0]))
    return sorted(items, key=lambda item: (-wordnet.frequency("a", item[0]), item[0]))
