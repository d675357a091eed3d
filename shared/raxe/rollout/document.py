"""Between a Rollout and its JSON, which is a document of Powertools feature flags: any of its evaluators can read it.

Each part is a feature. Shares are rules with MODULO_RANGE over 10,000 buckets; a share of zero has no rule, because an
empty range cannot be written down. The context of an evaluation is ``{"bucket": ..., "shadow_bucket": ...}``.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StringConstraints, ValidationError, model_validator

from raxe.errors import InvalidRollout
from raxe.rollout.value import Rollout, Split
from raxe.strict import Strict, wrong_fields
from raxe.values import CHALLENGER, CHAMPION, Decision, Source, Thresholds
from raxe.values.buckets import BUCKETS

MAX_BYTES = 8_192  # of an advanced SSM parameter; a standard one takes 4,096

_NotBoolean = Annotated[Literal[False], Field(description="Powertools: the value is no boolean")]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{2,63}$")]
_Score = Annotated[float, Field(strict=True, ge=0, le=1)]


class _Part(Strict):
    @model_validator(mode="before")
    @classmethod
    def _left_out_not_null(cls, data: object) -> object:
        # Powertools takes a feature that is null for a broken document.
        if isinstance(data, dict) and None in data.values():
            raise ValueError("null: leave it out instead")
        return data


class _Range(_Part):
    BASE: Literal[10_000]  # = BUCKETS; a Literal cannot name it
    START: Literal[0]
    END: Annotated[int, Field(strict=True, ge=0, lt=BUCKETS)]


class _ArmCondition(_Part):
    action: Literal["MODULO_RANGE"]
    key: Literal["bucket"]
    value: _Range


class _ShadowCondition(_Part):
    action: Literal["MODULO_RANGE"]
    key: Literal["shadow_bucket"]
    value: _Range


class _ArmRule(_Part):
    when_match: Literal["challenger"]
    conditions: tuple[_ArmCondition]


class _ShadowRule(_Part):
    when_match: Literal[True]
    conditions: tuple[_ShadowCondition]


class _ArmRules(_Part):
    challenger: _ArmRule


class _ShadowRules(_Part):
    sampled: _ShadowRule


class _Switch(_Part):
    default: StrictBool


class _Arm(_Part):
    default: Literal["champion"]
    boolean_type: _NotBoolean
    rules: _ArmRules | None = None


class _Shadow(_Part):
    default: Literal[False]
    rules: _ShadowRules | None = None


class _Names(_Part):
    champion: _Name | None = None
    challenger: _Name | None = None
    shadow: _Name | None = None

    @model_validator(mode="after")
    def _challenger_is_another(self) -> Self:
        if self.challenger is not None and self.challenger == self.champion:
            raise ValueError("challenger must be another model than champion")
        return self


class _Models(_Part):
    default: _Names
    boolean_type: _NotBoolean


class _Salt(_Part):
    default: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    boolean_type: _NotBoolean


class _Limits(_Part):
    review: _Score
    block: _Score

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if self.review > self.block:
            raise ValueError("review must not be above block")
        return self


class _Thresholds(_Part):
    default: dict[Source, _Limits]
    boolean_type: _NotBoolean


class _OnFailure(_Part):
    default: Decision
    boolean_type: _NotBoolean


class RolloutDocument(_Part):
    """The features of a document; all but the switch may be left out."""

    l2: _Switch
    arm: _Arm | None = None
    shadow: _Shadow | None = None
    models: _Models | None = None
    salt: _Salt | None = None
    thresholds: _Thresholds | None = None
    on_failure: _OnFailure | None = None

    @model_validator(mode="after")
    def _shares_have_models(self) -> Self:
        names = self.models.default if self.models else _Names()
        if self.arm and self.arm.rules and not names.challenger:
            raise ValueError("arm: has a rule but models.default.challenger is missing")
        if self.shadow and self.shadow.rules and not names.shadow:
            raise ValueError("shadow: has a rule but models.default.shadow is missing")
        return self

    def rollout(self) -> Rollout:
        """The document as a value, with its digest."""
        names = self.models.default if self.models else _Names()
        arm = self.arm.rules.challenger.conditions[0].value.END + 1 if self.arm and self.arm.rules else 0
        sampled = self.shadow.rules.sampled.conditions[0].value.END + 1 if self.shadow and self.shadow.rules else 0
        limits = self.thresholds.default if self.thresholds else {}
        made = Rollout(
            l2=self.l2.default,
            champion=names.champion,
            challenger=Split(names.challenger, arm) if names.challenger else None,
            shadow=Split(names.shadow, sampled) if names.shadow else None,
            salt=self.salt.default if self.salt else None,
            thresholds={source: Thresholds(each.review, each.block) for source, each in limits.items()},
            on_failure=self.on_failure.default if self.on_failure else None,
        )
        return replace(made, digest=digest_of(made))


def parse_rollout(content: bytes, version: int = 0) -> Rollout:
    """The rollout in the bytes of a document; raises InvalidRollout naming each wrong field, never a value."""
    if len(content) > MAX_BYTES:
        raise InvalidRollout(f"rollout: is larger than {MAX_BYTES} bytes")
    try:
        return replace(RolloutDocument.model_validate_json(content).rollout(), version=version)
    except ValidationError as error:
        raise InvalidRollout(f"rollout: {wrong_fields(error)}") from None


def dump_rollout(rollout: Rollout) -> bytes:
    """The bytes of the document; equal rollouts give equal bytes.

    Raises InvalidRollout for what ``parse_rollout`` would refuse, so that none is ever written.
    """
    content = (json.dumps(_features(rollout), indent=1) + "\n").encode()
    if parse_rollout(content) != rollout:
        raise InvalidRollout("rollout: cannot be written as a document")
    return content


def digest_of(rollout: Rollout) -> str:
    """``sha256:`` and the hex digest of what the rollout says."""
    canonical = json.dumps(_features(rollout), sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _features(rollout: Rollout) -> dict[str, object]:
    challenger, shadow = rollout.challenger, rollout.shadow
    names = {
        "champion": rollout.champion,
        "challenger": challenger.model if challenger else None,
        "shadow": shadow.model if shadow else None,
    }
    named = {arm: name for arm, name in names.items() if name is not None}
    features: dict[str, object] = {"l2": {"default": rollout.l2}}
    if challenger and challenger.buckets:
        rules = {"challenger": _share(CHALLENGER, "bucket", challenger.buckets)}
        features["arm"] = {**_value(CHAMPION), "rules": rules}
    if shadow and shadow.buckets:
        rules = {"sampled": _share(True, "shadow_bucket", shadow.buckets)}
        features["shadow"] = {"default": False, "rules": rules}
    if named:
        features["models"] = _value(named)
    if rollout.salt is not None:
        features["salt"] = _value(rollout.salt)
    if rollout.thresholds:
        limits = sorted(rollout.thresholds.items())
        features["thresholds"] = _value(
            {source.value: {"review": float(each.review), "block": float(each.block)} for source, each in limits}
        )
    if rollout.on_failure is not None:
        features["on_failure"] = _value(rollout.on_failure.value)
    return features


def _value(default: object) -> dict[str, object]:
    return {"default": default, "boolean_type": False}


def _share(match: object, key: str, buckets: int) -> Mapping[str, object]:
    span = {"BASE": BUCKETS, "START": 0, "END": buckets - 1}
    return {"when_match": match, "conditions": [{"action": "MODULO_RANGE", "key": key, "value": span}]}
