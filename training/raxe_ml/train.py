"""Stage ``train``: fine-tunes encoder and heads end to end; a stopped run goes on from its last finished epoch.

bf16 autocast with fp32 weights; the same seed on the same machine gives the same figures.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from raxe.files import replace_file
from raxe_ml.batches import Batch, Batcher
from raxe_ml.config import TrainConfig
from raxe_ml.distill import TeacherNetwork
from raxe_ml.export import load_network
from raxe_ml.model import Network, build, device
from raxe_ml.progress import Bar, bar
from raxe_ml.rows import read_rows
from raxe_ml.taxonomy import load_taxonomy
from raxe_ml.watch import Watch

_CLIP_NORM = 1.0


def _loss(network: Network, batch: Batch, config: TrainConfig, teacher: TeacherNetwork | None) -> Tensor:
    embedding = network.encoder(batch.input_ids, batch.attention_mask)
    logits = network.heads(embedding.float())
    labels = labels_loss(logits, batch, config)
    if teacher is None or config.teacher is None:
        return labels
    share = config.teacher.weight
    return (1 - share) * labels + share * teacher.loss(embedding.float(), logits[0], batch)


def labels_loss(logits: tuple[Tensor, Tensor, Tensor], batch: Batch, config: TrainConfig) -> Tensor:
    """How far the logits of the three heads are from the labels of a batch, weighted as the configuration says."""
    binary, family, subfamily = logits
    smooth = config.label_smoothing
    target = batch.binary * (1 - smooth) + smooth / 2
    sides = config.class_weights
    row_weight = batch.weight * (batch.binary * sides.attack + (1 - batch.binary) * sides.benign)
    loss_binary = nn.functional.binary_cross_entropy_with_logits(binary, target, weight=row_weight)
    weights = config.loss_weights
    total = weights.binary * loss_binary
    for logits, labels, weight in (
        (family, batch.family, weights.family),
        (subfamily, batch.subfamily, weights.subfamily),
    ):
        if bool((labels >= 0).any()):  # cross_entropy over no label at all is NaN
            total = total + weight * nn.functional.cross_entropy(logits, labels, label_smoothing=smooth)
    return total


def _optimizer(network: Network, config: TrainConfig) -> torch.optim.AdamW:
    groups = [
        {"params": list(network.encoder.parameters()), "lr": config.learning_rate},
        {"params": list(network.heads.parameters()), "lr": config.head_learning_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


def _to(batch: Batch, target: torch.device) -> Batch:
    return Batch(*(getattr(batch, name).to(target) for name in Batch.__slots__))


def train(config: TrainConfig, work: Path, report: Callable[[str], None]) -> Path:
    """Trains on ``work/train.jsonl`` and returns the path of the best epoch's weights, ``work/network.pt``.

    ``report`` gets a line every 100 steps. A ``work/checkpoint.pt`` of the same configuration is resumed.
    """
    torch.manual_seed(config.seed)
    names = tuple(entry.id for entry in load_taxonomy())
    batcher = Batcher(read_rows(work / "train.jsonl"), config, names)
    network = build(config, len(names)) if config.begin is None else load_network(config, config.begin)
    teacher = TeacherNetwork(config.teacher) if config.teacher else None
    if teacher:
        teacher.initialise(network, config)
    target = device()
    network.encoder.to(target).train()
    network.heads.to(target).train()
    optimizer = _optimizer(network, config)
    steps = sum(1 for _ in batcher.epoch(config.seed)) * config.epochs
    warm = max(1, int(steps * config.warmup_fraction))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, max(0.0, (steps - s) / max(1, steps - warm)))
    )
    checkpoint = work / "checkpoint.pt"
    done, watch = 0, Watch(read_rows(work / "dev.jsonl"), config)
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        if saved["config"] == config.model_dump_json():
            network.load(saved["network"])
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
            done, watch.best, watch.waited = saved["epoch"], saved["best"], saved["waited"]
            report(f"resumed after epoch {done}")
        else:
            report("the checkpoint is of another configuration: beginning anew")
    stepper = _Stepper(optimizer, schedule, steps, report)
    for epoch in range(done, config.epochs):
        if watch.waited >= config.early_stopping.patience:
            report(f"stopped after epoch {epoch}: no better epoch in {watch.waited}")
            break
        with bar(f"epoch {epoch + 1} of {config.epochs}", steps, schedule.last_epoch) as stepper.bar:
            _epoch(network, batcher.epoch(config.seed + epoch), lambda b: _loss(network, b, config, teacher), stepper)
        better = watch.look(network)
        report(f"epoch {epoch + 1}: AUROC {watch.last:.4f} on rows of dev, best {watch.best:.4f}")
        if better:
            _save(network.state(), work / "network.pt")
        state = {
            "config": config.model_dump_json(),
            "network": network.state(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "epoch": epoch + 1,
            "best": watch.best,
            "waited": watch.waited,
        }
        _save(state, checkpoint)
    return work / "network.pt"


def _save(state: dict[str, Any], path: Path) -> None:
    replace_file(path, lambda file: torch.save(state, file))


class _Stepper:
    """Optimiser, schedule and progress of a run."""

    def __init__(
        self,
        optimizer: torch.optim.AdamW,
        schedule: torch.optim.lr_scheduler.LambdaLR,
        steps: int,
        report: Callable[[str], None],
    ) -> None:
        self._optimizer, self._schedule, self._steps, self._report = optimizer, schedule, steps, report
        self._started, self._mean, self._count = time.monotonic(), 0.0, 0
        self.bar: Bar | None = None

    def step(self, network: Network, loss: Tensor) -> None:
        loss.backward()
        nn.utils.clip_grad_norm_([*network.encoder.parameters(), *network.heads.parameters()], _CLIP_NORM)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._count += 1
        self._mean += (loss.item() - self._mean) / min(self._count, 100)
        if self.bar is not None:
            self.bar.advance(f"loss {self._mean:.4f}")
        if self._count % 100 == 0:
            at, took = self._schedule.last_epoch, time.monotonic() - self._started
            left = took / self._count * (self._steps - at)
            self._report(f"step {at}/{self._steps} loss {self._mean:.4f} {took:.0f} s, {left:.0f} s left")


def _epoch(network: Network, batches: Iterable[Batch], loss: Callable[[Batch], Tensor], stepper: _Stepper) -> None:
    target = device()
    for raw in batches:
        batch = _to(raw, target)
        with torch.autocast(target.type, dtype=torch.bfloat16):
            found = loss(batch)
        stepper.step(network, found)
