"""A tiny model that was measured: rows with a canary in every text, the files that the benchmark wrote, sources."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from functions.local.events import ROOT
from raxe_ml import figures
from raxe_ml.config import load_config
from raxe_ml.measure import measure
from raxe_ml.measured import Measured, load_measured
from raxe_ml.rows import BENIGN, Row, write_rows
from tests.factories import MODEL_ID, PLUGH, ZORKMID, write_models

CANARY = "xyzzyx"
OWN, PUBLIC, CHOOSING, LEARNED, DROPPED = "corpus_farm", "pub_test", "pub_dev", "pub_train", "pub_dropped"
LICENCES = {PUBLIC: "MIT", CHOOSING: "CC-BY-4.0", LEARNED: "ODC-By | as is", DROPPED: "GPL-3.0"}
MISSED_WORD = "grue"  # of attacks that neither the tiny model nor a rule knows

_CONFIG = (ROOT / "training" / "configs" / "minilm-l6.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Run:
    """The files of one run."""

    config: Path
    data: Path
    work: Path
    models: Path

    def load(self) -> Measured:
        """What report and card are written from."""
        return load_measured(load_config(self.config), self.work, self.models)


def rows(shard: str) -> list[Row]:
    """Attacks of PI and JB of which some are missed, and benign rows, of several lengths."""
    made = []
    for words in (3, 20, 40):
        for family, word, count in (("PI", ZORKMID, 6), ("PI", MISSED_WORD, 4), ("JB", PLUGH, 5), (BENIGN, "door", 9)):
            text = " ".join([word, *[CANARY] * words])
            made += [Row(f"{text} {number}", family, "", "user", shard, lang="en") for number in range(count)]
    return made


def benchmark(root: Path) -> Run:
    """Measures the tiny model on rows of a topic and of a public source; the shards' folder states the licences."""
    run = Run(root / "config.yaml", root / "data", root / "work", root / "models")
    config = load_config(ROOT / "training" / "configs" / "minilm-l6.yaml")
    text = _CONFIG.replace(config.model_id, MODEL_ID)
    held_out = {"dev": CHOOSING, "test": PUBLIC, "drop": DROPPED}
    lines = [line for line in text.splitlines() if not line.startswith((*held_out, " ", "doubts", "weights"))]
    run.config.write_text("\n".join([*lines, *(f"{key}: [{name}]" for key, name in held_out.items())]))
    write_models(run.models)
    run.work.mkdir()
    write_rows(run.work / "dev.jsonl", rows(CHOOSING))
    write_rows(run.work / "train.jsonl", rows("corpus_farming"))
    write_rows(run.work / "test.jsonl", rows(OWN) + rows(PUBLIC))
    run.data.mkdir()
    for name in LICENCES:
        gzip.open(run.data / f"{name}.jsonl.gz", "wt").close()
    entries = [
        {
            "shard": name,
            "repository": f"somebody/{name}",
            "commit": "0" * 40,
            "license": licence,
            "labels": [],
            "rows": 7,
        }
        for name, licence in LICENCES.items()
    ]
    (run.data / "PROVENANCE.json").write_text(json.dumps(entries))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "RESAMPLES", 20)
        measure(load_config(run.config), run.work, run.models)
    return run
