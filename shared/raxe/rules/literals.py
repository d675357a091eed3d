"""Literals that a pattern cannot match without. The matcher looks for them first and runs only the patterns they allow.

Python's own parser reads the pattern; what it does not know leaves a pattern unfiltered: that costs time, no match.
"""

import re
from dataclasses import dataclass, field
from typing import Any

_MOST_STRINGS = 48  # of one set; a larger one says little and costs much
_SHORTEST = 2  # characters of a literal worth looking for
_GOOD = 6  # characters from which a longer literal is no better
_ONLY_RE2 = ("[[:", r"\Q", r"\C", r"\p", r"\P")  # what re2 reads otherwise than Python
_CODE_POINT = re.compile(r"\\x\{([0-9A-Fa-f]+)\}")  # re2 writes it so, Python does not

Strings = frozenset[str]


def required_literals(pattern: str) -> Strings | None:
    """Strings in lower case of which any match, case ignored, holds at least one; None when there are none.

    The matcher must compare them as the pattern does: by code point, simple case folding.
    """
    if any(mark in pattern for mark in _ONLY_RE2):
        return None
    plain = _CODE_POINT.sub(lambda found: re.escape(chr(int(found[1], 16))), pattern)
    try:
        tree = re._parser.parse(plain)  # type: ignore[attr-defined]
    except (re.error, OverflowError):
        return None
    best = _Reader().read(tree)
    return frozenset(text.lower() for text in best) if best else None


@dataclass(slots=True)
class _Reader:
    """Reads a sequence of nodes: ``run`` is what the last of them match exactly, ``best`` the best set so far."""

    run: Strings = frozenset({""})
    best: Strings | None = None
    exact: bool = field(default=True)  # whether ``run`` stands for the whole sequence

    def read(self, nodes: Any) -> Strings | None:  # noqa: ANN401  (the parser's nodes have no types)
        """The best set of the sequence, None when no set of it is worth looking for."""
        for operation, argument in nodes:
            self._node(str(operation), argument)
        self._offer(self.run)
        return self.best

    def _node(self, operation: str, argument: Any) -> None:  # noqa: ANN401
        if operation == "LITERAL":
            self._extend(frozenset({chr(argument)}))
        elif operation == "IN":
            self._extend(_characters(argument))
        elif operation == "SUBPATTERN":
            self._inner([argument[-1]])
        elif operation == "BRANCH":
            self._inner(argument[1])
        elif operation == "MAX_REPEAT":
            self._repeat(*argument)
        elif operation != "AT":  # an anchor stands between characters and takes none
            self._break()

    def _repeat(self, least: int, most: int, nodes: Any) -> None:  # noqa: ANN401
        if (least, most) == (1, 1):
            self._inner([nodes])
        elif (least, most) == (0, 1):
            inner = _Reader()
            inner.read(nodes)
            self._extend(inner.run | {""} if inner.exact else None)
        elif least >= 1:
            self._break()
            self._inner([nodes])
            self._break()
        else:
            self._break()

    def _inner(self, branches: Any) -> None:  # noqa: ANN401
        """Alternatives: their exact strings when all have them, else the union of their best sets."""
        readers = [_Reader() for _ in branches]
        sets = [reader.read(nodes) for reader, nodes in zip(readers, branches, strict=True)]
        if all(reader.exact for reader in readers):
            self._extend(frozenset().union(*(reader.run for reader in readers)))
            return
        self._break()
        if all(sets):
            self._offer(frozenset().union(*(found for found in sets if found)))

    def _extend(self, strings: Strings | None) -> None:
        if strings is None or len(self.run) * len(strings) > _MOST_STRINGS:
            self._break()
            if strings is None or len(strings) > _MOST_STRINGS:
                return
            self.run = strings
            return
        self.run = frozenset(first + second for first in self.run for second in strings)

    def _break(self) -> None:
        self._offer(self.run)
        self.run, self.exact = frozenset({""}), False

    def _offer(self, strings: Strings) -> None:
        if (
            len(strings) <= _MOST_STRINGS
            and min(map(len, strings)) >= _SHORTEST
            and _worth(strings) > _worth(self.best)
        ):
            self.best = strings


def _worth(strings: Strings | None) -> tuple[int, int]:
    return (min(_GOOD, *map(len, strings), _GOOD), -len(strings)) if strings else (0, 0)


def _characters(members: Any) -> Strings | None:  # noqa: ANN401
    """The characters of a class of at most four, None for any other."""
    found: set[str] = set()
    for operation, argument in members:
        if str(operation) == "LITERAL":
            found.add(chr(argument))
        elif str(operation) == "RANGE" and argument[1] - argument[0] < 4:
            found |= {chr(point) for point in range(argument[0], argument[1] + 1)}
        else:
            return None
    return frozenset(found) if len(found) <= 4 else None
