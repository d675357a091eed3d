"""``raxe models test | compare --prompts | benchmark``: figures, files and exit codes, and never a text."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from raxe.cli import app
from raxe.measuring import Measured
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder, add_variant

SPEED = {"latency_p50_ms": 1.0, "latency_p95_ms": 1.25, "latency_p99_ms": 2.0}
CANARY = "marmalade"
GOOD = ({"text": f"{CANARY} {ZORKMID}", "label": 1}, {"text": f"{CANARY} and a door", "label": 0})
WRONG = ({"text": f"{CANARY} on toast", "label": 1}, {"text": f"one {CANARY} {ZORKMID}", "label": 0})


def raxe(models: ModelsFolder, *arguments: str, **variables: str) -> Result:
    """What ``raxe models`` does with the folder."""
    env = {"RAXE_MODELS_DIR": str(models.root), "COLUMNS": "80", "FORCE_COLOR": None, **variables}
    return CliRunner().invoke(app, ["models", *arguments], env=env)


def rows(folder: Path, *given: object) -> str:
    """A file with these rows."""
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, given)), encoding="utf-8")
    return str(path)


class TestTest:
    """One model on texts, a verdict each."""

    def test_every_text_has_a_line_without_its_words(self, models: ModelsFolder, tmp_path: Path) -> None:
        """Line, digest, label, verdict, scores; what is not as labelled is marked, and makes the exit code 1."""
        good = raxe(models, "test", MODEL_ID, "--prompts", rows(tmp_path, *GOOD))
        assert (good.exit_code, good.stderr) == (0, "")
        assert [line.split()[2:4] for line in good.stdout.splitlines()[1:3]] == [
            ["attack", "block"],
            ["benign", "allow"],
        ]
        wrong = raxe(models, "test", MODEL_ID, "--prompts", rows(tmp_path, *GOOD, *WRONG))
        assert (wrong.exit_code, wrong.stdout.count("wrong")) == (1, 2)
        assert "recall 0.5 of 2, FPR 0.5 of 2" in wrong.stdout
        assert CANARY not in good.output + wrong.output
        assert all(len(line) <= 80 for line in wrong.stdout.splitlines())

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ((), 1),
            (("--min-recall", "0.5", "--max-fpr", "0.5"), 0),
            (("--min-recall", "0.5"), 1),
            (("--min-recall", "0.5", "--max-fpr", "0.4"), 1),
        ],
    )
    def test_how_much_may_be_wrong_is_an_option(
        self, models: ModelsFolder, tmp_path: Path, options: tuple[str, ...], code: int
    ) -> None:
        """Both shares must hold."""
        result = raxe(models, "test", MODEL_ID, "--prompts", rows(tmp_path, *GOOD, *WRONG), *options)
        assert result.exit_code == code

    def test_texts_are_printed_when_they_are_asked_for(self, models: ModelsFolder, tmp_path: Path) -> None:
        """In the table and in JSON; JSON without the option has none."""
        prompts = rows(tmp_path, *GOOD)
        assert CANARY in raxe(models, "test", MODEL_ID, "--prompts", prompts, "--show-texts").stdout
        body = json.loads(raxe(models, "test", MODEL_ID, "--prompts", prompts, "--json").stdout)
        assert (body["passed"], body["recall"], body["prompts"]["attacks"]) == (True, 1.0, 1)
        assert [(one["line"], one["fits"], "text" in one) for one in body["answers"]] == [
            (1, True, False),
            (2, True, False),
        ]
        shown = raxe(models, "test", MODEL_ID, "--prompts", prompts, "--json", "--show-texts").stdout
        assert json.loads(shown)["answers"][0]["text"] == GOOD[0]["text"]

    def test_without_labels_nothing_is_expected(self, models: ModelsFolder, tmp_path: Path) -> None:
        """A file of plain lines has verdicts, and exit code 0 whatever they are."""
        path = tmp_path / "lines.txt"
        path.write_text(f"a {ZORKMID}\na door\n", encoding="utf-8")
        result = raxe(models, "test", MODEL_ID, "--prompts", str(path))
        assert (result.exit_code, "recall - of 0, FPR - of 0" in result.stdout) == (0, True)

    def test_without_a_file_it_is_the_smoke_set(self, models: ModelsFolder) -> None:
        """The figure is labelled as one of a smoke test; the tiny model leaves it to the rules."""
        result = raxe(models, "test", MODEL_ID)
        assert result.exit_code == 1
        assert "of 24 (smoke set: no measure of quality)" in result.stdout.splitlines()[-1]

    def test_wrong_input_is_exit_code_two(self, models: ModelsFolder, tmp_path: Path) -> None:
        """An unknown model, a missing file, a wrong row; the message has no text."""
        assert raxe(models, "test", "nobody").exit_code == 2
        assert raxe(models, "test", MODEL_ID, "--prompts", str(tmp_path / "none")).exit_code == 2
        result = raxe(models, "test", MODEL_ID, "--prompts", rows(tmp_path, {"text": CANARY, "label": CANARY}))
        assert (result.exit_code, result.stderr) == (2, "error: line 1: label: must be 0 or 1\n")


class TestCompare:
    """Two models measured now."""

    def test_prompts_make_it_measure(self, models: ModelsFolder, tmp_path: Path) -> None:
        """Figures come from these texts, not from the metadata; nothing is written."""
        add_variant(models, "second", performance=SPEED)
        before = sorted(models.root.rglob("*"))
        prompts = rows(tmp_path, *GOOD, *WRONG)
        result = raxe(models, "compare", MODEL_ID, "second", "--prompts", prompts, "--iterations", "1")
        found = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
        assert (result.exit_code, found["figure"], found["recall"]) == (0, [MODEL_ID, "second"], ["0.5", "0.5"])
        assert found["differing"][:3] == ["0", "of", "4"]
        assert CANARY not in result.output
        assert sorted(models.root.rglob("*")) == before
        arguments = ("compare", MODEL_ID, "second", "--prompts", prompts, "--iterations", "1", "--json")
        body = json.loads(raxe(models, *arguments).stdout)
        assert [each["beside"] for each in body["models"]] == [["second"], [MODEL_ID]]
        assert body["models"][0]["latency"]["p50_ms"] > 0


class TestBenchmark:
    """Files, and the memory of the metadata."""

    def test_it_leaves_a_document_a_model_and_a_page(self, models: ModelsFolder, tmp_path: Path) -> None:
        """All active models, without any text; no name is one that ``raxe-ml benchmark`` gives."""
        add_variant(models, "second")
        add_variant(models, "old", status="deprecated")
        result = raxe(models, "benchmark", "--iterations", "1", "--prompts", rows(tmp_path, *GOOD))
        assert result.exit_code == 0
        written = sorted((models.root / "benchmarks").iterdir())
        assert [path.name for path in written] == [
            "measured.html", "second_measured.json", f"{MODEL_ID}_measured.json",
        ]  # fmt: skip
        found = Measured.model_validate_json(written[1].read_bytes())
        assert (found.model_id, found.beside, found.accuracy.recall, found.prompts.smoke) == (
            "second", (MODEL_ID,), 1.0, False,
        )  # fmt: skip
        assert all(CANARY not in path.read_text() for path in written)
        assert json.loads(models.metadata.read_text()).get("performance") is None

    def test_memory_is_written_beside_latency_alone(self, models: ModelsFolder, tmp_path: Path) -> None:
        """``--write`` changes one figure and nothing else; where no latency was measured it is an error."""
        models.edit_metadata(performance=SPEED)
        before = json.loads(raxe(models, "info", MODEL_ID, "--json").stdout)
        arguments = ("benchmark", MODEL_ID, "--iterations", "1", "--prompts", rows(tmp_path, *GOOD))
        out = tmp_path / "out"
        body = json.loads(raxe(models, *arguments, "--write", "--out", str(out), "--json").stdout)
        assert body["written"][-1] == f"metadata/{MODEL_ID}.json"
        assert [Path(name).parent for name in body["written"][:-1]] == [out, out]
        after = json.loads(raxe(models, "info", MODEL_ID, "--json").stdout)
        assert after["performance"].pop("memory_mb") == body["models"][0]["memory_mb"] > 20
        assert after == before
        models.edit_metadata(performance=None)
        result = raxe(models, *arguments, "--write")
        assert (result.exit_code, "raxe-ml benchmark" in result.stderr) == (2, True)
        raxe(models, "publish", MODEL_ID, "--to", str(models.root))
        result = raxe(models, *arguments, "--write")
        assert (result.exit_code, "is published" in result.stderr) == (2, True)

    def test_a_folder_that_cannot_be_written_is_an_error(self, models: ModelsFolder, tmp_path: Path) -> None:
        """Exit code 2, with its name."""
        (tmp_path / "file").write_text("")
        arguments = ("--iterations", "1", "--prompts", rows(tmp_path, *GOOD), "--out", str(tmp_path / "file"))
        result = raxe(models, "benchmark", *arguments)
        assert (result.exit_code, str(tmp_path / "file") in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments", [["test", MODEL_ID], ["publish", MODEL_ID, "--to", "{new}"], ["pull", MODEL_ID, "--from", "{models}"]]
)
def test_bars_are_drawn_on_a_terminal_alone(models: ModelsFolder, arguments: list[str], tmp_path: Path) -> None:
    """On a terminal stderr has a bar; in a pipe it is empty, so that a log has no trace of one."""
    drawn = []
    for terminal in (False, True):
        new, (ours, theirs) = tmp_path / str(terminal), pty.openpty()
        words = [each.format(new=new, models=models.root) for each in arguments]
        registry = new if "pull" in words else models.root
        path = os.pathsep.join(each for each in sys.path if each)
        with (tmp_path / "log").open("wb") as log:
            subprocess.run(
                [sys.executable, "-c", "from raxe.cli import app; app()", "models", *words],
                env=os.environ | {"RAXE_MODELS_DIR": str(registry), "PYTHONPATH": path, "TERM": "xterm"},
                stdout=subprocess.DEVNULL, stderr=theirs if terminal else log, check=False,
            )  # fmt: skip
            piped = log.tell()
        assert piped == 0
        os.write(theirs, b"end\n")  # so that reading ends where nothing was drawn
        drawn.append(os.read(ours, 1 << 16))
        os.close(theirs)
        os.close(ours)
    assert ["━".encode() in each for each in drawn] == [False, True]
