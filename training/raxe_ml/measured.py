"""All that was measured of one model, as report and model card read it; refused where the files disagree."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raxe.registry import Metadata, load_metadata
from raxe_ml.config import TrainConfig
from raxe_ml.corpus.learning import CORPUS_SHARD
from raxe_ml.outcomes import OUTCOMES, RowOutcome, read_outcomes
from raxe_ml.rows import read_rows
from raxe_ml.targets import Target, targets

_TOLERANCE = 1e-4  # figures are rounded to four digits


@dataclass(frozen=True, slots=True)
class Measured:
    """One model's files.

    Attributes:
        figures: what ``models/benchmarks`` holds.
        test: the outcomes of the ``test`` sources, from which plots are drawn; calibration has seen those of ``dev``.
        topics: of the corpus that the run learned from; the corpus may have grown since.
    """

    config: TrainConfig
    metadata: Metadata
    figures: dict[str, Any]
    test: tuple[RowOutcome, ...]
    topics: frozenset[str]

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets of the configuration beside the figures of the metadata."""
        assert self.metadata.accuracy
        return targets(self.config.targets, self.metadata.accuracy)


def load_measured(config: TrainConfig, work: Path, models: Path) -> Measured:
    """The files of the configuration's model.

    Raises:
        FileNotFoundError: the model was not measured.
        ValueError: figures, outcomes and metadata are not of one run over one model.
    """
    metadata = load_metadata(models / "metadata" / f"{config.model_id}.json")
    figures = json.loads((models / "benchmarks" / f"{config.model_id}.json").read_text(encoding="utf-8"))
    test = tuple(each for each in read_outcomes(work / OUTCOMES) if each.split == "test")
    if metadata.accuracy is None or figures["digest"] != metadata.file_info.bundle_sha256 or not _agree(figures, test):
        raise ValueError(
            f"figures, metadata and {OUTCOMES} of {config.model_id} are not of one run; `raxe-ml benchmark` writes all"
        )
    learned = {row.shard for row in read_rows(work / "train.jsonl") if row.shard.startswith(CORPUS_SHARD)}
    return Measured(config, metadata, figures, test, frozenset(name.removeprefix(CORPUS_SHARD) for name in learned))


def _agree(figures: dict[str, Any], test: tuple[RowOutcome, ...]) -> bool:
    """Whether the outcomes give the overall figures: as many rows, as many of each label flagged."""
    overall = figures["test"]["overall"]
    if overall["n"] != len(test):
        return False
    for label, name in ((1, "recall"), (0, "fpr")):
        flagged = [each.flagged for each in test if each.label == label]
        if flagged and abs(sum(flagged) / len(flagged) - overall[name]["value"]) > _TOLERANCE:
            return False
    return True
