"""Between the members of a bundle and bytes.

JSON here, every field checked; ``arrays`` does the clusters. Every ``parse_*`` raises InvalidBundle that names the
member and the field, never a value.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import TypeVar

from raxe.bundle.format import (
    EMBEDDING,
    LABELS,
    MANIFEST,
    MEMBER_LIMITS,
    POOLINGS,
    SCHEMA,
    SEVERITIES,
    STATS,
    TRIGGERS,
    EmbeddingConfig,
    Labels,
    Manifest,
    Member,
    Subfamily,
    TrainingStats,
)
from raxe.errors import InvalidBundle

_T = TypeVar("_T")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGE = 1e12


class _Object:
    """A JSON object of a member; fields are taken out one by one and ``done`` refuses what is left."""

    def __init__(self, member: str, value: object, path: str = "content") -> None:
        """Keeps the fields; raises InvalidBundle when ``value`` is no object."""
        self.member, self.path = member, path
        if not isinstance(value, dict):
            raise InvalidBundle(f"{member}: {path} is not an object")
        self.left: dict[str, object] = dict(value)

    def take(self, field: str, kind: type[_T], accepts: Callable[[_T], bool], wanted: str) -> _T:
        """The value of a field, which must be of a type (a bool is no number) and accepted."""
        value = self.left.pop(field, None)
        if type(value) is not kind or not accepts(value):
            raise InvalidBundle(f"{self.member}: {self.path}.{field} is not {wanted}")
        return value

    def name(self, field: str) -> str:
        """A short name without spaces."""
        return self.take(field, str, _is_name, "a name")

    def choice(self, field: str, allowed: tuple[str, ...]) -> str:
        """One of a few names."""
        return self.take(field, str, allowed.__contains__, f"one of {', '.join(allowed)}")

    def integer(self, field: str, low: int, high: int) -> int:
        """A whole number in ``[low, high]``."""
        return self.take(field, int, lambda value: low <= value <= high, f"a whole number from {low} to {high}")

    def number(self, field: str, low: float, high: float) -> float:
        """A number in ``[low, high]``, written as a whole one or not."""
        if type(self.left.get(field)) is int:
            return float(self.integer(field, int(low), int(high)))
        return self.take(field, float, lambda value: low <= value <= high, f"a number from {low:g} to {high:g}")

    def names(self, field: str) -> tuple[str, ...]:
        """A list of one or more different names."""
        values = self.take(field, list, lambda found: all(map(_is_name, found)), "a list of names")
        if not values or len(set(values)) < len(values):
            raise InvalidBundle(f"{self.member}: {self.path}.{field} is empty or repeats a name")
        return tuple(values)

    def done(self) -> None:
        """Raises InvalidBundle when a field is left that the format does not know."""
        if self.left:
            raise InvalidBundle(f"{self.member}: {self.path} has {len(self.left)} unknown fields")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _is_date(value: str) -> bool:
    try:
        return len(value) == 10 and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is there twice")
    return fields


def _no_constant(_: str) -> None:
    raise ValueError("not a finite number")


def _load(member: str, data: bytes) -> object:
    """The JSON value of a member: UTF-8, no field twice, finite numbers only."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidBundle(f"{member}: is not valid JSON ({type(error).__name__})") from None


