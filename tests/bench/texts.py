"""Texts of our own for timing, of known length classes; a seed makes the same texts on every machine."""

import random

from raxe_ml.grammar import load_grammar

_GRAMMAR = load_grammar()
_KINDS = ("trigger_benign", "command_benign", "personal_benign", "notes")
# Share of a traffic by size in sentences: mostly chat turns, some pasted context, a few documents.
_MIX = [(1, 0.6), (5, 0.25), (15, 0.1), (40, 0.05)]


def paragraph(sentences: int, draw: random.Random) -> str:
    """A text of that many sentences, about 14 tokens each."""
    return " ".join(_GRAMMAR.draw(draw.choice(_KINDS), draw) for _ in range(sentences))


def short(count: int) -> list[str]:
    """Prompts of at most about 32 tokens."""
    draw = random.Random(1)
    return [paragraph(1, draw) for _ in range(count)]


def medium(count: int) -> list[str]:
    """Prompts of about 60 to 128 tokens."""
    draw = random.Random(2)
    return [paragraph(draw.randint(5, 7), draw) for _ in range(count)]


def mixed(count: int) -> list[str]:
    """A traffic of all sizes, in the shares of ``_MIX``."""
    draw = random.Random(3)
    sizes, shares = zip(*_MIX, strict=True)
    return [paragraph(size, draw) for size in draw.choices(sizes, shares, k=count)]


def long(characters: int) -> str:
    """One text of exactly that many characters."""
    draw = random.Random(4)
    text = ""
    while len(text) < characters:
        text += paragraph(20, draw) + "\n"
    return text[:characters]
