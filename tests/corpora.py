"""Small corpora for the tests of the written one."""

import random
from pathlib import Path

from raxe_ml.corpus import gates
from raxe_ml.corpus.rows import Corpus, CorpusRow
from raxe_ml.rows import BENIGN

WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "islet",
    "jetty",
    "knoll",
    "larch",
    "maple",
    "north",
    "otter",
    "plain",
    "quail",
]


def attack(number: int, text: str, topic: str = "farm", pair: str | None = None) -> CorpusRow:
    """An attack row of a user."""
    values = {"family": "PI", "subfamily": "prompt_leak", "role": "user", "lang": "en", "style": "plain"}
    return CorpusRow.model_validate({"id": f"{topic}-{number:04d}", "text": text, "label": 1, "pair": pair, **values})


def benign(number: int, text: str, topic: str = "farm", pair: str | None = None) -> CorpusRow:
    """A benign row of a user."""
    values = {"family": BENIGN, "subfamily": "everyday_chat", "role": "user", "lang": "en", "style": "plain"}
    return CorpusRow.model_validate({"id": f"{topic}-{number:04d}", "text": text, "label": 0, "pair": pair, **values})


def corpus_of(*rows: CorpusRow, test: tuple[str, ...] = ()) -> Corpus:
    """A corpus of these rows."""
    return Corpus(rows, frozenset(test))


def lines(path: Path, *rows: CorpusRow) -> None:
    """Writes the rows as a topic file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(row.model_dump_json(exclude_none=True) + "\n" for row in rows), encoding="utf-8")


def failed(gate: gates.Gate, corpus: Corpus, folder: Path = Path()) -> list[str]:
    """Names of the figures of one gate that are out of bounds."""
    return [finding.gate for finding in gate(corpus, folder) if not finding.passed]


def some_text(draw: random.Random, words: int) -> str:
    """Words in an order of their own."""
    return " ".join(draw.choice(WORDS) for _ in range(words))
