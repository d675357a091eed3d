"""The rollout document: who gets which arm, and what is refused."""

import json
import statistics
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raxe.errors import InvalidRollout
from raxe.rollout import BUCKETS, MAX_BYTES, Rollout, Split, buckets_of, dump_rollout, parse_rollout
from raxe.values import Decision, Source, Thresholds

FULL = Rollout(
    l2=True,
    champion="model-a",
    challenger=Split("model-b", 1234),
    shadow=Split("model-c", 500),
    salt="autumn",
    thresholds={Source.DOCUMENT: Thresholds(0.25, 0.75), Source.USER: Thresholds(0.5, 0.5)},
    on_failure=Decision.BLOCK,
)
names = st.from_regex(r"[a-z0-9][a-z0-9.-]{2,63}", fullmatch=True)
splits = st.none() | st.builds(Split, names, st.integers(0, BUCKETS))
limits = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda pair: Thresholds(min(pair), max(pair)))
rollouts = st.builds(
    Rollout,
    l2=st.booleans(),
    champion=st.none() | names,
    challenger=splits,
    shadow=splits,
    salt=st.none() | st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True),
    thresholds=st.dictionaries(st.sampled_from(Source), limits),
    on_failure=st.none() | st.sampled_from(Decision),
).filter(lambda made: made.challenger is None or made.challenger.model != made.champion)
subjects = st.text(max_size=40)


@given(rollouts)
def test_a_document_says_what_it_was_made_of(rollout: Rollout) -> None:
    """Written and read it is the same, with the same digest however its JSON is laid out."""
    content = dump_rollout(rollout)
    again = parse_rollout(content, version=7)
    assert (again, again.version) == (rollout, 7)
    spaced = json.dumps(json.loads(content), indent=3, sort_keys=True).encode()
    assert parse_rollout(spaced).digest == again.digest
    assert parse_rollout(dump_rollout(replace(rollout, l2=not rollout.l2))).digest != again.digest


@given(subjects, st.integers(0, BUCKETS), st.integers(0, BUCKETS))
def test_a_larger_share_only_moves_subjects_to_the_challenger(subject: str, one: int, other: int) -> None:
    """Whoever is with the challenger at a share is with it at every larger one, and at none of zero."""
    small, large = (replace(FULL, challenger=Split("model-b", share)) for share in sorted((one, other)))
    if small.arm_of(subject) == "challenger":
        assert large.arm_of(subject) == "challenger"
    assert replace(FULL, challenger=Split("model-b", 0)).arm_of(subject) == "champion"
    assert replace(FULL, challenger=Split("model-b", BUCKETS)).arm_of(subject) == "challenger"
    assert large.arm_of(subject) == large.arm_of(subject)


@pytest.mark.parametrize("percent", [0.01, 1, 10, 50, 99, 100])
def test_measured_shares_are_within_statistical_error(percent: float) -> None:
    """Of 100,000 subjects, the share of the challenger is off by less than five standard errors."""
    count, share = 100_000, percent / 100
    rollout = replace(FULL, challenger=Split("model-b", buckets_of(percent)))
    found = sum(rollout.arm_of(f"customer-{number}") == "challenger" for number in range(count))
    assert abs(found - count * share) <= 5 * (count * share * (1 - share)) ** 0.5


def test_subjects_keep_their_arm_while_the_share_rises() -> None:
    """10 to 50 to 100 %: each group holds the one before it, and each share is what was asked for."""
    everyone = [f"customer-{number}" for number in range(20_000)]
    groups = []
    for percent in (0, 10, 50, 100):
        rollout = replace(FULL, challenger=Split("model-b", buckets_of(percent)))
        groups.append({subject for subject in everyone if rollout.arm_of(subject) == "challenger"})
    assert groups[0] <= groups[1] <= groups[2] <= groups[3] == set(everyone)
    assert [round(len(group) / len(everyone), 2) for group in groups] == [0, 0.1, 0.5, 1]


def test_each_challenger_draws_anew() -> None:
    """Who had the last challenger has the next one no more often than anybody; nor is the shadow's sample one arm."""
    everyone = [f"customer-{number}" for number in range(20_000)]
    first, second = (Rollout(challenger=Split(name, 5000)) for name in ("model-b", "model-c"))
    both = statistics.mean(first.arm_of(each) == second.arm_of(each) for each in everyone)
    assert both == pytest.approx(0.5, abs=0.02)
    shadowed = replace(first, shadow=Split("model-d", 5000))
    both = statistics.mean((first.arm_of(each) == "challenger") == shadowed.is_shadowed(each) for each in everyone)
    assert both == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("percent", ["-1", "100.01", "0.001", "nan", "inf", "x", "", "1e9", "1_0_"])
