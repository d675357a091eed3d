"""The index object of a store: all metadata, so that a start reads one object, and aliases with their history."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, ValidationError

from raxe.errors import InvalidMetadata, ModelNotFound, StoreConflict
from raxe.protocols import BundleStore
from raxe.registry.documents import invalid
from raxe.registry.metadata import MODEL_ID_PATTERN
from raxe.strict import Strict

INDEX = "index.json"
INDEX_SCHEMA = "raxe.index/1"
_ATTEMPTS = 30
_PAUSE_S = 0.05


class Move(Strict):
    """One move of an alias, which is never taken out of its history."""

    action: Literal["promote", "rollback"] = Field(description="whether the model is a new one or the one before")
    model_id: str = Field(pattern=MODEL_ID_PATTERN, description="where the alias pointed from then on")
    at: str = Field(description="ISO time in UTC")


class Alias(Strict):
    """A name that points to a model."""

    history: tuple[Move, ...] = Field(min_length=1, description="every move, the first one first")

    @property
    def model_id(self) -> str:
        """Where it points."""
        return self.history[-1].model_id

    def promoted(self) -> list[str]:
        """The models that a rollback can go back through, the one it points to last."""
        stack: list[str] = []
        for move in self.history:
            if move.action == "promote":
                stack.append(move.model_id)
            else:
                stack.pop()
        return stack


@dataclass(frozen=True, slots=True)
class Index:
    """The documents of an index by model id, not yet checked, and its aliases by name."""

    models: dict[str, object] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)


def parse_index(data: bytes) -> Index:
    """The index in the bytes of its object; raises InvalidMetadata when it is none, or an alias is damaged."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("schema") != INDEX_SCHEMA:
        raise InvalidMetadata(f"{INDEX}: file: is no index of schema {INDEX_SCHEMA}")
    models, aliases = document.get("models"), document.get("aliases", {})
    if not isinstance(models, dict):
        raise InvalidMetadata(f"{INDEX}: models: is required")
    if not isinstance(aliases, dict):
        raise InvalidMetadata(f"{INDEX}: aliases: must be an object")
    return Index(models, {name: _alias(name, each) for name, each in aliases.items()})


def dump_index(index: Index) -> bytes:
    """The bytes of the object; equal indexes give equal bytes."""
    document: dict[str, object] = {"schema": INDEX_SCHEMA, "models": dict(sorted(index.models.items()))}
    if index.aliases:
        document["aliases"] = {name: each.model_dump(mode="json") for name, each in sorted(index.aliases.items())}
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def update(target: BundleStore, key: str, change: Callable[[bytes | None], bytes]) -> None:
    """Reads an object, changes it and writes it if nobody else did meanwhile, else begins again.

    Raises StoreConflict when others wrote all the time, and what ``change`` raises, having written nothing.
    """
    for attempt in range(_ATTEMPTS):
        try:
            found = target.read(key)
        except ModelNotFound:
            found = None
        old, etag = found or (None, None)
        new = change(old)
        if new == old:
            return
        try:
            target.write(key, new, etag)
        except StoreConflict:
            time.sleep(random.uniform(0, _PAUSE_S * (attempt + 1)))  # noqa: S311  (publishers that met must part)
        else:
            return
    raise StoreConflict(f"{key}: others wrote it {_ATTEMPTS} times meanwhile")


def _alias(name: str, document: object) -> Alias:
    try:
        alias = Alias.model_validate_json(json.dumps(document))
        alias.promoted()
    except ValidationError as error:
        raise invalid(f"{INDEX}: aliases", error) from None
    except IndexError:
        raise InvalidMetadata(f"{INDEX}: aliases: {name[:64]!r} was rolled back more often than promoted") from None
    return alias
