"""Figures of the library in one fresh process: warm latency, long texts, memory. Prints one JSON object."""

import gc
import json
import statistics
import sys
import time
from pathlib import Path

from raxe.bootstrap import Engine, build_engine
from raxe.settings import from_environment
from tests.bench import texts

_WARM_UP, _TIMED = 50, 1000


def resident_mb() -> float:
    """Memory of this process now, in units of 1,000,000 bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def timings_ms(engine: Engine, prompts: list[str]) -> dict[str, float]:
    """Percentiles of the wall time of a scan, one prompt at a time."""
    for prompt in prompts[:_WARM_UP]:
        engine.scan_text(prompt)
    taken, tokens = [], []
    for prompt in prompts:
        started = time.perf_counter()
        scan = engine.scan_text(prompt)
        taken.append((time.perf_counter() - started) * 1000)
        tokens.append(scan.coverage.tokens)
    cuts = statistics.quantiles(taken, n=100)
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "tokens_p95": statistics.quantiles(tokens, n=100)[94]}


def main() -> None:
    """Measures and prints."""
    engine = build_engine(from_environment())
    found: dict[str, object] = {
        "model": engine.model_info.model_id if engine.model_info else None,
        "threads": engine.settings.onnx_num_threads,
    }
    traffic = texts.mixed(_TIMED)
    memory = []
    for _ in range(2):
        for prompt in traffic:
            engine.scan_text(prompt)
        gc.collect()
        memory.append(resident_mb())
    found["memory_mb"] = memory
    short = texts.of_tokens(1, 32, _TIMED, lambda text: engine.scan_text(text).coverage.tokens)
    medium = texts.of_tokens(33, 128, _TIMED, lambda text: engine.scan_text(text).coverage.tokens)
    for name, prompts in (("short", short), ("medium", medium), ("mixed", traffic)):
        found[name] = timings_ms(engine, prompts)
    for characters in (10_000, 100_000):
        text = texts.long(characters)
        started = time.perf_counter()
        scan = engine.scan_text(text)
        seconds = time.perf_counter() - started
        found[f"long_{characters}"] = {
            "ms": seconds * 1000,
            "windows": scan.coverage.windows,
            "tokens": scan.coverage.tokens,
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
