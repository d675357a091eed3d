"""What an alarm undoes in the rollout document.

A challenger's alarm turns the challenger off. A champion's alarm restores how the champion served before (model,
thresholds, what a failure means), with no challenger, when that changed a short time before the alarm. Each alarm
episode acts once: its name and time are kept in the note of the version it made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from raxe.errors import InvalidRollout, StoreConflict
from raxe.protocols import RolloutStore, StoredRollout
from raxe.release.alarms import Alarm
from raxe.rollout import BY_ALARM, Rollout, dump_rollout, parse_rollout, rolled_back_to

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Undone:
    """What was done about an alarm: ``version`` is that of the document it made, also at a first try; None for none."""

    alarm: Alarm
    words: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """The document to write and why; None in its place leaves the one in force."""

    words: str
    rollout: Rollout | None = None


Decide = Callable[[Alarm, Sequence[StoredRollout]], _Change]


def turn_off_challenger(alarm: Alarm, store: RolloutStore) -> Undone:
    """The challenger off, once for an episode; it keeps its name in the document.

    Raises:
        StoreError: the store does not do its part, or others write it all the time.
        InvalidRollout: the document in force cannot be read.
    """
    return _undo(alarm, store, _without_challenger)


def restore_champion(alarm: Alarm, store: RolloutStore, within: timedelta) -> Undone:
    """The champion as it served before, once for an episode, when it changed less than ``within`` before the alarm.

    Nothing is restored when a person or this function acted after the alarm, when what is in force was restored by
    an alarm itself, and when the model is off: an operator who turned it off knows why. Raises as
    ``turn_off_challenger``.
    """
    return _undo(alarm, store, lambda alarm, history: _champion_before(alarm, history, within))


def _undo(alarm: Alarm, store: RolloutStore, decide: Decide) -> Undone:
    for attempt in range(1, _ATTEMPTS + 1):
        history = store.history()
        if not history:
            return Undone(alarm, "there is no rollout document")
        done = _done(alarm, history)
        if done is not None:
            return Undone(alarm, f"was done already, by version {done}", done)
        change = decide(alarm, history)
        if change.rollout is None:
            return Undone(alarm, change.words)
        try:
            note = f"{alarm.episode}: {change.words}"
            return Undone(alarm, change.words, store.write(dump_rollout(change.rollout), history[-1].version, note))
        except StoreConflict:  # somebody changed it meanwhile: what is in force now decides
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError  # the loop returns or raises


def _done(alarm: Alarm, history: Sequence[StoredRollout]) -> int | None:
    """The version that this episode made; not one that its store refused, and so put the one before back at once."""
    for stored, after in zip(history, [*history[1:], None], strict=True):
        back = rolled_back_to(after.note) if after else None
        refused = back is not None and back < stored.version
        if alarm.episode in stored.note and not refused:
            return stored.version
    return None


def _without_challenger(_alarm: Alarm, history: Sequence[StoredRollout]) -> _Change:
    now = _parsed(history[-1])
    if now.challenger is None or not now.challenger.buckets:
        return _Change("there is no challenger")
    words = f"challenger {now.challenger.model} turned off, was at {now.challenger.percent:g} %"
    return _Change(words, replace(now, challenger=replace(now.challenger, buckets=0)))


def _champion_before(alarm: Alarm, history: Sequence[StoredRollout], within: timedelta) -> _Change:
    now = _parsed(history[-1])
    if not now.l2:
        return _Change("the model is off already")
    first, before = _change_of_champion(history, now)
    since = datetime.fromisoformat(first.at)
    if before is None:
        return _Change("there is no other champion before")
    if first.note.startswith(BY_ALARM):
        return _Change(f"version {first.version} was restored by an alarm itself")
    if since > alarm.at:
        return _Change(f"version {first.version} is younger than the alarm")
    if alarm.at - since > within:
        return _Change(f"the champion is as it is since {first.at}, so that is not what went wrong")
    target = _parsed(before)
    restored = replace(
        now, champion=target.champion, thresholds=target.thresholds, on_failure=target.on_failure, challenger=None
    )
    return _Change(f"champion as in version {before.version} restored, no challenger", restored)


def _change_of_champion(history: Sequence[StoredRollout], now: Rollout) -> tuple[StoredRollout, StoredRollout | None]:
    """The version since which the champion serves as it does now, and the last one before in which it did not.

    Versions that cannot be read, and those with the model off, are passed over: neither is gone back to.
    """
    first = history[-1]
    for stored in reversed(history[:-1]):
        try:
            rollout = _parsed(stored)
        except InvalidRollout:
            continue
        if not rollout.l2:
            continue
        if _of_champion(rollout) != _of_champion(now):
            return first, stored
        first = stored
    return first, None


def _of_champion(rollout: Rollout) -> tuple[object, ...]:
    return rollout.champion, dict(rollout.thresholds), rollout.on_failure


def _parsed(stored: StoredRollout) -> Rollout:
    return parse_rollout(stored.content, stored.version)
