"""Which version a rollback goes back to. Other edits are ``dataclasses.replace`` and ``dump_rollout``."""

import re
from collections.abc import Sequence

from raxe.errors import RolloutNotFound
from raxe.protocols import StoredRollout

_NOTE = re.compile(r"rollback to ([0-9]{1,9})")


def rollback_note(version: int) -> str:
    """The note of a rollback to a version, by which ``previous`` knows it."""
    return f"rollback to {version}"


def previous(history: Sequence[StoredRollout], version: int | None = None) -> StoredRollout:
    """The version with that number, else the one before the version in force; each further call goes one further back.

    A version that was rolled back is not gone back to; raises RolloutNotFound when there is none before.
    """
    if version is not None:
        for stored in history:
            if stored.version == version:
                return stored
        raise RolloutNotFound(f"no version {version}; there are: {', '.join(str(each.version) for each in history)}")
    stack: list[StoredRollout] = []
    for stored in history:
        back = _NOTE.fullmatch(stored.note)
        kept = [each for each in stack if back is None or each.version <= int(back[1])]
        # Where the version it went back to is too old to be kept, the rollback itself stands in its place.
        found = back is not None and kept and kept[-1].version == int(back[1])
        stack = kept if found else [*kept, stored]
    if len(stack) < 2:
        raise RolloutNotFound("there is no version before the one in force")
    return stack[-2]
