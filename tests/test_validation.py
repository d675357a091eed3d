"""The checklist: what does not hold fails, a missed target is said and does not block, an empty proof is none."""

import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from functions.local.events import ROOT
from raxe.bootstrap import ModelRegistry, build_engine
from raxe.errors import ModelNotFound
from tests.bench.run import Figure
from tests.factories import MODEL_ID, ModelsFolder
from tests.smoke.texts import ATTACKS, BENIGN
from tests.validation import functional, integration, performance, run, security
from tests.validation.items import Item, Proof, State, Subject, proven
from tests.validation.run import Group, app, exit_code

PROOFS = (*functional.PROOFS, *integration.PROOFS, *security.PROOFS)
HELD, MISSED, FAILED = (Item("what", state, "") for state in (State.PASS, State.MISS, State.FAIL))


def subject_of(models: ModelsFolder) -> Subject:
    """The tiny model as what is validated."""
    registry = ModelRegistry(settings=models.settings)
    return Subject(registry.get_model(MODEL_ID), registry, models.settings)


@pytest.mark.parametrize(
    ("items", "strict", "status"),
    [([HELD], True, 0), ([HELD, MISSED], False, 0), ([HELD, MISSED], True, 1), ([HELD, FAILED], False, 1)],
)
def test_a_failure_blocks_and_a_miss_only_when_asked_to(items: list[Item], strict: bool, status: int) -> None:
    """Exit status 1 for a failed item; for a missed target only with --strict."""
    assert exit_code({Group.SECURITY: items}, strict=strict) == status


@pytest.mark.parametrize(
    ("figure", "state"),
    [
        (Figure("size", 49, "MB", 50), State.PASS),
        (Figure("size", 51, "MB", 50), State.FAIL),
        (Figure("time", 51, "ms", 50), State.MISS),
        (Figure("share", 0.9, bound=0.95, above=True), State.FAIL),
        (Figure("time", 51, "ms"), State.PASS),
    ],
)
def test_a_time_over_its_budget_is_missed_and_a_size_fails(figure: Figure, state: State) -> None:
    """Times are the machine's; sizes and memory are the platform's limits."""
    assert performance.item(figure).state == state


