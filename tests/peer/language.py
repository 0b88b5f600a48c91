"""A language model read and run by the program against `transformers`, on the same weights in f32.

    cargo run --release --locked --example hub_folder -- MODEL.gguf FOLDER/hub
    cargo run --release --locked --example language_fixture -- MODEL.gguf FOLDER
    python3 tests/peer/language.py MODEL.gguf FOLDER

Python is one with what tests/peer/requirements-language.txt names. Reads MODEL.gguf by ways that share nothing with
the program (`transformers`' own reader for the weights; a byte-pair encoder of its own, below, for the
tokenizer), and FOLDER/hub as any program would. Ends with 1 where weights, token ids, the texts of chats or greedy
answers are not equal, perplexity differs by more than 1e-3, logits by more than 1e-3 of a prompt's largest, or in
f64 a gradient by more than 1e-9 of its tensor's largest. In f32 gradients are off by rounding alone, on both sides: how
much is printed, and may be a hundredth. Writes nothing.
"""

import json
import math
import pathlib
import sys

import gguf
import regex
import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

import double

LOGITS = 1e-3
PERPLEXITY = 1e-3
GRADIENT = {torch.float64: 1e-9, torch.float32: 1e-2}
# By the name that GGUF has for a model's rules: what is cut off first, and then within.
CUTS = {"smollm": [r"\p{N}"], "gpt-2": []}
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


class BytePairs:
    """The tokenizer of a GGUF file, from its lists alone."""

    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        field = lambda key: reader.get_field(f"tokenizer.ggml.{key}").contents()
        tokens, types = field("tokens"), field("token_type")
        self.ids = {token: at for at, token in enumerate(tokens)}
        self.ranks = {tuple(merge.split(" ")): at for at, merge in enumerate(field("merges"))}
        marks = sorted((token for token, kind in zip(tokens, types, strict=True) if kind in (3, 4)), key=len, reverse=True)
        self.marks = regex.compile("|".join(map(regex.escape, marks)))
        self.cuts = [regex.compile(cut) for cut in [*CUTS[field("pre")], WORDS]]
        shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
        hidden = [byte for byte in range(256) if byte not in shown]
        self.letters = {byte: chr(byte) for byte in shown} | {byte: chr(256 + at) for at, byte in enumerate(hidden)}

    def pieces(self, text, pattern):
        """A text in pieces: what the pattern finds, and what lies between."""
        end = 0
        for found in pattern.finditer(text):
            if found.start() > end:
                yield text[end : found.start()], False
            yield found.group(), True
            end = found.end()
        if end < len(text):
            yield text[end:], False

    def word(self, word):
        parts = [self.letters[byte] for byte in word.encode()]
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:]))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, math.inf))
            if best not in self.ranks:
                break
            at = pairs.index(best)
            parts[at : at + 2] = ["".join(best)]
        return [self.ids[part] for part in parts]

    def encode(self, text):
        ids = []
        for piece, is_mark in self.pieces(text, self.marks):
            if is_mark:
                ids.append(self.ids[piece])
                continue
            words = [piece]
            for cut in self.cuts:
                words = [part for word in words for part, _ in self.pieces(word, cut)]
            ids += [token for word in words for token in self.word(word)]
        return ids


class Failures:
    def __init__(self):
        self.count = 0

    def say(self, is_right, what):
        print(("ok   " if is_right else "OFF  ") + what, flush=True)
        self.count += not is_right


def weights(model, path, failures):
    other = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    mine, theirs = model.state_dict(), other.state_dict()
    unequal = [name for name in theirs if not torch.equal(mine[name], theirs[name])]
    right = set(mine) == set(theirs) and not unequal
    failures.say(right, f"weights: {len(theirs)} tensors against transformers' reader of GGUF, {len(unequal)} not equal")


def tokens(folder, path, fixture, failures):
    tokenizer = AutoTokenizer.from_pretrained(folder / "hub")
    pairs = BytePairs(path)
    texts = fixture["texts"] + fixture["chat_texts"]
    expected = fixture["text_ids"] + fixture["chat_ids"]
    for name, encode in [
        ("tokenizers, by tokenizer.json", lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]),
        ("the encoder of this file, by the lists of GGUF", pairs.encode),
    ]:
        wrong = [text for text, ids in zip(texts, expected, strict=True) if encode(text) != ids]
        failures.say(not wrong, f"token ids of {len(texts)} prompts against {name}: {len(wrong)} differ {wrong[:3]}")
    rendered = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in fixture["chats"]]
    wrong = sum(mine != theirs for mine, theirs in zip(fixture["chat_texts"], rendered, strict=True))
    failures.say(wrong == 0, f"texts of {len(rendered)} chats: {wrong} differ")
    decoded = [tokenizer.decode(ids, clean_up_tokenization_spaces=False) for ids in fixture["answers"]]
    wrong = sum(mine != theirs for mine, theirs in zip(fixture["answer_texts"], decoded, strict=True))
    failures.say(wrong == 0, f"texts of {len(decoded)} answers: {wrong} differ")


