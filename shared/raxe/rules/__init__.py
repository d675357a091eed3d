"""L1's knowledge: schema, loader and matcher of the rules; the rules themselves are YAML under ``data``."""

from raxe.rules.loader import load_rule_set, load_rules, write_literals
from raxe.rules.matcher import Match, RuleSet
from raxe.rules.schema import Rule

__all__ = ["Match", "Rule", "RuleSet", "load_rule_set", "load_rules", "write_literals"]
