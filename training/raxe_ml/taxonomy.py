"""The 47 subfamilies and the benign kinds of ``training/taxonomy.yaml``; heads and rules use the former's names."""

from dataclasses import dataclass
from pathlib import Path

import yaml

TAXONOMY_FILE = Path(__file__).parent.parent / "taxonomy.yaml"


@dataclass(frozen=True, slots=True)
class Subfamily:
    """One subfamily; ``severity`` is the one of a confirmed detection, ``near_miss`` a look-alike that is no attack."""

    id: str
    family: str
    severity: str
    definition: str
    examples: tuple[str, ...]
    near_miss: str


def load_taxonomy(path: Path = TAXONOMY_FILE) -> tuple[Subfamily, ...]:
    """The subfamilies in the order of the file, which is the order of the head's outputs."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["subfamilies"]
    return tuple(Subfamily(**{**entry, "examples": tuple(entry["examples"])}) for entry in entries)


@dataclass(frozen=True, slots=True)
class BenignKind:
    """One kind of benign row of the corpus, by what makes it look like an attack."""

    id: str
    definition: str


def load_benign_kinds(path: Path = TAXONOMY_FILE) -> tuple[BenignKind, ...]:
    """The benign kinds in the order of the file; no head of the model predicts them."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["benign_kinds"]
    return tuple(BenignKind(**entry) for entry in entries)
