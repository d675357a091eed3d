"""Plots, report and model card of a tiny model: complete, repeatable, and without a word of any row."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from raxe_ml.card import write_card
from raxe_ml.cli import app
from raxe_ml.corpus.rows import CORPUS, rows_of
from raxe_ml.outcomes import OUTCOMES, RowOutcome, read_outcomes, write_outcomes
from raxe_ml.plots import plots
from raxe_ml.report import write_report
from tests.measured import CANARY, CHOOSING, DROPPED, LICENCES, OWN, PUBLIC, Run, benchmark

SERIES = {
    "roc": ["roc-PI", "roc-JB"],
    "precision-recall": ["precision-recall-PI", "precision-recall-JB"],
    "scores": ["scores-PI-PI", "scores-PI-benign", "scores-JB-JB", "scores-JB-benign"],
    "calibration": ["calibration-frozen", "calibration-held-out"],
    "fpr-by-length": ["fpr-frozen", "fpr-held-out"],
    "latency-by-length": ["latency-3-10", "latency-11-30", "latency-31-80"],
}
ABSENT = ["CMD", "PII", "ENC", "RAG", "501+"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One benchmark of the tiny model."""
    return benchmark(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def outcomes(run: Run) -> list[RowOutcome]:
    """What it wrote of the test rows."""
    return [each for each in read_outcomes(run.work / OUTCOMES) if each.split == "test"]


@pytest.fixture(scope="module")
def svgs(outcomes: list[RowOutcome]) -> dict[str, str]:
    """Its plots by name, drawn once."""
    return drawn(outcomes)


@pytest.fixture(scope="module")
def card(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its model card."""
    return write_card(run.load(), run.data, tmp_path_factory.mktemp("docs")).read_text(encoding="utf-8")


def drawn(outcomes: list[RowOutcome]) -> dict[str, str]:
    """The plots by name."""
    return {plot.name: plot.svg for plot in plots(outcomes, 0.01)}


def test_outcomes_hold_every_row_and_no_text(run: Run) -> None:
    """Each row of both splits is there by its labels and its score; neither a word of it nor a name for it is."""
    written = (run.work / OUTCOMES).read_text(encoding="utf-8")
    assert CANARY not in written
    assert {json.dumps(sorted(json.loads(line))) for line in written.splitlines()} == {
        json.dumps(sorted(field.name for field in fields(RowOutcome)))
    }
    found = read_outcomes(run.work / OUTCOMES)
    assert [each.split for each in found].count("dev") == 72
    assert {each.source for each in found if each.split == "test"} == {OWN, PUBLIC}
    assert {each.length for each in found} == {"3-10", "11-30", "31-80"}


def test_figures_by_family_compare_its_attacks_with_all_benign_rows(run: Run) -> None:
    """Families of the rows have recall and AUROC, each against the same benign rows; others have nothing."""
    families = run.load().figures["test"]["families"]
    assert {name: found["recall"]["n"] for name, found in families.items()} == {"JB": 30, "PI": 60}
    assert {found["fpr"]["n"] for found in families.values()} == {54}
    assert families["JB"]["auroc"]["value"] == 1


@pytest.mark.parametrize("name", SERIES)
def test_each_plot_holds_its_series_and_no_other(name: str, svgs: dict[str, str]) -> None:
    """What has rows is drawn under its name, in letters; families and lengths without rows are not mentioned."""
    svg = svgs[name]
    for series in SERIES[name]:
        assert f'id="{series}"' in svg
    for absent in ABSENT:
        assert absent not in svg
    assert "<text" in svg
    assert svg.count('role="img"') == 1


def test_the_same_outcomes_give_the_same_bytes(outcomes: list[RowOutcome], svgs: dict[str, str]) -> None:
    """No date, no counter and no random name gets into a plot."""
    assert drawn(outcomes) == svgs


def test_a_plot_without_rows_is_left_out(outcomes: list[RowOutcome]) -> None:
    """Attacks alone have no false-positive rate, benign rows alone no curve, and no rows no plot."""
    attacks, benign = ([each for each in outcomes if each.label == label] for label in (1, 0))
    assert set(drawn(attacks)) == {"scores", "latency-by-length"}
    assert set(drawn(benign)) == {"fpr-by-length", "latency-by-length"}
    assert drawn([]) == {}


def test_a_source_of_one_label_gets_no_panel(outcomes: list[RowOutcome]) -> None:
    """Public sources without a benign row leave the curves of the corpus alone."""
    svg = drawn([each for each in outcomes if each.source == OWN or each.label])["roc"]
    assert "frozen topics" in svg
    assert "public sources" not in svg


def test_the_report_is_a_page_of_its_own(run: Run, tmp_path: Path) -> None:
    """It has every plot and table, and no script, no address, nothing to load and no word of a row."""
    text = write_report(run.load(), tmp_path).read_text(encoding="utf-8")
    assert text.count("<svg ") == len(SERIES)
    assert text.count("<table>") == text.count("</table>") >= 8
    assert "missed by" in text
    assert CANARY not in text
    assert not re.search(r"<script|javascript:|\son\w+=|://|\ssrc=|@import|<(link|iframe|object|embed|base)\b", text)


def test_the_card_names_every_used_source_with_its_licence(card: str) -> None:
    """Sources that train, choose or measure stand in one line with part and licence; dropped ones have no line."""
    for name, part in ((PUBLIC, "test"), (CHOOSING, "dev"), ("pub_train", "train")):
        licence = LICENCES[name].replace("|", "\\|")
        assert f"| {name} | {part} | somebody/{name} | 0000000000 | {licence} | 7 |" in card
    assert f"| {DROPPED} |" not in card
    assert f"`{DROPPED}`" in card
    assert CANARY not in card
    assert "$" not in card


def test_the_card_counts_only_topics_that_the_run_learned_from(card: str) -> None:
    """The corpus may have grown since; of its train part one topic was among the rows of the run."""
    farming = rows_of(CORPUS / "farming.jsonl")
    attacks = sum(row.label for row in farming)
    assert f"| train | 1 | {attacks} | {len(farming) - attacks} |" in card


def test_the_card_lists_every_missed_target(run: Run, card: str) -> None:
    """Each target that is not reached is named with its figure and how far it is off."""
    measured = run.load()
    missed = [each for each in measured.targets if each.missed_by]
    assert {each.name for each in missed} >= {"F1", "AUROC"}
    for each in measured.targets:
        line = (
            f"* **{each.name}** is {each.measured:.4f} where {each.wanted} is wanted: missed by {each.missed_by:.4f}."
        )
        assert (line in card) == (each in missed)


def test_the_card_shows_the_plots_that_lie_beside_it(run: Run, svgs: dict[str, str], tmp_path: Path) -> None:
    """The command writes card and plots; every picture that the card shows is there, and as it was drawn."""
    options = {"config": run.config, "data": run.data, "work": run.work, "models": run.models, "docs": tmp_path}
    result = CliRunner().invoke(app, ["card", *(f"--{key}={value}" for key, value in options.items())])
    assert result.exit_code == 0, result.output
    shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (tmp_path / "model-card.md").read_text(encoding="utf-8"))
    assert shown == [f"model-card/{name}.svg" for name in SERIES]
    assert {Path(name).stem: (tmp_path / name).read_text(encoding="utf-8") for name in shown} == svgs


def test_no_card_is_written_over_a_source_of_unknown_licence(run: Run, tmp_path: Path) -> None:
    """A measured source that no provenance file names stops the card, by its name."""
    with pytest.raises(ValueError, match=PUBLIC):
        write_card(run.load(), tmp_path, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_files_of_two_runs_are_refused(run: Run, tmp_path: Path) -> None:
    """Outcomes that do not give the figures of the benchmark make neither report nor card."""
    found = read_outcomes(run.work / OUTCOMES)
    write_outcomes(tmp_path / OUTCOMES, found[:-1])
    with pytest.raises(ValueError, match="not of one run"):
        Run(run.config, run.data, tmp_path, run.models).load()
