"""The rows that training works on: weak labels, exact duplicates, caps, files."""

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from raxe.files import replace_file

BENIGN = "BENIGN"


@dataclass(frozen=True, slots=True)
class Row:
    """One text to learn from.

    Attributes:
        family: one of the six families, or BENIGN.
        subfamily: empty when no label reaches that far; of written benign rows their kind.
        role: user, document, tool or part; parts are fragments to compose from.
        shard: the source that splits go by.
        weight: of the row in the loss.
        span: characters ``[start, end)`` that make the row what it is: the order in a document, or what stands in its
            place in the benign twin. None when it may be anywhere.
        lang: ISO 639-1, empty when the source does not say.
    """

    text: str
    family: str
    subfamily: str
    role: str
    shard: str
    weight: float = 1.0
    span: tuple[int, int] | None = None
    lang: str = ""

    @property
    def is_attack(self) -> bool:
        """Whether the row is labelled as an attack of any family."""
        return self.family != BENIGN


# Subfamily of a shard's rows where the source says no more; a pattern in _BY_WORDS is more exact and goes first.
_BY_SHARD = {
    "cmd_interpreter": "code_evaluation",
    "cmd_payloads": "shell_injection",
    "jb_inthewild": "persona_override",
    "jb_gptfuzz": "persona_override",
    "jb_selfreminder": "persona_override",
    "jb_pallms": "persona_override",
    "pi_spikee": "instruction_override",
    "pi_hackaprompt": "output_hijack",
    "pi_gandalf_leakage": "prompt_leak",
    "pi_deepset": "goal_hijack",
    "pii_trustllm": "individual_personal_data",
    "rag_tool_output": "tool_output_instruction",
    "pii_donotanswer": "individual_personal_data",
    "rag_piarena": "document_instruction",
    "rag_spikee": "document_instruction",
    "rag_agent_messages": "action_hijack",
    "rag_poisoned_tools": "tool_description_poisoning",
    "rag_skill_files": "tool_description_poisoning",
    "own_multilingual_rag": "document_instruction",
}
_BY_WORDS = [
    (
        "PI",
        "prompt_leak",
        r"(system|initial|hidden|original)\s+(prompt|instruction|message)|repeat\s+(everything|the\s+text|all)\s+above",
    ),
    (
        "PI",
        "instruction_override",
        r"\b(ignore|disregard|forget|override|bypass)\b.{0,40}\b(instruction|prompt|rule|above|previous|order)",
    ),
    ("PI", "delimiter_spoofing", r"<\|im_(start|end)\|>|\[/?INST\]|<<SYS>>|###\s*(system|instruction)"),
    ("PI", "rule_rewrite", r"\bnew\s+(rules?|guidelines?|polic(y|ies)|instructions?)\b"),
    ("PI", "authority_claim", r"\bi\s?('m| am)\s+(your|the)\s+(developer|creator|admin|administrator|owner)"),
    ("PI", "output_hijack", r"\b(say|print|output|respond|reply)\b.{0,20}\b(pwned|only|exactly)\b"),
    ("JB", "developer_mode", r"\b(developer|debug|god|sudo|admin)\s+mode\b"),
    ("JB", "dual_response", r"\btwo\s+(different\s+)?(responses|answers|ways|paragraphs)\b"),
    (
        "JB",
        "refusal_suppression",
        r"never\s+(say|use|refuse)|do\s+not\s+(apologi[sz]e|refuse)|no\s+(warnings?|disclaimers?)",
    ),
    ("JB", "persona_override", r"\b(DAN|do anything now|jailbr[eo]a?k|unrestricted|unfiltered|no restrictions)\b"),
    ("JB", "hypothetical_frame", r"\b(hypothetical|fictional|imagine\s+a\s+world|in\s+this\s+story)\b"),
    ("JB", "role_play_frame", r"\b(role[- ]?play|pretend|act\s+as|you\s+are\s+(now|going))\b"),
    ("CMD", "privilege_escalation", r"\b(sudo|root|sandbox|container|escape|privilege)\b"),
    ("CMD", "download_execute", r"\b(curl|wget)\b"),
    ("PII", "credential_extraction", r"\b(password|secret|token|credential|api\s?key|pin)\b"),
    ("PII", "payment_data", r"\b(credit\s?card|card\s+number|bank|iban|cvv)\b"),
    ("RAG", "data_exfiltration", r"!\[[^\]]*\]\(http|\b(send|forward|upload|post|append)\b.{0,60}(https?://|@[a-z])"),
    ("RAG", "hidden_markup", r"<!--"),
]
_WORD_RULES = [(family, name, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for family, name, pattern in _BY_WORDS]


def subfamily_of(text: str, family: str, shard: str) -> str:
    """The subfamily by telling words, else by source, else empty; a weak label until the corpus brings written ones."""
    for rule_family, name, pattern in _WORD_RULES:
        if rule_family == family and pattern.search(text[:4000]):
            return name
    return _BY_SHARD.get(shard, "")


def folded(text: str) -> str:
    """The words of the text in lower case, one space between them."""
    return " ".join(re.findall(r"\w+", text.lower()))


def digest(text: str) -> str:
    """What tells two texts apart, in 24 hexadecimal digits: their lower-cased words."""
    return hashlib.blake2b(folded(text).encode("utf-8", "replace"), digest_size=12).hexdigest()


def without_duplicates(rows: Iterable[Row]) -> list[Row]:
    """The rows with each text once, compared by its lower-cased words; of two labels the first row's stays."""
    seen: set[str] = set()
    kept = []
    for row in rows:
        key = digest(row.text)
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def capped(rows: Iterable[Row], cap: int, seed: int) -> list[Row]:
    """At most ``cap`` rows of each shard and label, drawn with the seed, so that no source outweighs the others."""
    groups: dict[tuple[str, bool], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.shard, row.is_attack].append(row)
    draw = random.Random(seed)
    kept: list[Row] = []
    for key in sorted(groups):
        group = groups[key]
        kept += group if len(group) <= cap else draw.sample(group, cap)
    return kept


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Writes one JSON object a line, whole or not at all."""
    lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    replace_file(path, lambda file: file.writelines(line.encode() for line in lines))


def read_rows(path: Path) -> list[Row]:
    """The rows that ``write_rows`` wrote."""
    with path.open(encoding="utf-8") as lines:
        return [_row(json.loads(line)) for line in lines]


def _row(values: dict[str, Any]) -> Row:
    span = values.pop("span", None)
    return Row(**values, span=tuple(span) if span else None)
