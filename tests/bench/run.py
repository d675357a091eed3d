"""The budget table: every figure of the design's budgets, measured now, beside its budget. ``make bench``.

A figure over its budget is printed as over; the exit status stays 0, because a slow machine is no fault of the code.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.events import ROOT, load_event
from raxe.bootstrap import ModelRegistry
from tests.e2e.built import LAYERS, build_stack

_INITS = 5
Line = tuple[str, str, str, bool]


def model_lines() -> list[Line]:
    """Size on disk and the accuracy that ``make benchmark`` measured on held-out sources."""
    model = ModelRegistry().get_best_model()
    lines: list[Line] = [
        _line("model on disk (encoder + heads + tokenizer)", model.file_info.size_mb, "< 50 MB", 50, "MB")
    ]
    if model.accuracy:
        f1, fpr = model.accuracy.f1, model.accuracy.fpr
        lines.append(("F1 on held-out sources", f"{f1:.3f}", "> 0.95", f1 > 0.95))
        lines.append(("FPR on held-out sources", f"{fpr:.4f}", "< 0.01", fpr < 0.01))
    return lines


def library_lines() -> list[Line]:
    """Warm latency, memory and long texts, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.in_process"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    first, second = found["memory_mb"]
    ten, hundred = found["long_10000"], found["long_100000"]
    threads = found["threads"]
    return [
        _line(f"warm scan P95, prompts up to 32 tokens, {threads} threads", found["short"]["p95"], "< 2 ms", 2, "ms"),
        _line(f"warm scan P95, prompts up to 128 tokens, {threads} threads", found["medium"]["p95"], "< 5 ms", 5, "ms"),
        _line(f"warm scan P95, mixed traffic, {threads} threads", found["mixed"]["p95"], "< 8 ms", 8, "ms"),
        _line("resident memory after 1,000 scans", first, "< 200 MB", 200, "MB"),
        _line("growth over the next 1,000", second - first, "< 2 MB", 2, "MB"),
        (f"10,000 characters ({ten['windows']} windows)", f"{ten['ms']:.0f} ms", "no cut", True),
        (
            f"100,000 characters ({hundred['windows']} windows)",
            f"{hundred['ms']:.0f} ms",
            "linear: < 13 x",
            hundred["ms"] < 13 * ten["ms"],
        ),
    ]


def emulator_lines() -> list[Line]:
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
        _line("interpreter start to first answer, emulator (median)", statistics.median(firsts), "< 400 ms", 400, "ms"),
        ("  of which init", f"{statistics.median(inits):.0f} ms", "", True),
        ("warm invocation, emulator (median)", f"{statistics.median(warm):.1f} ms", "", True),
    ]


def size_lines() -> list[Line]:
    """Unzipped size of function and layers for both architectures."""
    lines = []
    for architecture in ("arm64", "x86_64"):
        with tempfile.TemporaryDirectory(dir=ROOT / ".aws-sam") as folder:
            stack = build_stack(architecture, Path(folder))
            lines.append(
                _line(
                    f"function + layers unzipped, {architecture}",
                    stack.size_bytes("ScanFunction", *LAYERS) / 1e6,
                    "< 170 MB",
                    170,
                    "MB",
                )
            )
    return lines


def _line(what: str, value: float, budget: str, limit: float, unit: str) -> Line:
    return what, f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}", budget, value < limit


def main() -> None:
    """Measures everything and prints the table."""
    (ROOT / ".aws-sam").mkdir(exist_ok=True)
    table = Table("what", "measured", "budget", "")
    for part in (model_lines, library_lines, emulator_lines, size_lines):
        for what, value, budget, held in part():
            table.add_row(what, value, budget, "" if held else "over")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
