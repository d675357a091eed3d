"""The 47 subfamilies, from ``training/taxonomy.yaml``; heads, bundles and rules use their order and names."""

from dataclasses import dataclass
from pathlib import Path

import yaml

TAXONOMY_FILE = Path(__file__).parent.parent / "taxonomy.yaml"


@dataclass(frozen=True, slots=True)
class Subfamily:
    """One subfamily; ``severity`` is the one of a confirmed detection."""

    id: str
    family: str
    severity: str
    definition: str
    examples: tuple[str, ...]


def load_taxonomy(path: Path = TAXONOMY_FILE) -> tuple[Subfamily, ...]:
    """The subfamilies in the order of the file, which is the order of the head's outputs."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["subfamilies"]
    return tuple(Subfamily(**{**entry, "examples": tuple(entry["examples"])}) for entry in entries)