def test_a_share_that_is_none_is_refused(percent: str) -> None:
    """From 0 to 100 with at most two decimals."""
    with pytest.raises(InvalidRollout, match="percent: must be"):
        buckets_of(percent)


def features(**changed: Any) -> Mapping[str, Any]:  # noqa: ANN401  (any JSON)
    """A valid document with some features changed, or left out for None."""
    made = json.loads(dump_rollout(FULL)) | changed
    return {name: feature for name, feature in made.items() if feature is not None}


def range_of(**changed: object) -> dict[str, Any]:
    """The feature of the arm with another range."""
    arm: dict[str, Any] = features()["arm"]
    arm["rules"]["challenger"]["conditions"][0]["value"].update(changed)
    return arm


def value(default: object) -> dict[str, object]:
    """A feature that is no switch."""
    return {"default": default, "boolean_type": False}


BAD: dict[str, tuple[object, str]] = {
    "no JSON": (b"{", "file: Invalid JSON"),
    "not UTF-8": (b'{"l2": "\xff"}', "file: Invalid JSON"),
    "a list": ([], "file: Input should be an object"),
    "nothing": ({}, "l2: is required"),
    "an unknown feature": (features(colour={"default": True}), "colour: is not a known field"),
    "a share of more than all": (features(arm=range_of(END=10_000)), "END"),
    "a share of less than none": (features(arm=range_of(END=-1)), "END"),
    "a share that is no integer": (features(arm=range_of(END=9.5)), "END"),
    "other buckets": (features(arm=range_of(BASE=100)), "BASE"),
    "a share that does not start at zero": (features(arm=range_of(START=5)), "START"),
    "an arm without a model": (features(models=value({"champion": "model-a"}), shadow=None), "challenger is missing"),
    "a shadow without a model": (features(models=value({"challenger": "model-b"})), "shadow is missing"),
    "champion against itself": (
        features(models=value({"champion": "model-b", "challenger": "model-b", "shadow": "model-c"})), "another model",
    ),
    "a name that is none": (features(models=value({"champion": "../../etc"}), arm=None, shadow=None), "champion"),
    "a switch that is a word": (features(l2={"default": "yes"}), "l2.default"),
    "thresholds that fall": (features(thresholds=value({"user": {"review": 0.9, "block": 0.1}})), "above block"),
    "a threshold above one": (features(thresholds=value({"user": {"review": 0.9, "block": 1.1}})), "block"),
    "a threshold of NaN": (features(thresholds=value({"user": {"review": float("nan"), "block": 1.0}})), "review"),
    "null": (b'{"l2": {"default": true}, "arm": null}', "null: leave it out"),
    "no rules": (features(arm={**value("champion"), "rules": {}}), "challenger: is required"),
    "an unknown source": (features(thresholds=value({"moon": {"review": 0.1, "block": 0.2}})), "thresholds.default"),
    "an unknown decision": (features(on_failure=value("shrug")), "on_failure.default"),
    "another condition": (
        features(arm={**value("champion"), "rules": {"challenger": {"when_match": "challenger", "conditions": [
            {"action": "EQUALS", "key": "bucket", "value": 1}]}}}), "action",
    ),
    "too deep": (b"[" * 5000, "file"),
    "too large": (features(salt=value("x" * MAX_BYTES)), f"larger than {MAX_BYTES} bytes"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_document_is_refused(name: str) -> None:
    """By the field that is wrong and what it must be."""
    document, message = BAD[name]
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(InvalidRollout, match=message.replace(".", r"\.")):
        parse_rollout(content)


def test_an_error_never_repeats_a_value() -> None:
    """Neither as a value nor as the name of a field."""
    canary = "the canary sings"
    for document in (features(on_failure=value(canary)), features(**{canary: 1}), features(l2={"default": canary})):
        with pytest.raises(InvalidRollout) as caught:
            parse_rollout(json.dumps(document).encode())
        assert canary not in str(caught.value)


@pytest.mark.parametrize(
    "rollout",
    [
        replace(FULL, champion="no such name!"),
        replace(FULL, challenger=Split("model-b", BUCKETS + 1)),
        replace(FULL, champion="model-b"),
        replace(FULL, thresholds={Source.USER: Thresholds(0.9, 0.1)}),
    ],
)
def test_what_would_be_refused_is_never_written(rollout: Rollout) -> None:
    """The writer reads what it wrote."""
    with pytest.raises(InvalidRollout):
        dump_rollout(rollout)
