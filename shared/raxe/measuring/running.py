"""Several models over the same texts in one run, A, B, A, B: what makes the machine slow for one does so for all."""

import os
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from raxe.bootstrap import Engine, build_model_engine
from raxe.errors import InvalidInput
from raxe.evaluation import Figures, Latency, figures
from raxe.measuring.resident import memory_mb
from raxe.measuring.samples import Sample, SampleSet
from raxe.settings import Settings
from raxe.values import Decision

REFUSED = "refused"
_PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the serving path says of one text.

    Attributes:
        verdict: allow, review or block; refused when the text is empty or too large, which counts as flagged.
        score: of both layers, in [0, 1]; 1 when refused.
        model_score: of the model alone, in [0, 1].
        failed: a layer did not answer.
    """

    verdict: str
    score: float
    model_score: float
    failed: bool = False

    @property
    def flagged(self) -> bool:
        """Whether it is anything but allow."""
        return self.verdict != Decision.ALLOW

    def fits(self, label: int | None) -> bool | None:
        """Whether it is what the label asks for; None without a label, never when a layer failed."""
        return None if label is None else not self.failed and self.flagged == bool(label)


@dataclass(frozen=True, slots=True)
class Bench:
    """Models that are loaded and warm, and what they answer to each text."""

    samples: SampleSet
    engines: tuple[Engine, ...]
    answers: tuple[tuple[Answer, ...], ...]
    settings: Settings
    iterations: int

    @property
    def scans(self) -> int:
        """How many scans a run has."""
        return self.iterations * len(self.samples.samples) * len(self.engines)


@dataclass(frozen=True, slots=True)
class Timed:
    """One scan of a run: which model, pass and text it was, from 0, and how long it took."""

    model: int
    iteration: int
    sample: int
    duration_ms: float


@dataclass(frozen=True, slots=True)
class ModelRun:
    """One model of a run.

    Attributes:
        answers: one a text.
        times_ms: ``(iterations, texts)`` wall times of scans, preparing included; NaN for a text that was refused.
        memory_mb: resident in a fresh process after 200 scans, in 1,000,000 bytes; None where it is not known.
        size_mb: of its files.
    """

    model_id: str
    digest: str
    size_mb: float
    answers: tuple[Answer, ...]
    times_ms: NDArray[np.float64]
    memory_mb: float | None

    @property
    def latency(self) -> Latency | None:
        """Percentiles of all scans; None when every text was refused."""
        taken = self.times_ms[~np.isnan(self.times_ms)]
        return Latency(*(float(value) for value in np.percentile(taken, _PERCENTILES))) if taken.size else None


@dataclass(frozen=True, slots=True)
class Run:
    """Models measured side by side.

    Attributes:
        started: ISO time in UTC.
        machine: architecture, CPUs, threads.
        load: average load of the machine over one minute, before and after.
    """

    samples: SampleSet
    models: tuple[ModelRun, ...]
    iterations: int
    started: str
    machine: str
    load: tuple[float, float]

    def figures(self, model: ModelRun) -> Figures:
        """How well verdicts and scores of a model fit the labels; texts without one are left out."""
        return fit(self.samples, model.answers)

    @property
    def differing(self) -> tuple[int, ...]:
        """The lines of the texts that the models do not all give the same verdict."""
        said = zip(*(model.answers for model in self.models), strict=True)
        pairs = zip(self.samples.samples, said, strict=True)
        return tuple(sample.line for sample, answers in pairs if len({each.verdict for each in answers}) > 1)


def fit(samples: SampleSet, answers: Sequence[Answer]) -> Figures:
    """How well answers, one a text, fit the labels; texts without one are left out."""
    pairs = [(s.label, a) for s, a in zip(samples.samples, answers, strict=True) if s.label is not None]
    return figures([label for label, _ in pairs], [a.flagged for _, a in pairs], [a.score for _, a in pairs])


def measure(model_ids: Sequence[str], samples: SampleSet, settings: Settings, iterations: int = 20) -> Run:
    """The run of these models, by id or alias; raises ModelError, and InvalidInput for no or a doubled model."""
    bench = prepare(model_ids, samples, settings, iterations)
    started, load = now(), load_average()
    timed = list(interleaved(bench))
    return finished(bench, timed, (started, load), [memory_mb(e, samples) for e in bench.engines])


def prepare(model_ids: Sequence[str], samples: SampleSet, settings: Settings, iterations: int = 20) -> Bench:
    """The models loaded, each having scanned every text once; raises as ``measure``."""
    # These two variables would put one encoder in the place of every model's own.
    settings = replace(settings, onnx_model_path=None, onnx_tokenizer=None)
    engines = tuple(build_model_engine(each, settings) for each in model_ids)
    ids = [engine.model_info.model_id for engine in engines if engine.model_info]
    if not ids or len(set(ids)) < len(ids):
        raise InvalidInput("must be different models, one at least", field="models")
    answers = tuple(tuple(answer(engine, each) for each in samples.samples) for engine in engines)
    return Bench(samples, engines, answers, settings, iterations)


def answer(engine: Engine, sample: Sample) -> Answer:
    """What the serving path says of a text."""
    try:
        scan = engine.scan_text(sample.text, sample.source)
    except InvalidInput:
        return Answer(REFUSED, 1.0, 0.0)
    return Answer(scan.verdict.decision.value, scan.verdict.score, scan.l2.score, failed=bool(scan.failures))


def interleaved(bench: Bench) -> Iterator[Timed]:
    """Yields each scan of a run: text by text all models, another one first each time."""
    count = len(bench.engines)
    turn = 0
    for iteration in range(bench.iterations):
        for index, sample in enumerate(bench.samples.samples):
            turn += 1
            for place in range(count):
                model = (turn + place) % count
                yield Timed(model, iteration, index, _duration_ms(bench.engines[model], sample))


def finished(bench: Bench, timed: Iterable[Timed], before: tuple[str, float], memory: Sequence[float | None]) -> Run:
    """The run of all scans; ``before`` is when it started and the load of the machine then."""
    times = np.full((len(bench.engines), bench.iterations, len(bench.samples.samples)), np.nan)
    for each in timed:
        times[each.model, each.iteration, each.sample] = each.duration_ms
    models = [
        _model_run(engine, answers, taken, resident)
        for engine, answers, taken, resident in zip(bench.engines, bench.answers, times, memory, strict=True)
    ]
    threads = bench.settings.onnx_num_threads
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, {threads} threads"
    return Run(bench.samples, tuple(models), bench.iterations, before[0], machine, (before[1], load_average()))


def now() -> str:
    """This second in UTC, ISO."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def load_average() -> float:
    """Processes that want a CPU, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)


def _model_run(
    engine: Engine, answers: tuple[Answer, ...], times_ms: NDArray[np.float64], resident: float | None
) -> ModelRun:
    info, model = engine.model_info, engine.choice.model
    assert info is not None
    assert model is not None
    return ModelRun(info.model_id, info.digest, model.file_info.size_mb, answers, times_ms, resident)


def _duration_ms(engine: Engine, sample: Sample) -> float:
    started = time.perf_counter()
    try:
        engine.scan_text(sample.text, sample.source)
    except InvalidInput:
        return float("nan")
    return (time.perf_counter() - started) * 1000
