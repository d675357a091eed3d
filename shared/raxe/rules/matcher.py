"""Rules -> one set of literals and patterns that are compiled when first needed.

One re2 set pass over a text says which literals occur; only patterns that need one of them are run. A set of the whole
patterns was measured and left: 62 MB and 1.7 ms a prompt, for its automaton never fits; re2's own filter is as fast but
takes 120 ms of every cold start to compile what most processes never run. ``docs/performance.md`` has the figures.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from raxe.errors import InvalidRules
from raxe.rules.literals import required_literals
from raxe.rules.schema import Rule


def _options(*, literal: bool = False) -> Any:  # noqa: ANN401  (re2 ships no types)
    options = re2.Options()
    options.case_sensitive = False
    options.literal = literal
    options.log_errors = False  # re2 would print patterns to stderr; we raise instead
    return options


@dataclass(frozen=True, slots=True)
class Match:
    """A rule and the place ``[start, end)`` of its first match in the text searched."""

    rule: Rule
    start: int
    end: int


class RuleSet:
    """All rules, ready to be searched for; time is linear in the text whatever text and rules are."""

    def __init__(self, rules: Sequence[Rule], known: Mapping[str, Sequence[str]] | None = None) -> None:
        """Builds the set of literals; ``known`` gives those of a pattern, any other pattern is read for its own.

        Patterns are compiled later: ``check`` compiles all of them now.
        """
        self.rules = tuple(rules)
        self._patterns = [(rule, pattern) for rule in self.rules for pattern in rule.patterns]
        self._compiled: dict[int, Any] = {}
        self._options = _options()
        self._unfiltered: list[int] = []
        needed: dict[str, list[int]] = {}
        for index, (_, pattern) in enumerate(self._patterns):
            stored = (known or {}).get(pattern)
            literals = required_literals(pattern) if stored is None else stored
            if not literals:
                self._unfiltered.append(index)
            for literal in literals or ():
                needed.setdefault(literal, []).append(index)
        self._needed = list(needed.values())
        self._set = re2.Set.SearchSet(_options(literal=True))
        for literal in needed:
            self._set.Add(literal)
        self._set.Compile()

    def check(self) -> None:
        """Compiles every pattern; raises InvalidRules naming the rule whose pattern re2 refuses."""
        for index in range(len(self._patterns)):
            self._regexp(index)

    def match(self, text: str) -> Iterator[Match]:
        """Yields each rule that matches once, at the place of its first matching pattern; raises InvalidRules."""
        candidates = set(self._unfiltered)
        for literal in self._set.Match(text) or ():  # None without a hit
            candidates.update(self._needed[literal])
        seen: set[str] = set()
        for index in sorted(candidates):
            rule = self._patterns[index][0]
            if rule.id in seen:
                continue
            found = self._regexp(index).search(text)
            if found is not None:
                seen.add(rule.id)
                yield Match(rule, found.start(), found.end())

    def _regexp(self, index: int) -> Any:  # noqa: ANN401
        compiled = self._compiled.get(index)
        if compiled is None:
            rule, pattern = self._patterns[index]
            try:
                compiled = self._compiled[index] = re2.compile(pattern, self._options)
            except re2.error:
                raise InvalidRules(f"{rule.id}: re2 refuses the pattern {pattern!r}") from None
        return compiled
