"""Rules -> one re2 filter. One pass over a text says which patterns can match at all; only those are run.

The pass is a single set match over the literals that the patterns require. A set of the whole patterns was measured and
left: its automaton does not fit 64 MB (1.7 ms a prompt instead of 0.2, building states it then drops), and one set a
family is fast only with 95 MB. ``docs/performance.md`` has the figures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from raxe.errors import InvalidRules
from raxe.rules.schema import Rule


def _options() -> Any:  # noqa: ANN401  (re2 ships no types)
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False  # re2 would print patterns to stderr; we raise instead
    return options


@dataclass(frozen=True, slots=True)
class Match:
    """A rule and the place ``[start, end)`` of its first match in the text searched."""

    rule: Rule
    start: int
    end: int


class RuleSet:
    """All rules compiled together: matching time is linear in the text whatever the rules are."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Compiles the rules; raises InvalidRules naming the rule whose pattern re2 refuses."""
        self.rules = tuple(rules)
        self._filter = re2.Filter()
        self._owners: list[Rule] = []
        options = _options()
        for rule in self.rules:
            for pattern in rule.patterns:
                try:
                    self._filter.Add(pattern, options)
                except re2.error:
                    raise InvalidRules(f"{rule.id}: re2 refuses the pattern {pattern!r}") from None
                self._owners.append(rule)
        self._filter.Compile()

    def match(self, text: str) -> Iterator[Match]:
        """Yields each rule that matches once, at the place of its first matching pattern."""
        seen: set[str] = set()
        for index in sorted(self._filter.Match(text) or ()):  # None without a hit
            rule = self._owners[index]
            if rule.id not in seen:
                seen.add(rule.id)
                found = self._filter.re(index).search(text)
                yield Match(rule, found.start(), found.end())
