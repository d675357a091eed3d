"""L1: the rules, run on every view of a prompt."""

import time
from collections.abc import Sequence

from raxe.rules import RuleSet
from raxe.values import Detection, Prompt, ScanResult


class RuleDetector:
    """Finds known wordings; one set match a view."""

    def __init__(self, rules: RuleSet) -> None:
        """Takes the compiled rules."""
        self._rules = rules

    def detect(self, prompts: Sequence[Prompt]) -> list[ScanResult]:
        """One result a prompt, in order."""
        return [self._one(prompt) for prompt in prompts]

    def _one(self, prompt: Prompt) -> ScanResult:
        started = time.perf_counter()
        found: dict[str, Detection] = {}
        for view in prompt.views:
            for match in self._rules.match(view.text):
                rule = match.rule
                # The plain view comes first, so a rule keeps its place in the text as written where it has one.
                if rule.id not in found:
                    found[rule.id] = Detection(
                        rule.id,
                        rule.family,
                        rule.subfamily,
                        rule.severity,
                        rule.confidence,
                        view.span(match.start, match.end),
                        view.name,
                    )
        ranked = sorted(found.values(), key=lambda d: (-d.severity.rank, -d.confidence, d.rule_id))
        return ScanResult(tuple(ranked), (time.perf_counter() - started) * 1000)
