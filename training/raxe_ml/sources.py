"""The public sources that a model learned from or was measured on, with the licences of their texts."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from raxe_ml.config import TrainConfig
from raxe_ml.corpus.learning import CORPUS_SHARD
from raxe_ml.shards import shard_files

PROVENANCE = "PROVENANCE.json"  # beside the shards
_COMMIT = 10  # characters that name a commit


@dataclass(frozen=True, slots=True)
class DataSource:
    """One repository that rows of a shard come from.

    Attributes:
        part: train, dev or test.
        commit: shortened; empty where the texts are in no repository.
        rows: in the shard, before copies, caps and doubted rows are left out.
    """

    shard: str
    part: str
    repository: str
    commit: str
    licence: str
    rows: int


def used_sources(config: TrainConfig, data: Path, measured: Iterable[str]) -> list[DataSource]:
    """Every source of the training that the configuration asks for, and of the measured rows, by part and name.

    Raises:
        ValueError: a source is used and no ``PROVENANCE.json`` below ``data`` states its licence.
    """
    held_out = dict.fromkeys(config.dev, "dev") | dict.fromkeys(config.test, "test")
    shards = {name for name, _ in shard_files(data)} - set(config.drop)
    used = {name for name in shards if config.shards or name in held_out}
    used |= {name for name in measured if not name.startswith(CORPUS_SHARD)}
    entries = [
        entry for path in sorted(data.rglob(PROVENANCE)) for entry in json.loads(path.read_text(encoding="utf-8"))
    ]
    if unknown := used - {entry["shard"] for entry in entries if entry["license"]}:
        raise ValueError(f"no {PROVENANCE} below {data} states the licence of: {', '.join(sorted(unknown))}")
    found = [
        DataSource(
            entry["shard"],
            held_out.get(entry["shard"], "train"),
            entry["repository"],
            entry["commit"][:_COMMIT],
            entry["license"],
            entry["rows"],
        )
        for entry in entries
        if entry["shard"] in used
    ]
    order = ("train", "dev", "test")
    return sorted(found, key=lambda source: (order.index(source.part), source.shard, source.repository))


def by_licence(sources: Sequence[DataSource]) -> list[tuple[str, int, int]]:
    """Licence, how many sources have it, and their rows; the commonest first."""
    counts, rows = Counter(source.licence for source in sources), Counter[str]()
    for source in sources:
        rows[source.licence] += source.rows
    return [
        (licence, count, rows[licence])
        for licence, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
