"""The parts of the training pipeline that need no torch: configuration, taxonomy, weak labels, calibration."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from functions.local.events import ROOT
from raxe.values import Detection, Family, L2Result, ScanResult, Severity, Span
from raxe_ml.calibrate import REVIEW_FPR, Scored, calibrated, platt, thresholds
from raxe_ml.config import export_folder, load_config, quantized
from raxe_ml.rows import BENIGN, Row, subfamily_of
from raxe_ml.taxonomy import load_taxonomy

CONFIG = ROOT / "training" / "configs" / "minilm-l6.yaml"


def row(text: str, family: str = BENIGN, shard: str = "s") -> Row:
    """A row of a user."""
    return Row(text, family, "", "user", shard)


def test_the_taxonomy_has_its_47_subfamilies() -> None:
    """Each has a family of ours, a severity, a definition, examples, a look-alike, and an id of its own."""
    entries = load_taxonomy()
    assert len({entry.id for entry in entries}) == len(entries) == 47
    for entry in entries:
        assert entry.family in tuple(Family)
        assert Severity(entry.severity).rank > 0
        assert entry.definition
        assert len(entry.examples) == 3
        assert entry.near_miss not in ("", *entry.examples)


def test_the_configuration_is_read_and_unknown_keys_are_refused(tmp_path: Path) -> None:
    """The shipped configuration is valid; one key more and it is not."""
    assert load_config(CONFIG).model_id == "raxe-minilm-l6-v1"
    changed = tmp_path / "changed.yaml"
    changed.write_text(CONFIG.read_text(encoding="utf-8") + "learning_rat: 1\n", encoding="utf-8")
    with pytest.raises(ValidationError, match="learning_rat"):
        load_config(changed)


def test_a_configuration_extends_another(tmp_path: Path) -> None:
    """The keys of the other file hold unless the own file says otherwise, and unknown ones are refused still."""
    own = tmp_path / "own.yaml"
    own.write_text(f"extends: {CONFIG}\nmodel_id: smaller\nlayers: [0, 2]\n", encoding="utf-8")
    base, found = load_config(CONFIG), load_config(own)
    assert found == base.model_copy(update={"model_id": "smaller", "layers": (0, 2)})
    own.write_text(f"extends: {CONFIG}\nlayer: [0, 2]\n", encoding="utf-8")
    with pytest.raises(ValidationError, match="layer"):
        load_config(own)


def test_another_precision_is_another_model(tmp_path: Path) -> None:
    """It has an id and a folder of its own, so that it never takes the place of the one that is served."""
    config = load_config(CONFIG)
    wider = quantized(config, "fp16")
    assert quantized(config, "int8") == config
    assert wider.model_id == f"{config.model_id}-fp16"
    assert export_folder(wider, tmp_path) != export_folder(config, tmp_path)


def test_the_smaller_model_learns_from_the_larger_one() -> None:
    """Both shipped configurations learn from the same rows and keep the same sources out."""
    larger, smaller = load_config(CONFIG), load_config(CONFIG.with_name("minilm-l3.yaml"))
    assert smaller.teacher
    assert load_config(ROOT / smaller.teacher.config) == larger
    assert (smaller.dev, smaller.test, smaller.corpus) == (larger.dev, larger.test, larger.corpus)


def test_held_out_sources_do_not_overlap() -> None:
    """No source is in dev and in test, and none of them is dropped."""
    config = load_config(CONFIG)
    assert not set(config.dev) & set(config.test)
    assert not set(config.drop) & {*config.dev, *config.test}


def test_a_subfamily_belongs_to_its_family() -> None:
    """Telling words name a subfamily of the row's own family, the source's usual one otherwise, or none."""
    families = {entry.id: entry.family for entry in load_taxonomy()}
    assert families[subfamily_of("enable developer mode", "JB", "")] == "JB"
    assert subfamily_of("good morning", "PI", "pi_gandalf_leakage") == "prompt_leak"
    assert subfamily_of("good morning", "PI", "unknown") == ""


def scored(count: int, share: float, seed: int) -> list[Scored]:
    """Rows whose raw scores separate attacks from benign rows, but not wholly and not calibrated."""
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        attack = draw.random() < share
        score = 1 / (1 + np.exp(-draw.normal(4.0 if attack else -1.0, 2.0)))
        made.append(Scored(row("x", "PI" if attack else BENIGN), ScanResult(), L2Result(score=float(score))))
    return made


def test_calibration_gives_the_share_of_attacks_that_it_says() -> None:
    """Of rows with a calibrated score near p, about the share p is attacks, in the traffic it speaks of."""
    rows = scored(40_000, 0.05, 1)
    fixed = calibrated(rows, *platt(rows))
    for low, high in ((0.02, 0.1), (0.3, 0.6), (0.7, 0.95)):
        inside = [s for s in fixed if low <= s.l2.score < high]
        mean = sum(s.l2.score for s in inside) / len(inside)
        assert abs(sum(s.row.is_attack for s in inside) / len(inside) - mean) < 0.08


def test_thresholds_keep_the_false_positive_rate() -> None:
    """At most the stated share of benign rows reaches the review threshold, and block is not below it."""
    rows = scored(5_000, 0.3, 2)
    limits = thresholds(rows)
    benign = [s for s in rows if not s.row.is_attack]
    assert sum(s.l2.score >= limits.review for s in benign) / len(benign) <= REVIEW_FPR
    assert limits.review <= limits.block <= 1


def test_near_misses_do_not_decide_the_threshold_alone() -> None:
    """Rows of the corpus stand for a small share of benign traffic, however many of them there are."""
    ordinary = scored(2_000, 0.0, 2)
    near = [replace(s, row=row("x", shard="corpus_farm"), l2=replace(s.l2, score=0.9999)) for s in scored(300, 0.0, 4)]
    assert thresholds(ordinary + near[:10]).review == thresholds(ordinary + near).review > 0.9999
    close = [replace(s, l2=replace(s.l2, score=0.9999 if i < 10 else 0.1)) for i, s in enumerate(near)]
    assert thresholds(ordinary).review <= thresholds(ordinary + close).review < 0.9999


def test_rules_count_when_thresholds_are_chosen() -> None:
    """Benign rows that a severe rule hits push the threshold up: it is chosen on what policy compares with it."""
    hit = Detection("PI-001", Family.PI, "prompt_leak", Severity.CRITICAL, 0.99, Span(0, 1), "plain")
    rows = scored(2_000, 0.0, 3)
    noisy_rows = [Scored(s.row, ScanResult((hit,)), s.l2) for s in rows[:40]] + rows[40:]
    assert thresholds(noisy_rows).review > thresholds(rows).review
