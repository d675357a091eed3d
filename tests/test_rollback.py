"""What an alarm undoes in the rollout document, and what it leaves alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.local.events import load_event
from raxe.adapters.rollout_file import FileRolloutStore
from raxe.errors import InvalidEvent, StoreConflict
from raxe.release.alarms import Alarm, read_alarms
from raxe.release.rollback import Undone, restore_champion, turn_off_challenger
from raxe.rollout import Rollout, Split, dump_rollout, parse_rollout
from raxe.values import Decision
from tests.ssm import before_put, new_name, parameter_store, ssm_client

OLD, NEW, NEXT = "raxe-old", "raxe-new", "raxe-next"
DAY = timedelta(hours=24)
Undo = Callable[[Alarm, FileRolloutStore], Undone]


@pytest.fixture
def store(tmp_path: Path) -> FileRolloutStore:
    """An empty store."""
    return FileRolloutStore(tmp_path / "rollout.json")


def put(store: FileRolloutStore, *rollouts: Rollout, note: str = "by hand") -> None:
    """Writes versions one after the other."""
    for rollout in rollouts:
        history = store.history()
        store.write(dump_rollout(rollout), history[-1].version if history else 0, note)


def now(store: FileRolloutStore) -> Rollout:
    """The rollout in force."""
    return parse_rollout(store.read().content)


def alarm(name: str = "the-alarm", *, after: timedelta = timedelta(minutes=5)) -> Alarm:
    """An alarm that was raised some time after now, when all documents of a test are written."""
    return Alarm(name, raised=True, at=datetime.now(UTC) + after)


def champion_back(given: Alarm, store: FileRolloutStore) -> Undone:
    """With a window of a day."""
    return restore_champion(given, store, DAY)


class TestChallenger:
    """A challenger's alarm."""

    def test_turns_the_challenger_off_and_nothing_else(self, store: FileRolloutStore) -> None:
        """Its share is zero, its name stays, and every other part is as it was."""
        before = Rollout(champion=OLD, challenger=Split(NEW, 1000), salt="s", on_failure=Decision.BLOCK)
        put(store, before)
        undone = turn_off_challenger(alarm(), store)
        assert (undone.version, undone.words) == (2, f"challenger {NEW} turned off, was at 10 %")
        assert now(store) == replace(before, challenger=Split(NEW, 0))

    def test_without_a_challenger_there_is_nothing_to_do(self, store: FileRolloutStore) -> None:
        """No document, no challenger and one without a share are left alone."""
        assert turn_off_challenger(alarm(), store).version is None
        for rollout in (Rollout(champion=OLD), Rollout(champion=OLD, challenger=Split(NEW, 0))):
            put(store, rollout)
            assert turn_off_challenger(alarm(), store).version is None
            assert now(store) == rollout

    def test_acts_once_for_an_episode(self, store: FileRolloutStore) -> None:
        """The same message again changes nothing, also when a person turned the challenger on again; a new one does."""
        on = Rollout(champion=OLD, challenger=Split(NEW, 1000))
        put(store, on)
        first = alarm()
        assert turn_off_challenger(first, store).version == 2
        put(store, on)
        assert turn_off_challenger(first, store).words == "was done already, by version 2"
        assert now(store) == on
        assert turn_off_challenger(replace(first, at=first.at + timedelta(milliseconds=1)), store).version == 4


class TestChampion:
    """A champion's alarm."""

    @pytest.mark.parametrize(
        "change",
        [
            Rollout(champion=NEW),
            Rollout(champion=OLD, on_failure=Decision.ALLOW),
            Rollout(champion=NEW, challenger=Split(NEXT, 500), salt="s"),
        ],
    )
    def test_restores_how_the_champion_served_before(self, store: FileRolloutStore, change: Rollout) -> None:
        """Model, thresholds and on_failure are those of before; the challenger goes, the rest stays."""
        put(store, Rollout(champion=OLD), change)
        undone = champion_back(alarm(), store)
        assert (undone.version, undone.words) == (3, "champion as in version 1 restored, no challenger")
        assert now(store) == replace(change, champion=OLD, on_failure=None, challenger=None)

    def test_looks_past_versions_that_did_not_change_the_champion(self, store: FileRolloutStore) -> None:
        """A challenger that came and went after the promotion does not hide it, nor do versions with the model off."""
        bad = Rollout(champion=NEW)
        put(store, Rollout(champion=OLD), bad, replace(bad, challenger=Split(NEXT, 1)), replace(bad, l2=False), bad)
        assert champion_back(alarm(), store).version == 6
        assert now(store) == Rollout(champion=OLD)

    def test_does_not_undo_what_an_alarm_restored(self, store: FileRolloutStore) -> None:
        """Two alarms of one cause restore once: the second must not bring the bad champion back."""
        put(store, Rollout(champion=OLD), Rollout(champion=NEW))
        assert champion_back(alarm("latency"), store).version == 3
        second = champion_back(alarm("failures", after=timedelta(minutes=6)), store)
        assert (second.version, now(store)) == (None, Rollout(champion=OLD))
        assert second.words == "version 3 was restored by an alarm itself"

    @pytest.mark.parametrize(
        ("documents", "after", "words"),
        [
            ([Rollout(champion=OLD)], timedelta(minutes=5), "no other champion"),
            ([Rollout(champion=OLD), Rollout(champion=NEW)], timedelta(hours=25), "the champion is as it is since"),
            ([Rollout(champion=OLD), Rollout(champion=NEW)], timedelta(hours=-1), "is younger than the alarm"),
            ([Rollout(champion=OLD), Rollout(champion=NEW, l2=False)], timedelta(minutes=5), "off already"),
            ([Rollout(champion=OLD, l2=False), Rollout(champion=NEW)], timedelta(minutes=5), "no other champion"),
        ],
        ids=["nothing-before", "changed-long-ago", "changed-after", "off", "off-before"],
    )
    def test_leaves_alone_what_did_not_cause_the_alarm(
        self, store: FileRolloutStore, documents: list[Rollout], after: timedelta, words: str
    ) -> None:
        """An old change is no cause, a person who acted since knows better, and off is not gone back to."""
        put(store, *documents)
        undone = champion_back(alarm(after=after), store)
        assert undone.version is None
        assert words in undone.words
        assert now(store) == documents[-1]