def test_a_time_over_the_alarm_fails() -> None:
    """What would be rolled back in production is not deployed."""
    assert performance.limit(Figure("P95", 50.1, "ms", 50)).state == State.FAIL


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_every_proof_selects_tests_that_there_are(proof: Proof) -> None:
    """A pattern or keyword that selects nothing proves nothing: a test that moved is noticed here."""
    names = [
        f"{path}::{name}"
        for path in proof.paths()
        for name in re.findall(r"^def (test_\w+)", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    words = [word for word in proof.keyword.split(" or ") if not word.startswith("not ")]
    assert names
    assert all(any(word in name for name in names) for word in words)


def test_a_proof_fails_with_its_test_and_without_any(tmp_path: Path) -> None:
    """A failing test is named; skipped tests alone, and no tests at all, are no proof."""
    bodies = {"fails": "assert False", "passes": "assert True", "skips": "import pytest; pytest.skip('no')"}
    for name, body in bodies.items():
        (tmp_path / f"test_{name}.py").write_text(f"def test_{name}():\n    {body}\n", encoding="utf-8")

    def found(name: str, keyword: str = "") -> Item:
        class Here(Proof):
            """Its files are outside the checkout."""

            def paths(self) -> list[str]:
                """The one file."""
                return [str(tmp_path / f"test_{name}.py")]

        (item,) = proven((Here("what", (), keyword),))
        return item

    assert found("passes") == Item("what", State.PASS, "1 of 1 tests")
    assert found("fails") == Item("what", State.FAIL, "0 of 1 tests; failed: test_fails")
    assert found("skips").state == found("passes", "nothing").state == State.FAIL


def test_a_pickle_in_a_bundle_fails(models: ModelsFolder) -> None:
    """A member that the format does not have is counted; so is a folder without bundles."""
    assert security.no_pickle(models.root).state == State.PASS
    (bundle,) = (models.root / "bundles").glob("*.raxe")
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("heads.pkl", b"")
    item = security.no_pickle(models.root)
    assert (item.state, item.figure.startswith("7 of 8 ")) == (State.FAIL, True)
    assert security.no_pickle(models.root / "none").state == State.FAIL


def test_a_changed_file_fails_its_checksum_and_the_model(models: ModelsFolder) -> None:
    """One byte more in the tokenizer is seen by both items that look at it."""
    tokenizer = models.root / subject_of(models).model.file_info.tokenizer
    tokenizer.write_bytes(tokenizer.read_bytes() + b" ")
    subject = subject_of(models)
    checks = [security._checksums(subject), functional._model(subject)]
    assert [check.state for check in checks] == [State.FAIL, State.FAIL]
    assert "file tokenizer" in checks[1].figure
    assert hashlib.sha256(tokenizer.read_bytes()).hexdigest() not in checks[1].figure


def test_a_model_that_does_not_load_fails_golden_texts_and_both_sets(models: ModelsFolder) -> None:
    """Rules alone would flag most attacks; a scan in which a layer failed is not counted as right."""
    models.replace("embeddings", b"no graph")
    engine = build_engine(models.settings)
    attacks = functional._flagged("attacks", engine, ATTACKS)
    assert (attacks.state, attacks.figure.startswith("0 of ")) == (State.FAIL, True)
    assert functional._flagged("benign", engine, BENIGN).state == functional._golden(engine).state == State.FAIL


def test_a_promise_without_its_test_fails(tmp_path: Path) -> None:
    """SECURITY.md must say where to report and name tests that there are."""
    document = tmp_path / "SECURITY.md"
    for text, state in (
        ("## Reporting\n`tests/test_process.py`", State.PASS),
        ("## Reporting\n`tests/test_gone.py`", State.FAIL),
        ("## Reporting\nnone", State.FAIL),
        ("`tests/test_process.py`", State.FAIL),
    ):
        document.write_text(text, encoding="utf-8")
        assert security.promises(document).state == state
    assert security.promises(tmp_path / "missing.md").state == State.FAIL


def test_a_check_that_breaks_is_a_failed_item(models: ModelsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error keeps neither its place nor the other groups from being printed."""

    def broken(_: Subject) -> None:
        raise ModelNotFound("there is none")

    monkeypatch.setitem(run.GROUPS, Group.SECURITY, broken)
    (item,) = run.looked_at(Group.SECURITY, subject_of(models))
    assert item == Item("the rest of security", State.FAIL, "ModelNotFound: there is none")


@pytest.mark.parametrize(("state", "status"), [(State.PASS, 0), (State.MISS, 0), (State.FAIL, 1)])
def test_the_command_prints_every_item_as_text_or_json(
    monkeypatch: pytest.MonkeyPatch, state: State, status: int
) -> None:
    """A line an item with its figure, or one JSON object; the exit status says whether a deployment may go on."""
    monkeypatch.setitem(run.GROUPS, Group.SECURITY, lambda _: iter([Item("what", state, "3 of 3")]))
    monkeypatch.delenv("RAXE_L2_MODEL", raising=False)
    said = CliRunner().invoke(app, ["--only", "security"])
    assert (said.exit_code, said.stdout.splitlines()[1].split()) == (status, [state, "what", "3", "of", "3"])
    body = json.loads(CliRunner().invoke(app, ["--only", "security", "--json"]).stdout)
    assert body["passed"] is (status == 0)
    assert body["items"] == [{"group": "security", "name": "what", "state": state, "figure": "3 of 3"}]


def test_an_unknown_model_is_no_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 2: there is nothing to validate."""
    monkeypatch.setenv("RAXE_L2_MODEL", "")  # put back what the command sets
    assert CliRunner().invoke(app, ["--model", "nobody"]).exit_code == 2
