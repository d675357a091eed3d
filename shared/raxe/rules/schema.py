"""What a rule is, and the check of a rule file's content."""

from dataclasses import dataclass
from typing import Any

from raxe.errors import InvalidRules
from raxe.values import Family, Severity

_KEYS = {
    "id",
    "family",
    "subfamily",
    "severity",
    "description",
    "version",
    "confidence",
    "patterns",
    "matches",
    "not_matches",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One known wording of an attack.

    Attributes:
        id: such as ``PI-001``; never used again for another rule.
        confidence: (0, 1], how sure a hit is an attack.
        patterns: re2 expressions, any of which is a hit; case is ignored.
        matches: texts that must hit; the loader's test runs them.
        not_matches: texts that must not.
    """

    id: str
    version: int
    family: Family
    subfamily: str
    severity: Severity
    confidence: float
    description: str
    patterns: tuple[str, ...]
    matches: tuple[str, ...]
    not_matches: tuple[str, ...]


def parse_rule(raw: Any, where: str) -> Rule:  # noqa: ANN401  (the content of a YAML file is anything)
    """The rule in a YAML mapping; raises InvalidRules naming ``where`` and the key."""
    if not isinstance(raw, dict) or set(raw) != _KEYS:
        wrong = sorted(_KEYS ^ set(raw)) if isinstance(raw, dict) else "no mapping"
        raise InvalidRules(f"{where}: missing or unknown keys {wrong}")
    try:
        rule = Rule(
            id=str(raw["id"]),
            version=int(raw["version"]),
            family=Family(raw["family"]),
            subfamily=str(raw["subfamily"]),
            severity=Severity(raw["severity"]),
            confidence=float(raw["confidence"]),
            description=str(raw["description"]),
            patterns=_texts(raw["patterns"]),
            matches=_texts(raw["matches"]),
            not_matches=_texts(raw["not_matches"]),
        )
    except (TypeError, ValueError) as error:
        raise InvalidRules(f"{where}: {error}") from None
    if not rule.id.startswith(f"{rule.family}-"):
        raise InvalidRules(f"{where}: id {rule.id} must start with {rule.family}-")
    if not 0 < rule.confidence <= 1 or rule.severity is Severity.NONE or not rule.patterns:
        raise InvalidRules(f"{where}: needs a confidence in (0, 1], a severity above none and a pattern")
    return rule


def _texts(raw: object) -> tuple[str, ...]:
    """The entries of a list; a lone string would otherwise be taken for a list of its letters."""
    if not isinstance(raw, list) or not all(isinstance(text, str) and text for text in raw):
        raise ValueError("patterns, matches and not_matches must be lists of texts")
    return tuple(raw)
