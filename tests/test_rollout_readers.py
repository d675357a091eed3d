"""Who else reads the rollout document: Powertools' feature flags, the same way; and which version a rollback means."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from aws_lambda_powertools.utilities.feature_flags import FeatureFlags
from aws_lambda_powertools.utilities.feature_flags.exceptions import ConfigurationStoreError

from raxe.adapters.flags import RolloutFlags
from raxe.adapters.rollout_file import FileRolloutStore
from raxe.errors import RolloutNotFound, StoreUnavailable
from raxe.protocols import StoredRollout
from raxe.rollout import BUCKETS, Rollout, Split, bucket_of, dump_rollout, previous, rollback_note
from raxe.values import Decision, Source, Thresholds
from tests.fakes import FakeRolloutStore

FULL = Rollout(
    challenger=Split("model-b", 1234),
    shadow=Split("model-c", 500),
    salt="autumn",
    thresholds={Source.DOCUMENT: Thresholds(0.25, 0.75)},
    on_failure=Decision.BLOCK,
)


@pytest.mark.parametrize("buckets", [0, 1, 1000, 5000, BUCKETS])
def test_powertools_gives_the_same_answers(buckets: int, tmp_path: Path) -> None:
    """Through our StoreProvider, FeatureFlags evaluates the same document to the same arms, samples and values."""
    rollout = replace(FULL, challenger=Split("model-b", buckets), shadow=Split("model-c", buckets))
    store = FileRolloutStore(tmp_path / "rollout.json")
    store.write(dump_rollout(rollout), 0, "set")
    flags = FeatureFlags(RolloutFlags(store))
    for number in range(200):
        subject = f"customer-{number}"
        context = {
            "bucket": bucket_of("autumn", subject),
            "shadow_bucket": bucket_of("shadow:autumn", subject),
        }
        assert flags.evaluate(name="arm", context=context, default="champion") == rollout.arm_of(subject)
        assert flags.evaluate(name="shadow", context=context, default=False) is rollout.is_shadowed(subject)
    assert flags.evaluate(name="l2", default=False) is True
    assert flags.evaluate(name="on_failure", default=None) == "block"
    found = flags.evaluate(name="thresholds", default=None)
    assert isinstance(found, dict)
    assert found["document"] == {"review": 0.25, "block": 0.75}


def test_powertools_keeps_the_last_good_document() -> None:
    """A store that fails, or has what is no document, changes nothing; before the first one it is Powertools' error."""
    store = FakeRolloutStore()
    provider = RolloutFlags(store)
    with pytest.raises(ConfigurationStoreError):
        provider.get_configuration()
    store.write(dump_rollout(FULL), 0, "set")
    assert provider.get_configuration() == json.loads(dump_rollout(FULL))
    store.write(b'{"l2": 1}', 1, "broken")
    assert provider.get_configuration() == json.loads(dump_rollout(FULL))
    store.failing = StoreUnavailable("away")
    assert provider.get_raw_configuration == json.loads(dump_rollout(FULL))


def versions(*notes: str) -> list[StoredRollout]:
    """A history with these notes, numbered from 1."""
    return [StoredRollout(b"%d" % n, n, "2025-11-20T10:00:00+00:00", note) for n, note in enumerate(notes, 1)]


def test_each_rollback_goes_one_further_back() -> None:
    """Never to a version that was itself rolled back, and on from where somebody edited again."""
    back = rollback_note
    for history, expected in [
        (versions("set", "canary 10", "canary 50"), 2),
        (versions("set", "canary 10", "canary 50", back(2)), 1),
        (versions("set", "canary 10", "canary 50", back(2), back(2)), 1),
        (versions("set", "canary 10", "canary 50", back(2), "off"), 2),
        (versions("set", "canary 10", "canary 50", back(2), back(1), "off"), 1),
        (versions("set", "canary 10", back(1), back(2)), 1),  # forward again, by --to
        (versions("set", "a", "b", back(2), back(4)), 1),  # to a version that is a rollback itself
        (versions("set", "a", "rollback to 9"), 2),  # no version of this history
    ]:
        assert previous(history).version == expected, [each.note for each in history]
    for history in (versions("set"), versions("set", "off", back(1)), versions()):
        with pytest.raises(RolloutNotFound):
            previous(history)
    assert previous(versions("set", "off", "on"), 1).version == 1
    with pytest.raises(RolloutNotFound, match="no version 9; there are: 1, 2"):
        previous(versions("set", "off"), 9)
