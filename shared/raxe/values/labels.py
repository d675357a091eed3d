"""The words that values are labelled with."""

from enum import StrEnum


class Family(StrEnum):
    """The six families of attack; ``training/taxonomy.yaml`` defines them and their 47 subfamilies."""

    PI = "PI"
    JB = "JB"
    CMD = "CMD"
    PII = "PII"
    ENC = "ENC"
    RAG = "RAG"


class _Ranked(StrEnum):  # members are written in rising order
    @property
    def rank(self) -> int:
        """Position among its like, from 0."""
        return list(type(self)).index(self)


class Severity(_Ranked):
    """How much harm a confirmed detection stands for."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Source(StrEnum):
    """Where a text comes from: typed by a user, read from a document, or returned by a tool."""

    USER = "user"
    DOCUMENT = "document"
    TOOL = "tool"


class Decision(_Ranked):
    """What the caller is advised to do."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"
