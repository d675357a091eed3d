"""The page of ``raxe.measuring``: it stands alone, its plots are sound, and it repeats no text."""

from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from raxe.measuring import Answer, ModelRun, Run, SampleSet, document, page, smoke_samples
from raxe.measuring.drawings import Axis, axis_over, bars, curves, strips


def run_of(count: int, *, labels: tuple[int | None, ...] = (1, 0, None)) -> Run:
    """A run of that many models over texts that must not be repeated."""
    samples = SampleSet(
        tuple(replace(s, text=f"marmalade {n}", label=labels[n % len(labels)]) for n, s in enumerate(_BASE)), _SUM
    )
    times = np.linspace(1, 9, 4 * len(_BASE)).reshape(4, len(_BASE))
    models = tuple(
        ModelRun(
            f"model-{k}<b>",
            _SUM,
            1.5,
            tuple(Answer("block" if n % 2 == k % 2 else "allow", 0.1 * k, 0.1) for n in range(len(_BASE))),
            times * (k + 1),
            100.0 if k else None,
        )
        for k in range(count)
    )
    return Run(samples, models, 4, "2025-11-20T10:00:00+00:00", "x86_64, 2 CPUs, 2 threads", (0.1, 0.2))


_SUM = "sha256:" + "0" * 64
_BASE = smoke_samples().samples[:6]


class _Page(HTMLParser):
    """What a page names: tags, and addresses that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes it."""
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]


class TestPage:
    """The report."""

    @pytest.mark.parametrize(("count", "labels"), [(1, (1, 0)), (2, (1, 0, None)), (7, (None,))])
    def test_it_stands_alone_and_repeats_no_text(self, count: int, labels: tuple[int | None, ...]) -> None:
        """No script, nothing to fetch, names escaped, and every plot is well-formed."""
        made = page(run_of(count, labels=labels))
        parsed = _Page()
        parsed.feed(made)
        assert (parsed.fetched, "script" in parsed.tags, "link" in parsed.tags) == ([], False, False)
        assert parsed.tags.count("svg") >= 3
        assert "marmalade" not in made
        assert "model-0<b>" not in made
        for part in made.split("<svg ")[1:]:
            ET.fromstring(f"<svg {part.partition('</svg>')[0]}</svg>")  # noqa: S314  (our own)

    def test_texts_on_which_models_differ_stand_by_digest(self) -> None:
        """Line and digest, with each model's verdict."""
        run = run_of(2)
        made = page(run)
        assert run.differing
        assert all(sample.digest in made for sample in run.samples.samples if sample.line in run.differing)

    def test_a_run_in_which_all_was_refused_has_no_times(self) -> None:
        """The page still comes, with dashes."""
        run = run_of(1)
        empty = replace(run.models[0], times_ms=np.full((4, len(_BASE)), np.nan))
        assert document(run, replace(empty, model_id="abc")).latency is None
        assert "<td>-</td>" in page(replace(run, models=(empty,)))


class TestDrawings:
    """Axes and marks."""

    @pytest.mark.parametrize(
        "axis", [Axis("", 0, 1), Axis("", 0, 0.003), Axis("", 0, 4321), Axis("", 0.7, 90, log=True), Axis("", 3, 3)]
    )
    def test_ticks_are_within_the_axis(self, axis: Axis) -> None:
        """Few, rising, none outside; the ends lie at 0 and 1."""
        ticks = axis.ticks()
        assert 1 <= len(ticks) <= 12
        assert ticks == sorted(ticks)
        assert all(axis.low - 1e-9 <= tick <= axis.high + 1e-9 for tick in ticks)
        assert axis.low == axis.high or (axis.place(axis.low), axis.place(axis.high)) == (0, 1)

    def test_an_axis_holds_its_values(self) -> None:
        """Whatever they are, none at all included."""
        for values in ([], [0.0], [1e-6, 5.0]):
            for log in (False, True):
                axis = axis_over("", values, log=log)
                assert axis.low < axis.high

    def test_longer_bars_are_longer(self) -> None:
        """Widths keep the order of the values; what is not known is a dash."""
        drawn = ET.fromstring(bars([("p50", [2.0, 4.0, None])], ["a", "b", "c"], "ms"))  # noqa: S314
        widths = [float(each.get("width", "")) for each in drawn.iter("rect") if each.get("height") == "14"]
        assert widths[1] == pytest.approx(2 * widths[0], rel=0.01)
        assert "-" in [each.text for each in drawn.iter("text")]

    def test_each_value_has_a_mark(self) -> None:
        """A strip has a tick a value, a curve a point a pair."""
        drawn = strips([("a", [("benign", [0.1, 0.2]), ("attack", [0.9])])], Axis("score", 0, 1))
        assert drawn.count("M") == 3
        line = curves([("a", [(1, 0), (2, 1)])], Axis("", 1, 2), Axis("", 0, 1))
        points = ET.fromstring(line).find("polyline")  # noqa: S314
        assert points is not None
        assert points.get("points") == "64.0,256.0 744.0,34.0"