def dump_json(value: object) -> bytes:
    """UTF-8 JSON, fields sorted: the same value gives the same bytes. ValueError for a number that is not finite."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def parse_manifest(data: bytes) -> Manifest:
    """The manifest of schema ``raxe.bundle/1``, which lists every other member of a bundle and nothing else."""
    fields = _Object(MANIFEST, _load(MANIFEST, data))
    fields.choice("schema", (SCHEMA,))
    listed = _Object(MANIFEST, fields.take("members", dict, lambda _: True, "an object"), "members")
    members = {}
    for name in sorted(MEMBER_LIMITS.keys() - {MANIFEST}):
        entry = _Object(MANIFEST, listed.left.pop(name, None), f"members.{name}")
        digest = entry.take("sha256", str, lambda value: _SHA256.fullmatch(value) is not None, "a SHA-256 in hex")
        members[name] = Member(digest, entry.integer("size", 1, MEMBER_LIMITS[name]))
        entry.done()
    created = fields.take("created", str, _is_date, "an ISO date")
    manifest = Manifest(fields.name("model_id"), fields.name("version"), created, members)
    listed.done()
    fields.done()
    return manifest


def dump_manifest(manifest: Manifest) -> bytes:
    """The bytes of a manifest."""
    return dump_json({"schema": SCHEMA, **asdict(manifest)})


def parse_embedding(data: bytes) -> EmbeddingConfig:
    """The encoder that the heads expect."""
    fields = _Object(EMBEDDING, _load(EMBEDDING, data))
    max_length = fields.integer("max_length", 4, 8192)
    config = EmbeddingConfig(
        name=fields.name("name"),
        dimension=fields.integer("dimension", 1, 8192),
        max_length=max_length,
        stride=fields.integer("stride", 1, max_length - 2),
        pooling=fields.choice("pooling", POOLINGS),
        normalize=fields.take("normalize", bool, lambda _: True, "true or false"),
    )
    fields.done()
    return config


def parse_stats(data: bytes) -> TrainingStats:
    """What calibration needs and training measured."""
    fields = _Object(STATS, _load(STATS, data))
    measured = _Object(
        STATS, fields.take("metrics", dict, lambda found: all(map(_is_name, found)), "an object"), "metrics"
    )
    metrics = {name: measured.number(name, -_LARGE, _LARGE) for name in sorted(measured.left)}
    stats = TrainingStats(
        rows=fields.integer("rows", 0, int(_LARGE)),
        temperature=fields.number("temperature", 0, 1000),
        review_threshold=fields.number("review_threshold", 0, 1),
        block_threshold=fields.number("block_threshold", 0, 1),
        metrics=metrics,
        # Bundles made before there was one do not have it.
        anomaly_threshold=fields.number("anomaly_threshold", 0, 2) if "anomaly_threshold" in fields.left else None,
    )
    if not stats.temperature or stats.review_threshold > stats.block_threshold:
        raise InvalidBundle(f"{STATS}: temperature is not above 0, or review_threshold is above block_threshold")
    fields.done()
    return stats


def dump_stats(stats: TrainingStats) -> bytes:
    """The bytes of the figures; a threshold that is not there is left out."""
    return dump_json({name: value for name, value in asdict(stats).items() if value is not None})


def parse_labels(data: bytes) -> Labels:
    """The labels of the three heads; every subfamily belongs to a family that is there."""
    fields = _Object(LABELS, _load(LABELS, data))
    binary, families = fields.names("binary"), fields.names("families")
    entries = fields.take("subfamilies", list, bool, "a list with an entry")
    fields.done()
    subfamilies = []
    for index, entry in enumerate(entries):
        row = _Object(LABELS, entry, f"subfamilies.{index}")
        subfamilies.append(
            Subfamily(row.name("id"), row.choice("family", families), row.choice("severity", SEVERITIES))
        )
        row.done()
    if len({subfamily.id for subfamily in subfamilies}) < len(subfamilies) or len(binary) != 2:
        raise InvalidBundle(f"{LABELS}: a subfamily is there twice, or the binary labels are not two")
    return Labels(binary, families, tuple(subfamilies))


def parse_triggers(data: bytes, labels: Labels) -> dict[str, tuple[str, ...]]:
    """Trigger words by label; every label is a family or subfamily of ``labels``."""
    fields = _Object(TRIGGERS, _load(TRIGGERS, data))
    known = {*labels.families, *(subfamily.id for subfamily in labels.subfamilies)}
    if not known.issuperset(fields.left):
        raise InvalidBundle(f"{TRIGGERS}: a label is neither a family nor a subfamily")
    return {
        label: tuple(fields.take(label, list, lambda words: all(map(_is_word, words)), "a list of words"))
        for label in sorted(fields.left)
    }
