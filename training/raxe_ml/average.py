"""Stage ``average``: the mean of the weights of finished runs, a network that generalises better than each of them.

Runs that begin with the same base model and the same seed end in the same valley, and its middle lies lower than its
edges. The mean costs nothing in serving: it is one network of the same size.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from raxe.files import replace_file
from raxe_ml.config import TrainConfig
from raxe_ml.errors import Refused
from raxe_ml.export import load_network
from raxe_ml.rows import read_rows
from raxe_ml.watch import Watch

_ROWS = ("train.jsonl", "dev.jsonl", "test.jsonl")
_PARTS = "parts.json"
State = dict[str, dict[str, Tensor]]


def average(config: TrainConfig, parts: Sequence[Path], work: Path) -> list[tuple[str, float]]:
    """Writes the mean of the networks of ``parts`` into ``work``, with the rows of the last one for the next stages.

    Returns:
        The AUROC of each part and of the mean on the same rows of dev, by the names of the parts' folders.

    Raises:
        Refused: a part learned from a source that the last one holds out, or its network has another form.
    """
    *_, last = parts
    held = {row.shard for name in _ROWS[1:] for row in read_rows(last / name)}
    for part in parts:
        both = held & {row.shard for row in read_rows(part / _ROWS[0])}
        if both:
            raise Refused(f"{part.name} learned from {', '.join(sorted(both))}, held out in {last.name}")
    mean = _mean([torch.load(part / "network.pt", weights_only=True) for part in parts])
    work.mkdir(parents=True, exist_ok=True)
    for name in _ROWS:
        shutil.copyfile(last / name, work / name)
    replace_file(work / "network.pt", lambda file: torch.save(mean, file))
    names = json.dumps([part.name for part in parts])
    replace_file(work / _PARTS, lambda file: file.write(names.encode()))
    watch, found = Watch(read_rows(work / "dev.jsonl"), config), []
    for folder in (*parts, work):
        watch.look(load_network(config, folder))
        found.append((folder.name, watch.last))
    return found


def parts_of(work: Path) -> int:
    """Of how many runs the network in ``work`` is the mean; 1 when it was trained there."""
    path = work / _PARTS
    return len(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else 1


def _mean(states: list[State]) -> State:
    """The mean of each tensor; raises Refused when names or shapes differ."""
    shapes = [{(part, name): each.shape for part, of in state.items() for name, each in of.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise Refused("the networks do not have the same form")
    return {
        part: {name: torch.stack([state[part][name].float() for state in states]).mean(0) for name in of}
        for part, of in states[0].items()
    }