@pytest.mark.parametrize("undo", [turn_off_challenger, champion_back])
def test_a_rival_who_writes_at_the_same_time_is_not_overwritten(undo: Undo, tmp_path: Path) -> None:
    """What somebody else wrote in between decides; who is always late gives up with StoreConflict."""

    class Rival(FileRolloutStore):
        rivals = 1

        def write(self, content: bytes, expected: int, note: str) -> int:
            if self.rivals:
                self.rivals -= 1
                super().write(dump_rollout(Rollout(champion=NEXT, challenger=Split(OLD, 7))), expected, "rival")
            return super().write(content, expected, note)

    store = Rival(tmp_path / "rollout.json")
    store.rivals = 0
    put(store, Rollout(champion=OLD), Rollout(champion=NEW, challenger=Split(NEXT, 10)))
    store.rivals = 1
    assert undo(alarm(), store).version == 4
    assert [each.note for each in store.history()][2] == "rival"
    store.rivals = 9
    put_again = Rollout(champion="raxe-last", challenger=Split(NEXT, 10))
    FileRolloutStore(tmp_path / "rollout.json").write(dump_rollout(put_again), 4, "again")
    with pytest.raises(StoreConflict):
        undo(alarm("other"), store)


def test_a_write_that_ssm_put_back_is_done_again(s3_endpoint: str) -> None:
    """SSM numbers a write before it can be refused: its note in the history is no sign that the alarm was handled."""
    name = new_name()
    store = parameter_store(s3_endpoint, name)
    store.write(dump_rollout(Rollout(champion=OLD, challenger=Split(NEW, 10))), 0, "first")
    rival = dump_rollout(Rollout(champion=OLD, challenger=Split(NEW, 20))).decode()
    client = ssm_client(s3_endpoint)
    before_put(store, lambda: client.put_parameter(Name=name, Value=rival, Type="String", Overwrite=True))
    given = alarm()
    undone = turn_off_challenger(given, store)
    assert undone.words == f"challenger {NEW} turned off, was at 0.2 %"
    assert parse_rollout(store.read().content).challenger == Split(NEW, 0)
    assert turn_off_challenger(given, store).words == f"was done already, by version {undone.version}"


class TestMessages:
    """What comes from SNS."""

    def test_an_alarm_is_read(self) -> None:
        """Name, state and time of the episode."""
        (found,) = read_alarms(load_event("alarm_challenger"))
        assert isinstance(found, Alarm)
        assert found.raised
        assert found.episode == "alarm raxe-dev-challenger-flag-rate 2026-01-05T09:30:00.123+00:00"

    @pytest.mark.parametrize("message", ["", "RAXE: rolled back", "[]", "{}", '{"AlarmName": "a"}', "\x00", "{" * 9999])
    def test_a_message_that_is_no_alarm_is_an_error_in_its_place(self, message: str) -> None:
        """It is named by its place and fields, its words are not repeated, and the others are read all the same."""
        event = load_event("alarm_challenger")
        event["Records"].insert(0, {"Sns": {"Message": message}})
        wrong, right = read_alarms(event)
        assert isinstance(wrong, InvalidEvent)
        assert "Records.0" in str(wrong)
        assert "rolled back" not in str(wrong)
        assert isinstance(right, Alarm)

    @pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": {}}, {"Records": [1]}, {"Records": [{}]}])
    def test_an_event_of_somebody_else_is_an_error(self, event: dict[str, Any]) -> None:
        """Nothing is made of it."""
        assert [type(each) for each in read_alarms(event)] == [InvalidEvent]