def logits(model, fixture, tensors, failures):
    rows = [model(torch.tensor([ids])).logits[0, -1] for ids in fixture["text_ids"] + fixture["chat_ids"]]
    theirs, mine = torch.stack(rows).double(), tensors["logits"]
    gap = (mine - theirs).abs().max().item()
    largest = theirs.abs().max().item()
    of_rows = ((mine - theirs).abs().amax(1) / theirs.abs().amax(1)).max().item()
    same = (mine.argmax(1) == theirs.argmax(1)).sum().item()
    what = f"{len(rows)} prompts, largest difference {gap:.2e} of {largest:.1f}, of a prompt's largest {of_rows:.2e}"
    failures.say(of_rows < LOGITS, f"logits: {what}; the most probable token is the same in {same}")


def perplexity(model, fixture, failures):
    ids = torch.tensor([fixture["perplexity_ids"]])
    theirs = functional.cross_entropy(model(ids).logits[0, :-1].double(), ids[0, 1:], reduction="none")
    mine = torch.tensor(fixture["losses"], dtype=torch.float64)
    mine, theirs = mine.mean().exp().item(), theirs.mean().exp().item()
    what = f"perplexity of {ids.shape[1] - 1} tokens: {mine:.7f}, transformers {theirs:.7f}"
    failures.say(abs(mine - theirs) < PERPLEXITY, f"{what}, difference {abs(mine - theirs):.1e}")


def answers(model, fixture, failures):
    wrong, count = [], 0
    for prompt, mine in zip(fixture["chat_ids"], fixture["answers"], strict=True):
        start = torch.tensor([prompt])
        ids = model.generate(
            start,
            attention_mask=torch.ones_like(start),
            max_new_tokens=fixture["answer"],
            do_sample=False,
            eos_token_id=fixture["end"],
            pad_token_id=fixture["end"][0],
        )[0, len(prompt) :].tolist()
        count += len(ids)
        if ids != mine:
            wrong.append((mine, ids))
    failures.say(not wrong, f"greedy answers to {len(fixture['answers'])} chats, {count} tokens: {len(wrong)} differ {wrong[:1]}")


class LowRank(torch.nn.Module):
    def __init__(self, linear, a, b, scale):
        super().__init__()
        self.linear, self.scale = linear, scale
        self.a, self.b = torch.nn.Parameter(a), torch.nn.Parameter(b)

    def forward(self, x):
        return functional.linear(x, self.linear.weight + self.scale * (self.b @ self.a), self.linear.bias)


def by_autograd(folder, fixture, tensors, dtype):
    """Loss and gradients of the factors by their names, all of it in that precision."""
    model = AutoModelForCausalLM.from_pretrained(folder / "hub", dtype=dtype, attn_implementation="sdpa").eval()
    model.requires_grad_(False)
    double.replace(model)
    added = {}
    for name in [name[2:] for name in tensors if name.startswith("A.")]:
        module, _, leaf = name.removesuffix(".weight").rpartition(".")
        parent = model.get_submodule(module)
        factors = [tensors[f"{factor}.{name}"].to(dtype) for factor in "AB"]
        added[name] = LowRank(getattr(parent, leaf), *factors, fixture["scale"])
        setattr(parent, leaf, added[name])
    total, count = 0, 0
    for ids in fixture["examples"]:
        ids = torch.tensor([ids])
        total = total + functional.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:], reduction="sum")
        count += ids.shape[1] - 1
    loss = total / count
    loss.backward()
    found = {}
    for name, module in added.items():
        found[f"A.{name}"], found[f"B.{name}"] = module.a.grad.double(), module.b.grad.double()
    return loss.item(), found


def gradients(folder, fixture, tensors, failures):
    loss, exact = by_autograd(folder, fixture, tensors, torch.float64)
    theirs = by_autograd(folder, fixture, tensors, torch.float32)
    for dtype in (torch.float64, torch.float32):
        precision = {torch.float64: "f64", torch.float32: "f32"}[dtype]
        mine = {name: tensors[f"d{name[0]}.{precision}.{name[2:]}"] for name in exact}
        gaps = {name: gap(mine[name], exact[name]) for name in exact}
        worst = max(gaps, key=gaps.get)
        off = abs(fixture[f"loss_{precision}"] - loss)
        what = f"gradients of {len(gaps)} factors in {precision} against autograd in f64: at most {gaps[worst]:.1e} of a tensor's"
        what += f" largest ({worst}), median {sorted(gaps.values())[len(gaps) // 2]:.1e}; loss {loss:.9f}, difference {off:.1e}"
        failures.say(gaps[worst] < GRADIENT[dtype] and off < GRADIENT[dtype], what)
    gaps = {name: gap(theirs[1][name], exact[name]) for name in exact}
    print(f"     (autograd in f32 against itself in f64: at most {max(gaps.values()):.1e}; loss {abs(theirs[0] - loss):.1e})")


def gap(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: language.py MODEL.gguf FOLDER")
    path, folder = map(pathlib.Path, sys.argv[1:])
    fixture = json.loads((folder / "fixture.json").read_text())
    tensors = load_file(folder / "fixture.safetensors")
    model = AutoModelForCausalLM.from_pretrained(folder / "hub", dtype=torch.float32, attn_implementation="eager")
    model.eval()
    failures = Failures()
    tokens(folder, path, fixture, failures)
    with torch.no_grad():
        weights(model, path, failures)
        logits(model, fixture, tensors, failures)
        perplexity(model, fixture, failures)
        answers(model, fixture, failures)
    gradients(folder, fixture, tensors, failures)
    sys.exit(failures.count > 0)


if __name__ == "__main__":
    main()
