"""Which version a rollback goes back to. Other edits are ``dataclasses.replace`` and ``dump_rollout``."""

import re
from collections.abc import Sequence

from raxe.errors import RolloutNotFound
from raxe.protocols import StoredRollout

BY_ALARM = "alarm "  # what the note of a version begins with that an alarm made
_NOTE = re.compile(r"rollback to ([0-9]{1,9})")


def rollback_note(version: int) -> str:
    """The note of a rollback to a version, which ``rolled_back_to`` reads."""
    return f"rollback to {version}"


def rolled_back_to(note: str) -> int | None:
    """The version that a note says was put back into force, None for a note of something else."""
    back = _NOTE.fullmatch(note)
    return int(back[1]) if back else None


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
    stands_for: dict[int, int] = {}  # a rollback to the version that it put back
    for stored in history:
        back = rolled_back_to(stored.note)
        target = stored.version if back is None else stands_for.get(back, back)
        stack = [each for each in stack if each.version <= target]
        if stack and stack[-1].version == target:
            stands_for[stored.version] = target
        else:  # an edit, or a rollback to what is no longer kept or was itself rolled back
            stack.append(stored)
    if len(stack) < 2:
        raise RolloutNotFound("there is no version before the one in force")
    return stack[-2]
