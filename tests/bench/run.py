"""The budget table: every figure of the design's budgets, measured now, beside its budget. ``make bench``.

A figure over its budget is printed as over; the exit status stays 0, because a slow machine is no fault of the code.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.events import ROOT, load_event
from raxe.bootstrap import ModelRegistry
from raxe.registry import Metadata
from tests.e2e.built import LAYERS, build_stack

_INITS = 5
ARCHITECTURES = ("arm64", "x86_64")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure and the bound that it must stay on its side of.

    Attributes:
        bound: None for a figure without a budget.
        above: whether the figure must be above the bound instead of below.
    """

    what: str
    value: float
    unit: str = ""
    bound: float | None = None
    above: bool = False

    @property
    def held(self) -> bool:
        """Whether the figure is on the right side of its bound."""
        return self.bound is None or (self.value > self.bound if self.above else self.value < self.bound)

    @property
    def measured(self) -> str:
        """The figure with its unit."""
        digits = 0 if self.value >= 10 else 2 if self.unit else 4
        return f"{self.value:.{digits}f} {self.unit}".rstrip()

    @property
    def budget(self) -> str:
        """The bound in words; empty without one."""
        return "" if self.bound is None else f"{'>' if self.above else '<'} {self.bound:g} {self.unit}".rstrip()


def disk_figure(model: Metadata) -> Figure:
    """Size of the model's files."""
    return Figure("model on disk (encoder + heads + tokenizer)", model.file_info.size_mb, "MB", 50)


def model_figures(model: Metadata) -> list[Figure]:
    """Size on disk and the accuracy that ``make benchmark`` measured on held-out sources."""
    found = [disk_figure(model)]
    if model.accuracy:
        found.append(Figure("F1 on held-out sources", model.accuracy.f1, bound=0.95, above=True))
        found.append(Figure("FPR on held-out sources", model.accuracy.fpr, bound=0.01))
    return found


def library_figures() -> list[Figure]:
    """Warm latency, memory and long texts, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.in_process"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    first, second = found["memory_mb"]
    ten, hundred = found["long_10000"], found["long_100000"]
    threads = found["threads"]
    return [
        Figure(f"warm scan P95, prompts up to 32 tokens, {threads} threads", found["short"]["p95"], "ms", 2),
        Figure(f"warm scan P95, prompts up to 128 tokens, {threads} threads", found["medium"]["p95"], "ms", 5),
        Figure(f"warm scan P95, mixed traffic, {threads} threads", found["mixed"]["p95"], "ms", 8),
        Figure("resident memory after 1,000 scans", first, "MB", 200),
        Figure("growth over the next 1,000", second - first, "MB", 2),
        Figure(f"10,000 characters ({ten['windows']} windows)", ten["ms"], "ms"),
        Figure(f"100,000 characters ({hundred['windows']} windows)", hundred["ms"], "ms"),
        Figure("  as a multiple of 10,000 characters", hundred["ms"] / ten["ms"], "x", 13),
    ]


def emulator_figures() -> list[Figure]:
    """Init, from the start of the interpreter to ready, and warm invocations, under the Runtime Interface Emulator."""
    inits, firsts, warm = [], [], []
    event = load_event("scan_benign")
    for _ in range(_INITS):
        with LambdaEmulator(
            ROOT / "functions" / "scan", EmulatorOptions(python_path=(ROOT / "shared",), env=local_environment())
        ) as emulator:
            for _ in range(20):
                emulator.invoke(event)
            assert emulator.init_ms is not None
            inits.append(emulator.init_ms)
            firsts.append(emulator.init_ms + emulator.invoke_ms[0])
            warm += emulator.invoke_ms[5:]
    return [
        Figure("interpreter start to first answer, emulator (median)", statistics.median(firsts), "ms", 400),
        Figure("  of which init", statistics.median(inits), "ms"),
        Figure("warm invocation, emulator (median)", statistics.median(warm), "ms"),
    ]


def size_figures(architectures: Sequence[str] = ARCHITECTURES) -> list[Figure]:
    """Unzipped size of function and layers for each architecture."""
    (ROOT / ".aws-sam").mkdir(exist_ok=True)
    found = []
    for architecture in architectures:
        with tempfile.TemporaryDirectory(dir=ROOT / ".aws-sam") as folder:
            stack = build_stack(architecture, Path(folder))
            size = stack.size_bytes("ScanFunction", *LAYERS) / 1e6
            found.append(Figure(f"function + layers unzipped, {architecture}", size, "MB", 170))
    return found


def main() -> None:
    """Measures everything and prints the table."""
    table = Table("what", "measured", "budget", "")
    figures = model_figures(ModelRegistry().get_best_model())
    for figure in (*figures, *library_figures(), *emulator_figures(), *size_figures()):
        table.add_row(figure.what, figure.measured, figure.budget, "" if figure.held else "over")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
