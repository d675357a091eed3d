"""Stage ``ablate``: what each kind of data is worth on sources that no row of training comes from.

A whole run takes an hour. Here the lower layers stay as the base model has them and run once over all rows; only the
upper layers and the heads are trained, anew for each kind that is left out, over the same windows in the same order.
The figures compare kinds of data; a model that is trained whole has better ones.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from raxe.evaluation import auroc
from raxe_ml.batches import Batch, Batcher
from raxe_ml.config import TrainConfig
from raxe_ml.corpus.learning import CORPUS_SHARD
from raxe_ml.figures import recall_at
from raxe_ml.model import Encoder, Heads, build
from raxe_ml.progress import tracked
from raxe_ml.rows import Row, capped, read_rows
from raxe_ml.taxonomy import load_taxonomy
from raxe_ml.train import labels_loss

_LOWER = 4  # layers that stay as they are, of six
_PER_SOURCE = 150  # rows of one held-out source that are looked at
_ALLOWED = 0.01  # false-positive rate at which recall is compared
_GENERATED = "made_"  # what the shards of generators begin with
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Ablation:
    """Figures on held-out rows, by origin, of a network that learned without one kind of data.

    Attributes:
        without: the kind, or ``everything`` when nothing was left out.
        rows: rows that were learned from.
        auroc: by origin, ``topics`` or ``shards``.
        recall: at 1 % false positives, likewise.
    """

    without: str
    rows: int
    auroc: dict[str, float]
    recall: dict[str, float]

    def line(self) -> str:
        """A line of a table in Markdown."""
        values = (*self.auroc.values(), *self.recall.values())
        return f"| {self.without} | {self.rows:,} | " + " | ".join(f"{value:.3f}" for value in values) + " |"


@dataclass(frozen=True, slots=True)
class _Step:
    """A batch behind the lower layers: ``(N, T, D)`` in bf16, and the kind and origin of each of its rows."""

    hidden: Tensor
    batch: Batch
    kinds: list[str]


class _Upper(nn.Module):
    """The layers and heads that are trained."""

    def __init__(self, config: TrainConfig, subfamilies: int) -> None:
        """As the base model has them; heads are drawn with the seed."""
        super().__init__()
        torch.manual_seed(config.seed)
        network = build(config, subfamilies)
        self.layers: nn.ModuleList = network.encoder.bert.encoder.layer[_LOWER:]
        self.heads: Heads = network.heads

    def forward(self, hidden: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(N, T, D)`` and ``(N, T) int64`` -> the logits of the heads."""
        bias = (1.0 - attention_mask[:, None, None, :].float()) * -1e4
        for layer in self.layers:
            hidden = layer(hidden, bias)
        return self.heads(Encoder.pooled(hidden.float(), attention_mask))  # type: ignore[no-any-return]


def kind_of(row: Row) -> str:
    """The kind of data that a row belongs to: ``corpus``, ``shards``, or its generator."""
    if row.shard.startswith(CORPUS_SHARD):
        return "corpus"
    return row.shard if row.shard.startswith(_GENERATED) else "shards"


def ablate(config: TrainConfig, work: Path, limit: int, report: Callable[[Ablation], None]) -> None:
    """Gives ``report`` the figures with all kinds of ``limit`` rows of ``work/train.jsonl``, then without each kind."""
    train = read_rows(work / "train.jsonl")
    train = random.Random(config.seed).sample(train, min(limit, len(train)))
    held = read_rows(work / "test.jsonl")
    topics = [row for row in held if row.shard.startswith(CORPUS_SHARD)]
    shards = capped((row for row in held if not row.shard.startswith(CORPUS_SHARD)), _PER_SOURCE, config.seed)
    names = tuple(entry.id for entry in load_taxonomy())
    steps = _behind_lower_layers(train, config, names)
    seen = {
        "topics": _behind_lower_layers(topics, config, names),
        "shards": _behind_lower_layers(shards, config, names),
    }
    for without in (EVERYTHING, *sorted({kind_of(row) for row in train})):
        upper = _Upper(config, len(names))
        rows = _fit(upper, [each for step in steps if (each := _left(step, without))], config)
        found = {origin: _scores(upper, rows) for origin, rows in seen.items()}
        report(
            Ablation(
                without,
                rows,
                {origin: _area(*both) for origin, both in found.items()},
                {origin: recall_at(*both, _ALLOWED) for origin, both in found.items()},
            )
        )


def _behind_lower_layers(rows: Sequence[Row], config: TrainConfig, names: tuple[str, ...]) -> list[_Step]:
    """One window of each row that a window can stand for."""
    batcher = Batcher(list(rows), config, names)
    usable, bert = set(batcher.usable()), build(config, len(names)).encoder.bert
    bert.encoder.layer = bert.encoder.layer[:_LOWER]
    steps, batches = [], list(batcher.every_row(config.seed))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for places, batch in tracked(batches, "lower layers", len(batches)):
            hidden = bert(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
            step = _Step(hidden.bfloat16(), batch, [kind_of(rows[i]) for i in places])
            steps.append(_of(step, [at for at, i in enumerate(places) if i in usable]))
    random.Random(config.seed).shuffle(steps)
    return [step for step in steps if step.kinds]


def _left(step: _Step, without: str) -> _Step | None:
    places = [at for at, kind in enumerate(step.kinds) if kind != without]
    return _of(step, places) if places else None


def _of(step: _Step, places: list[int]) -> _Step:
    if len(places) == len(step.kinds):
        return step
    batch = Batch(*(getattr(step.batch, name)[places] for name in Batch.__slots__))
    return replace(step, hidden=step.hidden[places], batch=batch, kinds=[step.kinds[at] for at in places])


def _fit(upper: _Upper, steps: list[_Step], config: TrainConfig) -> int:
    """Trains for one epoch and returns the number of rows."""
    optimizer = torch.optim.AdamW(
        [
            {"params": upper.layers.parameters(), "lr": config.learning_rate},
            {"params": upper.heads.parameters(), "lr": config.head_learning_rate},
        ],
        weight_decay=0.01,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: 1 - at / len(steps))
    for step in tracked(steps, "upper layers", len(steps)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = upper(step.hidden, step.batch.attention_mask)
            loss = labels_loss(logits, step.batch, config)
        loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
    return sum(len(step.kinds) for step in steps)


def _scores(upper: _Upper, steps: list[_Step]) -> tuple[np.ndarray, np.ndarray]:
    """The binary logits of the attacks and of the benign rows."""
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        logits = torch.cat([upper(step.hidden, step.batch.attention_mask)[0].float() for step in steps]).numpy()
    attack = torch.cat([step.batch.binary for step in steps]).numpy() > 0
    return logits[attack], logits[~attack]


def _area(attacks: np.ndarray, benign: np.ndarray) -> float:
    found = auroc([1] * len(attacks) + [0] * len(benign), [*attacks, *benign])
    assert found is not None
    return found
