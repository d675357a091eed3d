"""Memory of a process that does nothing but serve one model: a fresh one, so that no other model is in it.

``main`` is what that process runs: it reads its task on stdin and prints one number.
"""

import gc
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from pydantic import TypeAdapter

from raxe.bootstrap import Engine, build_model_engine
from raxe.errors import InvalidInput, ModelLoadFailed
from raxe.measuring.samples import SampleSet
from raxe.settings import Settings
from raxe.values import Source

SCANS = 200
_LIMIT_S = 600
_PAGES = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class _Task:
    settings: Settings
    model_id: str
    texts: tuple[tuple[str, Source], ...]


_TASK = TypeAdapter(_Task)


def memory_mb(engine: Engine, samples: SampleSet) -> float | None:
    """Resident memory, in 1,000,000 bytes, of a fresh process that scanned 200 of the texts with the engine's model.

    None on a system without ``/proc``. Raises ModelLoadFailed when that process fails.
    """
    if not _PAGES.exists() or engine.model_info is None:
        return None
    texts = tuple((sample.text, sample.source) for sample in samples.samples[:SCANS])
    task = _TASK.dump_json(_Task(engine.settings, engine.model_info.model_id, texts))
    # The texts go through a pipe: arguments of a process can be read by others.
    path = os.pathsep.join(each for each in sys.path if each)
    done = subprocess.run(  # noqa: S603  (this interpreter and this module)
        [sys.executable, "-c", f"from {__name__} import main; main()"],
        input=task, capture_output=True, timeout=_LIMIT_S, check=False, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    if done.returncode:
        raise ModelLoadFailed(f"the process that measures memory ended with {done.returncode}")
    return round(float(done.stdout), 1)


def _resident_mb() -> float:
    pages = int(_PAGES.read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Scans the texts of the task and prints the memory."""
    task = _TASK.validate_json(sys.stdin.buffer.read())
    engine = build_model_engine(task.model_id, task.settings)
    for text, source in islice(cycle(task.texts), SCANS):
        try:
            engine.scan_text(text, source)
        except InvalidInput:
            continue
    gc.collect()
    sys.stdout.write(f"{_resident_mb()}\n")
