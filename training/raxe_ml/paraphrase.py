"""The same text said another way, seeded: by the groups of ``training/paraphrases.yaml`` and the slips of a writer.

The groups serve attacks and harmless texts alike, so that a way of saying things tells nothing about the side.
"""

import random
import re
from pathlib import Path

import yaml

from raxe_ml.grammar import noisy

_FILE = Path(__file__).parent.parent / "paraphrases.yaml"
_REPLACED = 0.6  # share of the phrases of a text that are said another way
_GREETED = 0.25  # share of texts that get an opener; as many a closer


class Paraphraser:
    """Says texts another way."""

    def __init__(self, path: Path = _FILE) -> None:
        """Reads the groups; the first phrase of each group is the one that is looked for."""
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._others: dict[str, list[str]] = {first.lower(): others for first, *others in read["groups"]}
        self._openers, self._closers = read["openers"], read["closers"]
        longest_first = sorted(self._others, key=len, reverse=True)
        self._phrase = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)

    def say(self, text: str, draw: random.Random) -> str | None:
        """The text another way, or None where it holds no phrase of a group or none was drawn."""
        changed = False

        def other(found: re.Match[str]) -> str:
            nonlocal changed
            if draw.random() > _REPLACED:
                return found[0]
            changed = True
            phrase: str = draw.choice(self._others[found[0].lower()])
            return phrase[0].upper() + phrase[1:] if found[0][0].isupper() else phrase

        said = self._phrase.sub(other, text)
        if not changed:
            return None
        if draw.random() < _GREETED:
            said = f"{draw.choice(self._openers)} {said}"
        if draw.random() < _GREETED:
            said = f"{said} {draw.choice(self._closers)}"
        return noisy(said, draw)
