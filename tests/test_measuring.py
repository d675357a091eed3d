"""``raxe.measuring``: turns, figures and memory of models side by side."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raxe.errors import InvalidInput, ModelNotFound
from raxe.measuring import (
    Bench,
    Measured,
    SampleSet,
    document,
    finished,
    interleaved,
    measure,
    prepare,
    read_samples,
    smoke_samples,
)
from tests.factories import MODEL_ID, PLUGH, ZORKMID, ModelsFolder, add_variant

ROWS = (
    {"text": f"a {ZORKMID}", "label": 1},
    {"text": f"a {PLUGH}", "label": 0, "role": "tool"},
    {"text": "a door"},
    {"text": " ", "label": 1},
)


def samples_of(folder: Path, *rows: object) -> SampleSet:
    """The texts of a file with these rows."""
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return read_samples(path)


@pytest.fixture
def bench(models: ModelsFolder, tmp_path: Path) -> Bench:
    """Two models that answer alike, four texts of which one is refused, three passes."""
    add_variant(models, "second")
    return prepare(["second", MODEL_ID], samples_of(tmp_path, *ROWS), models.settings, 3)


class TestSamples:
    """Texts and labels of a file."""

    def test_rows_have_labels_lines_have_none(self, tmp_path: Path) -> None:
        """Of .jsonl each line is a row, of any other file a text, whatever it looks like; blank lines are none."""
        rows = samples_of(tmp_path, *ROWS)
        assert [(s.label, s.source.value, s.line) for s in rows.samples] == [
            (1, "user", 1), (0, "tool", 2), (None, "user", 3), (1, "user", 4),
        ]  # fmt: skip
        plain = tmp_path / "lines.txt"
        plain.write_text('{"text": 1}\r\n\n  a text\n', encoding="utf-8")
        assert [(s.text, s.label, s.line) for s in read_samples(plain).samples] == [
            ('{"text": 1}', None, 1),
            ("  a text", None, 3),
        ]

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            (b'{"text": "marmalade"', "line 1"),
            (b'["marmalade"]', "line 1"),
            (b'{"label": 1}', "line 1: text"),
            (b'{"text": "x"}\n{"text": "marmalade", "label": 2}', "line 2: label"),
            (b'{"text": "marmalade", "label": true}', "line 1: label"),
            (b'{"text": "marmalade", "role": "marmalade"}', "line 1: role"),
            (b'{"text": "\xff"}', "line 1"),
            (b"\n \n", "rows.jsonl"),
            (None, "rows.jsonl"),
        ],
    )
    def test_a_wrong_row_is_named_by_line_and_key(self, tmp_path: Path, data: bytes | None, field: str) -> None:
        """The message has neither the text nor the value."""
        path = tmp_path / "rows.jsonl"
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(InvalidInput) as caught:
            read_samples(path)
        assert caught.value.field.endswith(field)
        assert "marmalade" not in str(caught.value)

    def test_the_shipped_set_is_balanced_and_clear(self) -> None:
        """As many attacks as benign texts, each once, and it says that it is a smoke set."""
        found = smoke_samples()
        assert (found.smoke, found.attacks, found.benign) == (True, 24, 24)
        assert len({sample.digest for sample in found.samples}) == 48


class TestRun:
    """One run of several models."""

    def test_models_take_turns(self, bench: Bench) -> None:
        """Text by text every model scans once, and none is always the first."""
        timed = list(interleaved(bench))
        assert len(timed) == bench.scans == 3 * 4 * 2
        turns = [(a, b) for a, b in zip(timed[::2], timed[1::2], strict=True)]
        assert all((a.iteration, a.sample) == (b.iteration, b.sample) for a, b in turns)
        assert all({a.model, b.model} == {0, 1} for a, b in turns)
        assert [a.model for a, _ in turns] == [1, 0] * 6

    def test_figures_are_those_of_labels_and_times(self, bench: Bench) -> None:
        """Texts without label count in no figure, refused ones as flagged and in no time; percentiles are the run's."""
        before = ("2025-11-20T10:00:00+00:00", 0.5)
        timed = [replace(each, duration_ms=1.0 + each.model) for each in interleaved(bench) if each.sample != 3]
        run = finished(bench, timed, before, [12.5, None])
        first, second = run.models
        found = run.figures(first)
        assert (found.n, found.recall, found.fpr) == (3, 1.0, 1.0)
        assert [answer.verdict for answer in first.answers] == ["block", "block", "allow", "refused"]
        assert (first.latency, second.latency) != (None, None)
        assert [model.latency.p95_ms for model in run.models if model.latency] == [1.0, 2.0]
        assert [model.memory_mb for model in run.models] == [12.5, None]
        assert run.differing == ()

    def test_a_document_holds_what_was_measured(self, bench: Bench) -> None:
        """It comes back from its JSON as it was, names the other models, and has no text."""
        run = finished(bench, interleaved(bench), ("2025-11-20T10:00:00+00:00", 0.5), [12.5, None])
        made = document(run, run.models[0])
        text = made.model_dump_json()
        assert Measured.model_validate_json(text) == made
        assert (made.beside, made.prompts.texts, made.prompts.attacks, made.iterations) == ((MODEL_ID,), 4, 2, 3)
        assert ZORKMID not in text

    def test_models_must_be_there_and_differ(self, models: ModelsFolder, tmp_path: Path) -> None:
        """No model, the same one twice and an unknown one are errors; an alias is the model that it points to."""
        samples = samples_of(tmp_path, *ROWS)
        for ids, error in (([], InvalidInput), ([MODEL_ID, MODEL_ID], InvalidInput), (["nobody"], ModelNotFound)):
            with pytest.raises(error):
                prepare(ids, samples, models.settings)

    def test_no_fallback_stands_in_for_a_model(self, models: ModelsFolder, tmp_path: Path) -> None:
        """A model that cannot be loaded is an error even where config.yaml names another."""
        add_variant(models, "second")
        (models.root / "config.yaml").write_text(f"fallback_model_id: {MODEL_ID}\n")
        path = models.metadata.with_name("second.json")
        path.write_text(path.read_text().replace('"bundle_model_id": "tiny-model"', '"bundle_model_id": "other"'))
        with pytest.raises(Exception, match="another model"):
            prepare(["second"], samples_of(tmp_path, *ROWS), models.settings)

    def test_memory_is_that_of_another_process(self, models: ModelsFolder, tmp_path: Path) -> None:
        """It is a process' worth, measured once a model, by whatever settings are in hand."""
        run = measure([MODEL_ID], samples_of(tmp_path, *ROWS[:2]), models.settings, 1)
        memory = run.models[0].memory_mb
        assert memory is not None
        assert 20 < memory < 1000
