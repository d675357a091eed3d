"""Messages of CloudWatch alarms as SNS brings them to a function."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from raxe.errors import InvalidEvent
from raxe.rollout import BY_ALARM

# Of a stack, after its name and a dash; docs/runbook.md has each.
ALARMS = (
    "error-rate", "version-error-rate", "version-latency", "version-memory", "version-flag-rate", "version-degraded",
    "champion-flag-rate", "champion-latency", "champion-failures",
    "challenger-flag-rate", "challenger-latency", "challenger-failures",
)  # fmt: skip
_ALARM = "ALARM"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that changed its state; ``at`` is when, and with the name it is one episode of it."""

    name: str
    raised: bool
    at: datetime

    @property
    def episode(self) -> str:
        """The words that stand for this episode in the history of the rollout document."""
        return f"{BY_ALARM}{self.name} {self.at.astimezone(UTC).isoformat(timespec='milliseconds')}"


class _Message(BaseModel):
    """What CloudWatch says; what else it says is passed over."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(alias="AlarmName", min_length=1, max_length=255)
    state: str = Field(alias="NewStateValue")
    at: AwareDatetime = Field(alias="StateChangeTime")


class _Sns(BaseModel):
    message: str = Field(alias="Message")


class _Record(BaseModel):
    sns: _Sns = Field(alias="Sns")


def read_alarms(event: Mapping[str, Any]) -> Iterator[Alarm | InvalidEvent]:
    """The alarms of an event, each by itself: a message that is none of CloudWatch's is an error in its place."""
    records = event.get("Records")
    if not isinstance(records, list) or not records:
        yield InvalidEvent("not an event of SNS: Records")
        return
    for index, record in enumerate(records):
        try:
            message = _Message.model_validate_json(_Record.model_validate(record).sns.message)
        except ValidationError as error:
            found = [".".join(map(str, each["loc"])) or "JSON" for each in error.errors(include_input=False)]
            yield InvalidEvent(f"not a message of a CloudWatch alarm: Records.{index}: {', '.join(found)}")
        else:
            yield Alarm(message.name, message.state == _ALARM, message.at)
