#!/usr/bin/env python3
"""Writes made_up_items.csv and made_up_rationales.csv: 96 questions in the form of MMLU, none of which is from MMLU.

They try the experiment where nobody has MMLU, in tests above all: eight subjects, two of each category, with sums and
syllogisms about invented things. Nothing is drawn: the same files come out everywhere. Run it in this folder.
"""

import csv

EACH = 12
PLACES = ["Arn", "Bolt", "Corr", "Dell", "Eska", "Fenn", "Gorm", "Hask", "Imra", "Jorn", "Kell", "Lund"]
KINDS = ["tork", "mirl", "pask", "dorn", "velt", "sarn", "gilm", "brok", "hest", "lomp", "wern", "zill"]

# The last sentence's opening decides how many words it has: the word-count task needs all four classes.
OPENINGS = [
    "",
    "If you go by what is told here, ",
    "If you go by what is told here, with nothing left out and nothing added to it, ",
    "If you go by what is told here, with nothing left out and nothing added to it, and take each word in its usual sense as people do, ",
]


def ask(at, words):
    opening = OPENINGS[at % 4]
    return opening + (words if opening else words[0].upper() + words[1:])


def numbers(at, right, steps):
    """Four different numbers with the right one at the place at % 4, and that place."""
    wrong = iter([right + step for step in steps])
    choices = [str(right) if place == at % 4 else str(next(wrong)) for place in range(4)]
    return choices, "ABCD"[at % 4]


def elementary_mathematics(at):
    a, b = 17 + 5 * at, 8 + 3 * at
    choices, answer = numbers(at, a + b, [1, -2, 10])
    return f"In {PLACES[at]} a box holds {a} marbles. {b} more are put in. {ask(at, 'how many marbles are in it now?')}", choices, answer, f"{a} and {b} make {a + b}."


def conceptual_physics(at):
    v, t = 3 + at, 4 + at % 5
    choices, answer = numbers(at + 1, v * t, [v, -1, 2 * t + 1])
    return f"A cart rolls {v} metres in each second. {ask(at, f'how many metres does it roll in {t} seconds?')}", choices, answer, f"{t} seconds at {v} metres each are {v * t} metres."


def logical_fallacies(at):
    kind, other = KINDS[at], KINDS[(at + 5) % EACH]
    choices = [f"Every {kind} is blue", f"Every {other} is blue", f"No {kind} is blue", f"Every blue thing is a {kind}"]
    right = choices.pop(0)
    choices.insert((at + 2) % 4, right)
    return f"Every {kind} is a {other}. Every {other} is blue. {ask(at, 'what follows from these two statements?')}", choices, "ABCD"[(at + 2) % 4], f"A {kind} is a {other}, and those are blue."


def prehistory(at):
    start, years = 300 + 37 * at, 41 + 9 * at
    choices, answer = numbers(at + 3, start + years, [10, -10, 100])
    return f"In an invented chronicle the town of {PLACES[at]} was founded in year {start} and left {years} years later. {ask(at, 'in which year was it left?')}", choices, answer, f"{start} and {years} make {start + years}."


def high_school_geography(at):
    a, b = 12 + 7 * at, 9 + 4 * at
    first, second, third = (PLACES[(at + step) % EACH] for step in (0, 1, 2))
    choices, answer = numbers(at + 1, a + b, [5, -3, 20])
    return f"On an invented map a road leads {a} km from {first} to {second} and {b} km on to {third}. {ask(at, f'how many km are there from {first} to {third} on it?')}", choices, answer, f"{a} km and {b} km are {a + b} km."


def sociology(at):
    n, a = 200 + 30 * at, 60 + 11 * at
    choices, answer = numbers(at, n - a, [a, 1, -9])
    return f"In an invented survey {a} of {n} households in {PLACES[at]} keep hens. {ask(at, 'how many of them keep none?')}", choices, answer, f"{n} without {a} are {n - a}."


def marketing(at):
    price, more = 6 + 2 * at, 3 + at % 4
    total = 2 * price + more
    choices, answer = numbers(at + 2, total, [-more, price, 1])
    return f"In an invented shop a cup costs {price} coins, and a plate {more} coins more. {ask(at, 'how many coins do a cup and a plate cost together?')}", choices, answer, f"The plate costs {price + more}, with the cup {total}."


def nutrition(at):
    grams, people = 35 + 5 * at, 3 + at % 6
    choices, answer = numbers(at + 3, grams * people, [grams, -grams, 10])
    return f"An invented recipe takes {grams} grams of oats for each person. {ask(at, f'how many grams does it take for {people} people?')}", choices, answer, f"{people} times {grams} grams are {grams * people} grams."


SUBJECTS = [elementary_mathematics, conceptual_physics, logical_fallacies, prehistory, high_school_geography, sociology, marketing, nutrition]


def main():
    items = [(subject.__name__, *subject(at)) for subject in SUBJECTS for at in range(EACH)]
    with open("made_up_items.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["subject", "question", "A", "B", "C", "D", "answer", "source"])
        for subject, question, choices, answer, _ in items:
            table.writerow([subject, question, *choices, answer, "made up, not from MMLU"])
    with open("made_up_rationales.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["item", "rationale"])
        for row, (_, _, _, answer, reason) in enumerate(items, 1):
            table.writerow([row, f"{reason}\nAnswer: {answer}"])


if __name__ == "__main__":
    main()
