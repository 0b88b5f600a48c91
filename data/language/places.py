"""Countries and languages from CLDR: continents, official languages, names in other languages.

Names are CLDR's. What is a country: the members of the United Nations, as CLDR groups them. Knows no words.
"""

import re
import unicodedata

CONTINENTS = ["002", "003", "005", "009", "142", "150"]
# On two continents, or named with one by some and with another by others.
BETWEEN = set("AM AZ CY EG GE ID KZ PA RU TR TT TL".split())
LANGUAGES = {"fr": "french", "de": "german", "it": "italian", "es": "spanish"}
# CLDR's German names of these are those of other languages.
MISNAMED = {("de", "language/mag"), ("de", "language/gor")}
# Of a country's people, at least so many percent speak its one official language.
SPEAKERS = 50


def territories(containment, code):
    inside = containment.get(code, {}).get("_contains", [])
    return {code}.union(*(territories(containment, one) for one in inside))


# Languages of fewer people are known to few.
LEAST_SPEAKERS = 1_000_000


def is_word(name, most=1):
    """At most so many words, of letters."""
    words = name.split(" ")
    return len(words) <= most and all(re.fullmatch(r"[^\W\d_]+", word) for word in words)


def folded(name):
    """Without capitals and accents."""
    return "".join(one for one in unicodedata.normalize("NFD", name.lower()) if not unicodedata.combining(one))


def official(info):
    """Tags of a country's official languages, those of a region left out."""
    spoken = info.get("languagePopulation", {})
    return [tag for tag, about in spoken.items() if about.get("_officialStatus") in ("official", "de_facto_official")]


def tasks(cldr, names):
    info, containment = cldr["territoryInfo"], cldr["territoryContainment"]
    english = names["en"]
    people = {code: int(about["_population"]) for code, about in info.items()}
    countries = sorted(containment["UN"]["_contains"], key=lambda code: (-people[code], code))
    countries = [code for code in countries if is_word(english[f"territory/{code}"], 2)]
    speakers = {}
    for code, about in info.items():
        for tag, spoken in about.get("languagePopulation", {}).items():
            speakers[tag] = speakers.get(tag, 0) + people[code] * float(spoken["_populationPercent"]) / 100

    found = {"country_continent": [], "country_language": []}
    for code in countries:
        name = english[f"territory/{code}"]
        on = [one for one in CONTINENTS if code in territories(containment, one)]
        if len(on) == 1 and code not in BETWEEN:
            continent = english[f"territory/{on[0]}"]
            found["country_continent"].append((name, continent))
        tongues = official(info[code])
        if len(tongues) == 1:
            spoken = float(info[code]["languagePopulation"][tongues[0]]["_populationPercent"])
            language = english.get(f"language/{tongues[0]}", "")
            if spoken >= SPEAKERS and is_word(language):
                found["country_language"].append((name, language))

    tongues = [thing.split("/")[1] for thing in english if thing.startswith("language/")]
    tongues = sorted((tag for tag in tongues if speakers.get(tag, 0) >= LEAST_SPEAKERS), key=lambda tag: (-speakers[tag], tag))
    # Countries and languages by turns, each the largest first.
    things = [(rank, 0, f"territory/{code}") for rank, code in enumerate(countries)]
    things += [(rank, 1, f"language/{tag}") for rank, tag in enumerate(tongues)]
    for tag, name in LANGUAGES.items():
        items, asked = [], set()
        for _, _, thing in sorted(things):
            question, answer = english[thing], names[tag].get(thing, "") if (tag, thing) not in MISNAMED else ""
            # A name of a country and of a language would have two answers.
            if question not in asked and is_word(question) and is_word(answer) and folded(answer) != folded(question):
                items.append((question, answer))
            asked.add(question)
        found[f"english_{name}"] = items
    return found
