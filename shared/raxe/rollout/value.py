"""The rollout as a frozen value, and who gets which arm. Pure: the same document and key always give the same arm."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from raxe.errors import InvalidRollout
from raxe.values import CHALLENGER, CHAMPION, Decision, Source, Thresholds
from raxe.values.buckets import BUCKETS, bucket_of

_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
_SALT = "raxe"
_SHADOW = "shadow:"  # so that a sample for the shadow is none of one arm


@dataclass(frozen=True, slots=True)
class Split:
    """A model and its share of the traffic: the first ``buckets`` of 10,000."""

    model: str
    buckets: int = 0

    @property
    def percent(self) -> float:
        """The share in percent, with two decimals."""
        return self.buckets * 100 / BUCKETS


@dataclass(frozen=True, slots=True)
class Rollout:
    """What a rollout document says; without one, or where it says nothing, the environment and config.yaml decide.

    Attributes:
        l2: False turns every model off: the rules alone, without a failure.
        champion: id or alias of the model that answers; None leaves the choice to config.yaml.
        challenger: the model that answers its share of the subjects in the champion's place.
        shadow: the model that scores its share of the requests after they are decided.
        salt: what the buckets are drawn with; None takes the challenger's name, so that each challenger draws anew.
        thresholds: by source, in the place of the model's own.
        on_failure: least decision when a layer did not answer.
        version: the number that the store gave it; it is no part of the digest.
        digest: ``sha256:`` and 64 hex digits of what the document says, however it is written.
    """

    l2: bool = True
    champion: str | None = None
    challenger: Split | None = None
    shadow: Split | None = None
    salt: str | None = None
    thresholds: Mapping[Source, Thresholds] = field(default_factory=dict)
    on_failure: Decision | None = None
    version: int = field(default=0, compare=False)
    digest: str = field(default="", compare=False)

    def arm_of(self, key: str) -> str:
        """``champion`` or ``challenger`` for a subject, or for the id of a request that has none.

        A larger share only ever moves keys from the champion to the challenger, a smaller one only back.
        """
        share = self.challenger.buckets if self.challenger else 0
        return CHALLENGER if share and bucket_of(self.drawn_with, key) < share else CHAMPION

    def is_shadowed(self, request_id: str) -> bool:
        """Whether the shadow scores this request."""
        return self.shadow is not None and bucket_of(_SHADOW + self.drawn_with, request_id) < self.shadow.buckets

    @property
    def drawn_with(self) -> str:
        """The salt in force."""
        return self.salt or (self.challenger.model if self.challenger else _SALT)


def buckets_of(percent: str | float) -> int:
    """The buckets of a percentage from 0 to 100 with at most two decimals; raises InvalidRollout."""
    buckets = Decimal(str(percent)) * BUCKETS / 100 if _PERCENT.fullmatch(str(percent)) else Decimal(-1)
    if not 0 <= buckets <= BUCKETS:
        raise InvalidRollout("percent: must be a number from 0 to 100 with at most two decimals")
    return int(buckets)
