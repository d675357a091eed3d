"""Moves aliases, such as ``champion``, between published models. A move is one conditional write of the index."""

import re
from collections.abc import Callable

from raxe.errors import InvalidInput, ModelConflict, ModelNotFound
from raxe.protocols import BundleStore
from raxe.registry.index import INDEX, Alias, Index, Move, dump_index, parse_index, update
from raxe.registry.metadata import MODEL_ID_PATTERN


def promote(store: BundleStore, model_id: str, alias: str, at: str) -> Alias:
    """The alias, which now points to the model; nothing changes when it did before. ``at`` is an ISO time.

    Raises:
        InvalidInput: the alias is no name that one may have.
        ModelNotFound: the store has no index, or no such model in it.
        ModelConflict: a model has the name of the alias.
        StoreConflict: others wrote all the time; nothing is lost, try again.
        StoreError: the store does not answer.
    """
    if not re.fullmatch(MODEL_ID_PATTERN, alias):
        raise InvalidInput("must be 3 to 64 lower-case letters, digits, dots and dashes", field="alias")

    def moved(index: Index) -> Alias:
        if model_id not in index.models:
            raise ModelNotFound(f"no published model {model_id!r}; there are: {', '.join(sorted(index.models))}")
        if alias in index.models:
            raise ModelConflict(f"{alias}: is the id of a model")
        now = index.aliases.get(alias)
        if now and now.model_id == model_id:
            return now
        return Alias(history=(*(now.history if now else ()), Move(action="promote", model_id=model_id, at=at)))

    return _move(store, alias, moved)


def roll_back(store: BundleStore, alias: str, at: str) -> Alias:
    """The alias, which points to the model before its last promotion again; each further call goes one further back.

    Raises:
        ModelNotFound: there is no such alias, or no model before.
        StoreConflict, StoreError: as ``promote``.
    """

    def moved(index: Index) -> Alias:
        now = index.aliases.get(alias)
        if now is None:
            raise ModelNotFound(f"no alias {alias!r}; there are: {', '.join(sorted(index.aliases)) or 'none'}")
        stack = now.promoted()
        if len(stack) < 2:
            raise ModelNotFound(f"{alias}: has no model before {now.model_id}")
        return Alias(history=(*now.history, Move(action="rollback", model_id=stack[-2], at=at)))

    return _move(store, alias, moved)


def _move(store: BundleStore, name: str, moved: Callable[[Index], Alias]) -> Alias:
    made: list[Alias] = []

    def change(data: bytes | None) -> bytes:
        if data is None:
            raise ModelNotFound(f"no {INDEX}: publish a model first")
        index = parse_index(data)
        made.append(moved(index))
        if index.aliases.get(name) == made[-1]:
            return data  # byte by byte, so that nothing is written
        return dump_index(Index(index.models, {**index.aliases, name: made[-1]}))

    update(store, INDEX, change)
    return made[-1]
