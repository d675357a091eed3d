"""Figures are what their definitions say, and a report counts every row."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raxe.bootstrap import Engine
from raxe.detectors import BrokenDetector, RuleDetector, StubDetector
from raxe.errors import InvalidInput, ModelNotFound
from raxe.evaluation import Refusal, Row, auroc, evaluate, figures, read_rows
from raxe.policy import Policy
from raxe.protocols import ModelLayer
from raxe.rules import Rule, RuleSet
from raxe.scanner import Scanner
from raxe.settings import Settings
from raxe.values import Family, Severity, Source

PRIVATE = "marmalade"


def engine(model: ModelLayer | None = None) -> Engine:
    """An engine with one rule, which finds the word attack, and texts of at most 40 characters."""
    rule = Rule("PI-001", 1, Family.PI, "instruction_override", Severity.CRITICAL, 1.0, "", ("attack",), (), ())
    scanner = Scanner(RuleDetector(RuleSet([rule])), model or StubDetector(), Policy())
    return Engine(scanner, Settings(max_characters=40), 1)


def written(folder: Path, *lines: str) -> Path:
    """A file of these lines."""
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=30))
def test_auroc_is_the_share_of_pairs_in_order(rows: list[tuple[int, float]]) -> None:
    """AUROC is the share of pairs in which the attack scores higher, equal scores counted half."""
    attacks, honest = ([score for label, score in rows if label is wanted] for wanted in (1, 0))
    pairs = [1.0 if a > h else 0.5 if a == h else 0.0 for a, h in product(attacks, honest)]
    expected = pytest.approx(sum(pairs) / len(pairs)) if pairs else None
    assert auroc([label for label, _ in rows], [score for _, score in rows]) == expected


def test_figures_follow_the_counts() -> None:
    """Two of three attacks and one of four honest rows flagged give the figures of the textbook."""
    found = figures(
        [1, 1, 1, 0, 0, 0, 0], [True, True, False, True, False, False, False], [0.9, 0.8, 0.1, 0.7, 0, 0, 0]
    )
    assert (found.n, found.positives) == (7, 3)
    assert (found.recall, found.fpr, found.precision) == pytest.approx((2 / 3, 1 / 4, 2 / 3))
    assert (found.f1, found.balanced_accuracy) == pytest.approx((2 / 3, (2 / 3 + 3 / 4) / 2))


def test_figures_without_attacks() -> None:
    """Without an attack only the false positive rate is defined."""
    found = figures([0, 0], [True, False], [0.9, 0.1])
    assert (found.fpr, found.recall, found.precision, found.f1) == (0.5, None, None, None)
    assert (found.balanced_accuracy, found.auroc) == (None, None)


def test_figures_without_honest_rows() -> None:
    """Without an honest row recall is defined and what needs a false positive rate is not."""
    found = figures([1, 1], [True, False], [0.9, 0.1])
    assert (found.recall, found.fpr, found.balanced_accuracy, found.auroc) == (0.5, None, None, None)


def test_figures_when_nothing_is_flagged() -> None:
    """When nothing is flagged precision is not defined and F1 is zero."""
    found = figures([1, 0], [False, False], [0, 0])
    assert (found.precision, found.f1, found.recall) == (None, 0.0, 0.0)


def test_figures_of_no_rows() -> None:
    """No rows give no figure, and no error."""
    found = figures([], [], [])
    assert (found.n, found.recall, found.fpr, found.auroc) == (0, None, None, None)


def test_figures_want_equal_lengths() -> None:
    """Labels, flags and scores of different lengths are refused, never cut."""
    with pytest.raises(ValueError, match="2 labels, 1 flags and 2 scores"):
        figures([1, 0], [True], [0.5, 0.5])


def test_report_counts_each_row_once() -> None:
    """Sets come by name, rows without one last, and together they are the whole."""
    rows = [Row("attack", 1, "b"), Row("hello", 0, "a"), Row("attack", 0), Row("hello", 1, "b")]
    report = evaluate(rows, engine())
    assert [(one.name, one.figures.n) for one in report.sets] == [("a", 1), ("b", 2), (None, 1)]
    assert (report.overall.figures.n, report.overall.figures.recall, report.overall.figures.fpr) == (4, 0.5, 0.5)


def test_report_without_sets_is_overall_alone() -> None:
    """When no row names a set there are no sets."""
    assert evaluate([Row("hello", 0)], engine()).sets == ()


def test_refused_rows_count_as_flagged() -> None:
    """A text that is empty or too large counts as flagged, is named with its line and has no latency."""
    report = evaluate([Row("", 0, line=1), Row("x" * 41, 1, line=5)], engine())
    assert report.refused == (Refusal(1, "TextEmpty"), Refusal(5, "TextTooLarge"))
    assert (report.overall.refused, report.overall.latency) == (2, None)
    assert (report.overall.figures.recall, report.overall.figures.fpr) == (1.0, 1.0)


def test_rows_without_a_layer_are_counted() -> None:
    """A row for which the model did not answer is counted as failed."""
    assert evaluate([Row("hello", 0)], engine(BrokenDetector(ModelNotFound("none")))).overall.failed == 1


def test_percentiles_are_ordered() -> None:
    """The percentiles of the latency are positive and rise."""
    latency = evaluate([Row("hello", 0)] * 5, engine()).overall.latency
    assert latency is not None
    assert 0 < latency.p50_ms <= latency.p95_ms <= latency.p99_ms


def test_rows_are_read_with_their_lines(tmp_path: Path) -> None:
    """Blank lines and unknown keys are passed over, role becomes the source, missing set and role have defaults."""
    path = written(
        tmp_path,
        '\ufeff{"text": "a", "label": 0}',
        "",
        '{"text": "b", "label": 1, "set": "s", "role": "tool", "more": []}',
    )
    assert read_rows(path) == [Row("a", 0, None, Source.USER, 1), Row("b", 1, "s", Source.TOOL, 3)]


def test_limit_leaves_the_rest_unread(tmp_path: Path) -> None:
    """With a limit of N only the first N rows are read, so a wrong one behind them does no harm."""
    assert len(read_rows(written(tmp_path, '{"text": "a", "label": 0}', "wrong"), 1)) == 1


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (f'{{"text": "{PRIVATE}", "label": 2}}', "line 2: label"),
        (f'{{"text": "{PRIVATE}", "label": true}}', "line 2: label"),
        (f'{{"text": "{PRIVATE}", "label": 1.0}}', "line 2: label"),
        (f'{{"text": "{PRIVATE}"}}', "line 2: label"),
        (f'{{"text": ["{PRIVATE}"], "label": 1}}', "line 2: text"),
        ('{"label": 1}', "line 2: text"),
        (f'{{"text": "{PRIVATE}", "label": 1, "role": "system"}}', "line 2: role"),
        (f'{{"text": "{PRIVATE}", "label": 1, "role": ["user"]}}', "line 2: role"),
        (f'{{"text": "{PRIVATE}", "label": 1, "set": ""}}', "line 2: set"),
        (f'{{"text": "{PRIVATE}", "label": 1, "set": "\\u001b[31m"}}', "line 2: set"),
        (f'["{PRIVATE}"]', "line 2"),
        (f'{{"text": "{PRIVATE}"', "line 2"),
        ("[" * 100_000, "line 2"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, line: str, field: str) -> None:
    """A wrong row is refused with its line and key, and without its text."""
    path = written(tmp_path, '{"text": "a", "label": 0}', line)
    with pytest.raises(InvalidInput) as caught:
        read_rows(path)
    assert caught.value.field == field
    assert PRIVATE not in str(caught.value)


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are refused with their line."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a", "label": 0}\n{"text": "\xff", "label": 0}\n')
    with pytest.raises(InvalidInput) as caught:
        read_rows(path)
    assert caught.value.field == "line 2"


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    """A file without rows, a missing file and a folder are refused by name."""
    for path in (written(tmp_path, ""), tmp_path / "missing", tmp_path):
        with pytest.raises(InvalidInput) as caught:
            read_rows(path)
        assert caught.value.field == str(path)
