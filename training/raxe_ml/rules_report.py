"""How often the rules hit: share of benign rows with a rule of severity high or above, recall by family and shard."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from raxe.detectors import RuleDetector
from raxe.errors import TextEmpty
from raxe.rules import load_rule_set
from raxe.text import prepare
from raxe.values import Severity, Source
from raxe_ml.rows import Row
from raxe_ml.shards import load_shards

BENIGN_BUDGET = 0.003  # share of benign rows that may hit a rule of severity high or above


@dataclass(slots=True)
class Tally:
    """Rows of one group: how many, with any detection, with one of severity high or above."""

    rows: int = 0
    any: int = 0
    high: int = 0


@dataclass(slots=True)
class RulesReport:
    """Tallies of benign shards, of attack shards by family, and the rules that hit benign rows."""

    benign: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    attacks: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    families: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    noisy: Counter[str] = field(default_factory=Counter)

    @property
    def benign_high_rate(self) -> float:
        """Share of benign rows with a detection of severity high or above."""
        rows = sum(tally.rows for tally in self.benign.values())
        return sum(tally.high for tally in self.benign.values()) / max(1, rows)


def report(folder: Path) -> RulesReport:
    """Scans every row of the shards in ``folder`` (parts left out) with the rules as they are served."""
    detector, found = RuleDetector(load_rule_set()), RulesReport()
    for row in load_shards(folder, drop=(), weights={}):
        if row.role == "part":
            continue
        try:
            result = detector.detect([prepare(row.text, Source(row.role))])[0]
        except TextEmpty:
            continue
        high = result.highest_severity.rank >= Severity.HIGH.rank
        for tally in _groups(found, row):
            tally.rows += 1
            tally.any += result.has_detections
            tally.high += high
        if high and not row.is_attack:
            found.noisy.update(d.rule_id for d in result.detections if d.severity.rank >= Severity.HIGH.rank)
    return found


def _groups(found: RulesReport, row: Row) -> list[Tally]:
    if not row.is_attack:
        return [found.benign[row.shard]]
    return [found.attacks[f"{row.family} {row.shard}"], found.families[row.family]]


def print_report(found: RulesReport) -> None:
    """Prints the report as plain lines."""
    rows = sum(tally.rows for tally in found.benign.values())
    high = sum(tally.high for tally in found.benign.values())
    share = f"{high} of {rows} = {found.benign_high_rate:.3%} (budget {BENIGN_BUDGET:.1%})"
    print(f"benign rows with a rule of severity high or above: {share}")
    for shard, tally in sorted(found.benign.items(), key=lambda item: -item[1].high)[:12]:
        print(f"  {shard:32} {tally.high:5} of {tally.rows}")
    print(
        "rules that hit benign rows most:", ", ".join(f"{rule} {count}" for rule, count in found.noisy.most_common(10))
    )
    print(f"{'recall':40} {'rows':>6} {'high+':>7} {'any':>7}")
    for name, tally in [*sorted(found.families.items()), *sorted(found.attacks.items())]:
        print(f"  {name:38} {tally.rows:6} {tally.high / tally.rows:7.1%} {tally.any / tally.rows:7.1%}")
