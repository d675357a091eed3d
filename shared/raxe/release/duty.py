"""The rollback function put together: an event of SNS -> alarms -> the rollout document -> a topic."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from raxe.adapters.release import SnsTopic
from raxe.adapters.ssm import SsmOptions, SsmRolloutStore
from raxe.errors import InvalidEvent, InvalidSettings
from raxe.protocols import RolloutStore, Topic
from raxe.release.alarms import Alarm, read_alarms
from raxe.release.rollback import Undone, restore_champion, turn_off_challenger

_PATIENT = SsmOptions(connect_timeout_s=2.0, read_timeout_s=5.0, attempts=4)  # nobody waits for this one
Handled = Undone | InvalidEvent


def on_alarms(event: Mapping[str, Any], environ: Mapping[str, str]) -> list[Handled]:
    """What was done about each message of an event; people are told on ``RAXE_NOTIFICATION_TOPIC``.

    Args:
        event: of SNS.
        environ: ``RAXE_ROLLOUT`` (``ssm:/name``), the names ``RAXE_CHALLENGER_ALARMS`` and ``RAXE_CHAMPION_ALARMS``
            with commas between, ``RAXE_ROLLBACK_HOURS``, ``RAXE_NOTIFICATION_TOPIC``.

    Raises:
        InvalidSettings: a variable is missing.
        StoreError, InvalidRollout: the document cannot be read or written; Lambda tries again.
        ServiceFailed: nobody could be told; Lambda tries again, and the second time only tells.
    """
    duty = _Duty(environ)
    return [each if isinstance(each, InvalidEvent) else duty.handle(each) for each in read_alarms(event)]


class _Duty:
    """The alarms that are known, and what is called when one is raised; clients are made when one is."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._challenger = self._needed("RAXE_CHALLENGER_ALARMS").split(",")
        self._champion = self._needed("RAXE_CHAMPION_ALARMS").split(",")
        self._within = timedelta(hours=float(self._needed("RAXE_ROLLBACK_HOURS")))
        self._place, self._topic_arn = self._needed("RAXE_ROLLOUT"), self._needed("RAXE_NOTIFICATION_TOPIC")

    def handle(self, alarm: Alarm) -> Undone:
        """What was done about one alarm."""
        if not alarm.raised:
            return Undone(alarm, "is no alarm: ignored")
        if alarm.name not in self._challenger + self._champion:
            return Undone(alarm, "is an alarm of nobody here: ignored")
        store: RolloutStore = SsmRolloutStore(self._place.removeprefix("ssm:"), _PATIENT)
        if alarm.name in self._challenger:
            undone = turn_off_challenger(alarm, store)
        else:
            undone = restore_champion(alarm, store, self._within)
        topic: Topic = SnsTopic(self._topic_arn)
        topic.publish(*_said(undone))
        return undone

    def _needed(self, name: str) -> str:
        if not (value := self._environ.get(name, "").strip()):
            raise InvalidSettings(f"{name} must be set")
        return value


def _said(undone: Undone) -> tuple[str, str]:
    """Subject and text for people."""
    done = f"made version {undone.version}" if undone.version else "the rollout document is as it was"
    kind = "rolled back" if undone.version else "nothing rolled back"
    text = (
        f"Alarm: {undone.alarm.name}\nSince: {undone.alarm.at.isoformat()}\nDone: {undone.words}; {done}\n"
        "What to do next stands in docs/runbook.md under the name of the alarm."
    )
    return f"RAXE: {kind} after {undone.alarm.name}", text
