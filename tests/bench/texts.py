"""Texts of our own for timing, of known length classes; a seed makes the same texts on every machine."""

import random
from collections.abc import Callable

from raxe_ml.grammar import load_grammar

_GRAMMAR = load_grammar()
_KINDS = ("trigger_benign", "command_benign", "personal_benign", "notes")
# Share of a traffic by size in sentences. It follows the tokens of 2,640 benign user rows of 44 public sources: half of
# them have at most 36, three quarters 75, 90 % 178, 95 % 340, 99 % 1,152.
_MIX = [(1, 0.4), (2, 0.15), (4, 0.22), (9, 0.15), (17, 0.05), (50, 0.03)]


def paragraph(sentences: int, draw: random.Random) -> str:
    """A text of that many sentences, about 20 tokens each."""
    return " ".join(_GRAMMAR.draw(draw.choice(_KINDS), draw) for _ in range(sentences))


def of_tokens(least: int, most: int, count: int, tokens: Callable[[str], int]) -> list[str]:
    """``count`` prompts of ``least`` to ``most`` tokens, counted by ``tokens``."""
    draw = random.Random(1)
    found: list[str] = []
    while len(found) < count:
        text = paragraph(draw.randint(1, 8), draw)
        if least <= tokens(text) <= most:
            found.append(text)
    return found


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
