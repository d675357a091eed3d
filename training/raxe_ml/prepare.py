"""Stage ``data``: corpus and shards -> train.jsonl, dev.jsonl, test.jsonl; splits go by source."""

import random
from collections import Counter
from pathlib import Path

from raxe_ml.config import TrainConfig
from raxe_ml.copies import without_near_copies
from raxe_ml.corpus.learning import CORPUS_SHARD, Graft, grafts, learning_rows
from raxe_ml.corpus.rows import CORPUS, load_corpus
from raxe_ml.doubts import load_doubts
from raxe_ml.generate import generate
from raxe_ml.rows import Row, capped, digest, without_duplicates, write_rows
from raxe_ml.served import as_served
from raxe_ml.shards import load_shards


def prepare(config: TrainConfig, data: Path, out: Path, corpus: Path = CORPUS) -> Counter[str]:
    """Writes the three files below ``out``, returns their row counts; raises FileNotFoundError without shards.

    The held-out sources are there whatever the model learns from, so that every choice is measured on the same rows.
    """
    shards = without_duplicates(load_shards(data, config.drop, config.weights))
    if config.shards and not shards:
        raise FileNotFoundError(f"no *.jsonl or *.jsonl.gz shard below {data}")
    written = load_corpus(corpus)
    learning = learning_rows(written.train, config.corpus.weight)
    spared = {f"{CORPUS_SHARD}{topic}" for topic in config.corpus.dev}
    dev = [row for row in shards if row.shard in config.dev and row.role != "part"]
    test = [row for row in shards if row.shard in config.test and row.role != "part"]
    dev += [row for row in learning if row.shard in spared]
    test += learning_rows(written.test, 1.0)
    taught = [row for row in written.train if row.topic not in config.corpus.dev] if config.corpus.weight > 0 else []
    lessons = [row for row in learning if row.shard not in spared] if taught else []
    train = _from_shards(config, shards, dev + test, list(grafts(taught)), lessons) if config.shards else []
    # Rows of the corpus go in as written: what is close to a held-out row is its topic's, or its pair's other side.
    train += lessons * config.corpus.repeat
    train = list(as_served(train))
    out.mkdir(parents=True, exist_ok=True)
    splits = {name: _limited(rows, config) for name, rows in (("train", train), ("dev", dev), ("test", test))}
    for name, split in splits.items():
        write_rows(out / f"{name}.jsonl", split)
    return Counter({name: len(split) for name, split in splits.items()})


def _limited(rows: list[Row], config: TrainConfig) -> list[Row]:
    """At most ``config.limit`` rows, drawn with the seed."""
    if config.limit is None or len(rows) <= config.limit:
        return rows
    return random.Random(config.seed).sample(rows, config.limit)


def _from_shards(
    config: TrainConfig, rows: list[Row], held_out: list[Row], orders: list[Graft], lessons: list[Row]
) -> list[Row]:
    """Capped, without doubted rows and copies of held-out ones, with what the generators make of them."""
    held = set(config.dev) | set(config.test)
    doubted = load_doubts(config.doubts)
    pool = capped((row for row in rows if row.shard not in held), config.cap_per_shard, config.seed)
    pool = without_near_copies([row for row in pool if digest(row.text) not in doubted], held_out)
    return [row for row in pool if row.role != "part"] + generate(pool, config.composed, config.seed, orders, lessons)
