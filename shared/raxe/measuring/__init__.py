"""Models measured side by side, now and on this machine: verdicts, latency in one interleaved run, memory, a report."""

from raxe.measuring.documents import Measured, document
from raxe.measuring.page import page
from raxe.measuring.resident import memory_mb
from raxe.measuring.running import (
    Answer,
    Bench,
    ModelRun,
    Run,
    answer,
    finished,
    fit,
    interleaved,
    load_average,
    measure,
    now,
    prepare,
)
from raxe.measuring.samples import Sample, SampleSet, read_samples, smoke_samples

__all__ = [
    "Answer",
    "Bench",
    "Measured",
    "ModelRun",
    "Run",
    "Sample",
    "SampleSet",
    "answer",
    "document",
    "finished",
    "fit",
    "interleaved",
    "load_average",
    "measure",
    "memory_mb",
    "now",
    "page",
    "prepare",
    "read_samples",
    "smoke_samples",
]
