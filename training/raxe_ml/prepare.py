"""Stage ``data``: shards -> train.jsonl, dev.jsonl, test.jsonl; splits go by source."""

from collections import Counter
from pathlib import Path

from raxe_ml.config import TrainConfig
from raxe_ml.copies import without_near_copies
from raxe_ml.generate import generate
from raxe_ml.rows import Row, capped, load_shards, without_duplicates, write_rows


def prepare(config: TrainConfig, data: Path, out: Path) -> Counter[str]:
    """Writes the three files below ``out``, returns their row counts; raises FileNotFoundError without shards."""
    rows = without_duplicates(load_shards(data, config.drop, config.weights))
    if not rows:
        raise FileNotFoundError(f"no *.jsonl.gz shard below {data}")
    dev = [row for row in rows if row.shard in config.dev and row.role != "part"]
    test = [row for row in rows if row.shard in config.test and row.role != "part"]
    held = set(config.dev) | set(config.test)
    pool = capped((row for row in rows if row.shard not in held), config.cap_per_shard, config.seed)
    pool = without_near_copies(pool, dev + test)
    train = [row for row in pool if row.role != "part"] + generate(pool, config.composed, config.seed)
    out.mkdir(parents=True, exist_ok=True)
    splits: dict[str, list[Row]] = {"train": train, "dev": dev, "test": test}
    for name, split in splits.items():
        write_rows(out / f"{name}.jsonl", split)
    return Counter({name: len(split) for name, split in splits.items()})
