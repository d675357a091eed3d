"""``ABModelSelector`` by itself, and the test of ``config.yaml`` that ``Raxe`` runs with it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raxe import ABModelSelector, Raxe
from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.errors import InvalidInput, InvalidMetadata
from raxe.experiments.recorder import Recorder
from raxe.registry.selection import parse_config
from raxe.values.experiments import Feedback, Label
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder, metadata_of

AB = f"ab_test:\n  enabled: true\n  name: trial\n  variant_a: {MODEL_ID}\n  variant_b: second\n"


def configured(models: ModelsFolder, text: str = AB) -> ModelsFolder:
    """The folder with a second model, which shares all files of the first, and a ``config.yaml``."""
    document = metadata_of(models) | {"model_id": "second"}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    models.metadata.with_name("second.json").write_text(json.dumps(document))
    (models.root / "config.yaml").write_text(text)
    return models


def test_a_user_always_gets_the_same_model() -> None:
    """By id or by context, in every process, and the share is what was asked for."""
    selector, other = (ABModelSelector("a", "b", split=0.3, user_hash_key="customer") for _ in range(2))
    users = [f"user-{at}" for at in range(5000)]
    chosen = [selector.select(user) for user in users]
    assert chosen == [other.select({"customer": user, "plan": "free"}) for user in users]
    assert chosen.count("b") / 5000 == pytest.approx(0.3, abs=0.03)
    assert selector.select({"customer": 7}) == selector.select("7")


@pytest.mark.parametrize("context", [{}, {"user_id": None}, {"user_id": ""}, "", {"customer": "anna"}])
def test_a_context_without_a_user_is_refused(context: dict[str, object] | str) -> None:
    """Nobody is assigned by accident; the error names the key."""
    with pytest.raises(InvalidInput) as caught:
        ABModelSelector("a", "b").select(context)
    assert caught.value.field == "user_id"


def test_a_selector_wants_two_models_and_a_share() -> None:
    """Anything else is refused with the field."""
    for arguments, field in (
        (("a", "a"), "variant_b"),
        (("a", "b", 1.1), "split"),
        (("a", "b", float("nan")), "split"),
    ):
        with pytest.raises(InvalidInput) as caught:
            ABModelSelector(*arguments)
        assert caught.value.field == field
    with pytest.raises(InvalidInput):
        ABModelSelector("a", "b").track_result("c", latency_ms=1, flagged=False)


def test_results_are_tracked_and_reported(tmp_path: Path) -> None:
    """On a store they can be labelled, and another process goes on with them."""
    for run in range(2):
        recorder = Recorder(lambda: SqliteExperimentStore(tmp_path / "ab.sqlite"), "trial")
        selector = ABModelSelector("a", "b", recorder=recorder)
        for at in range(10):
            selector.track_result("ab"[at % 2], latency_ms=4.0, flagged=at < 5, request_id=f"{run}-{at}")
        made = selector.get_report()
        selector.close()
    assert [(arm.arm, arm.models, arm.n) for arm in made.arms] == [("champion", ("a",), 10), ("challenger", ("b",), 10)]
    done = SqliteExperimentStore(tmp_path / "ab.sqlite").label(Feedback(Label.ATTACK, "0-1"), 0)
    assert (done.name, done.arm) == ("trial", "challenger")


def test_raxe_runs_the_test_of_the_file(models: ModelsFolder) -> None:
    """A subject keeps its model and its arm, answers are counted in memory, chance decides without a subject."""
    client = Raxe(settings=configured(models).settings)
    assert client.ab_test is not None
    scans = {user: client.scan(f"a {ZORKMID}", subject=user) for user in map(str, range(40))}
    arms = {user: (scan.model.arm, scan.model.model_id) for user, scan in scans.items() if scan.model}
    assert set(arms.values()) == {("champion", MODEL_ID), ("challenger", "second")}
    for user, arm in arms.items():
        again = client.scan("hello", subject={"user_id": user}).model
        assert again
        assert (again.arm, again.model_id) == arm
    client.scan("hello")
    client.scan("hello", explain=True)
    made = client.ab_test.get_report()
    client.ab_test.close()
    assert sum(arm.n for arm in made.arms) == 82
    assert sum(arm.latency.n for arm in made.arms if arm.latency) == 81
    assert client.model_info
    assert client.model_info.model_id == MODEL_ID


def test_a_named_model_wins_over_the_test(models: ModelsFolder) -> None:
    """Named in the call or by the variable, or all models off: nothing is compared; a subject changes nothing."""
    base = configured(models).settings
    for client in (
        Raxe("second", settings=base),
        Raxe(settings=replace(base, l2_model="second")),
        Raxe(settings=replace(base, use_onnx_only=False)),
        Raxe(settings=configured(models, AB.replace("true", "false")).settings),
        Raxe(settings=configured(models, "ab_test: 5").settings),
    ):
        assert client.ab_test is None
        client.scan("hello", subject="anna")


def test_the_counts_of_raxe_go_where_the_settings_say(models: ModelsFolder, tmp_path: Path) -> None:
    """A scan is found by its text."""
    file = tmp_path / "ab.sqlite"
    client = Raxe(settings=replace(configured(models).settings, experiments=str(file)))
    scan = client.scan("hello", subject="anna")
    assert client.ab_test
    client.ab_test.close()
    done = SqliteExperimentStore(file).label(Feedback(Label.BENIGN, None, scan.text_sha256), 0)
    assert (done.name, scan.model and scan.model.arm) == ("trial", done.arm)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ab_test: {enabled: true}", "ab_test: needs two models"),
        ("ab_test: {enabled: true, variant_a: one-model, variant_b: one-model}", "ab_test: needs two models"),
        ("ab_test: {split: 1.5}", "ab_test.split: "),
        ("ab_test: {split: .nan}", "ab_test.split: "),
        ("ab_test: {name: Has Spaces}", "ab_test.name: "),
        ("ab_test: {user_hash_key: ''}", "ab_test.user_hash_key: "),
        ("ab_test: {variant_c: secret}", "ab_test.variant_c: is not a known field"),
        ("ab_test: [secret]", "ab_test: "),
    ],
)
def test_a_wrong_test_names_its_field(text: str, words: str) -> None:
    """And never its value."""
    with pytest.raises(InvalidMetadata) as caught:
        parse_config(text.encode())
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
