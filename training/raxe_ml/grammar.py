"""Seeded text generators over ``training/grammar.yaml``: the same words on both sides of the line.

A template holds ``{slot}``s that are filled from the slots' lists.
"""

import random
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = Path(__file__).parent.parent / "grammar.yaml"
_LANGUAGES = Path(__file__).parent.parent / "languages.yaml"
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Grammar:
    """Slots and templates by name."""

    slots: dict[str, list[str]]
    templates: dict[str, list[str]]

    def draw(self, name: str, draw: random.Random) -> str:
        """A filled template of that name."""
        return self.fill(draw.choice(self.templates[name]), draw)

    def fill(self, template: str, draw: random.Random) -> str:
        """The template with each ``{slot}`` replaced by a drawn entry, first letter sometimes capitalised."""
        text = _SLOT.sub(lambda match: draw.choice(self.slots[match[1]]), template)
        return text[0].upper() + text[1:] if draw.random() < 0.7 else text


def load_grammar(path: Path = _FILE) -> Grammar:
    """The grammar of a YAML file."""
    return Grammar(**yaml.safe_load(path.read_text(encoding="utf-8")))


def load_languages(path: Path = _LANGUAGES) -> dict[str, Grammar]:
    """The grammars by language, with the templates ``attack`` and ``benign``."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: Grammar(values.pop("slots"), values) for name, values in read.items()}


def noisy(text: str, draw: random.Random) -> str:
    """The text with the slips of a real writer now and then: case, a lost or doubled letter, no full stop."""
    kind = draw.random()
    if kind < 0.06:
        return text.upper()
    if kind < 0.25:
        return text.lower().rstrip(".")
    if kind < 0.35 and len(text) > 8:
        at = draw.randrange(1, len(text) - 1)
        return text[:at] + (text[at] * 2 if kind < 0.3 else "") + text[at + 1 :]
    return text
