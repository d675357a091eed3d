"""The rollout document in one SSM parameter. boto3 is imported when the first store is made, never by ``import raxe``.

SSM has no conditional write, but it numbers the versions of a parameter one by one and tells a writer its number. So a
writer notes in the description which number it expects to get. When it gets another one, somebody else was faster: the
last version that has the number it expected (or that is not ours, such as an edit in the console) is put back in force,
and the writer is told StoreConflict. A version with a wrong number is never built upon: who finds one in force puts
the right one back first. (A lock made of a second parameter would be simpler, but SSM asks to wait 30 seconds before a
deleted name is used again.)

Reading needs ``ssm:GetParameter``; writing ``ssm:GetParameterHistory`` and ``ssm:PutParameter`` as well.
"""

import hashlib
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from raxe.adapters.aws import Trouble, aws_client, aws_errors, store_error
from raxe.errors import InvalidRollout, RolloutNotFound, StoreConflict
from raxe.protocols import StoredRollout
from raxe.rollout import rollback_note

STANDARD_BYTES, ADVANCED_BYTES = 4_096, 8_192
_ATTEMPTS = 5
_MARK = re.compile(r"raxe (?P<number>[0-9]{1,9}) (?P<digest>[0-9a-f]{12}): (?P<note>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SsmOptions:
    """How SSM is spoken to.

    Attributes:
        endpoint_url: another address than AWS's, such as one on loopback.
        connect_timeout_s: seconds to open a connection.
        read_timeout_s: seconds without a byte.
        attempts: tries of one call, the first included.
    """

    endpoint_url: str | None = None
    connect_timeout_s: float = 1.0
    read_timeout_s: float = 1.0
    attempts: int = 2


PATIENT = SsmOptions(connect_timeout_s=5, read_timeout_s=20, attempts=3)


class SsmRolloutStore:
    """One parameter of type String."""

    def __init__(self, name: str, options: SsmOptions | None = None) -> None:
        """Makes the client; the first call to SSM comes with the first method."""
        self._name = name
        speak = options or SsmOptions()
        self._client: Any = aws_client(
            "ssm", speak.connect_timeout_s, speak.read_timeout_s, speak.attempts, speak.endpoint_url
        )

    def read(self) -> StoredRollout:
        """The document in force, by one call; raises RolloutNotFound."""
        with self._typed():
            return _entry(self._client.get_parameter(Name=self._name)["Parameter"]).stored

    def write(self, content: bytes, expected: int, note: str) -> int:
        """The version of the new document; raises StoreConflict and InvalidRollout."""
        text = _text(content)
        if expected == 0:
            _check_size(content, advanced=False)
            return self._put(text, 1, note, Overwrite=False)
        entries = self._entries()
        if entries and not entries[-1].counts:
            entries = self._put_back(entries)
        if not entries or entries[-1].stored.version != expected:
            raise StoreConflict(f"{self._name}: another version than {expected} is in force")
        _check_size(content, advanced=entries[-1].advanced)
        made = self._put(text, expected + 1, note, **entries[-1].tier)
        if made == expected + 1:
            return made
        now = self._put_back(self._entries())[-1].stored
        # The same document may be in force all the same: when SSM's answer was lost, the call is tried again.
        if now.content != content:
            raise StoreConflict(f"{self._name}: somebody else wrote at the same time; their version is in force")
        return now.version

    def history(self) -> list[StoredRollout]:
        """The last versions, the one in force last."""
        return [entry.stored for entry in self._entries()]

    def _put_back(self, entries: "list[_Entry]") -> "list[_Entry]":
        """The versions, after the last one that counts was put back in force."""
        for _ in range(_ATTEMPTS):
            kept = [entry for entry in entries if entry.counts]
            if not kept or entries[-1].counts:
                return entries
            right = kept[-1].stored
            note = rollback_note(right.version)
            self._put(right.content.decode(), entries[-1].stored.version + 1, note, **kept[-1].tier)
            entries = self._entries()
        raise StoreConflict(f"{self._name}: others write it all the time")

    def _entries(self) -> "list[_Entry]":
        pages = self._client.get_paginator("get_parameter_history").paginate(Name=self._name)
        try:
            with self._typed():
                found = [_entry(entry) for page in pages for entry in page["Parameters"]]
        except RolloutNotFound:
            return []
        counted: list[_Entry] = []
        for entry in sorted(found, key=lambda entry: entry.stored.version):
            # What says the same as the last one that counts does no harm: several put it back at once.
            before = next((each.stored.content for each in reversed(counted) if each.counts), None)
            counted.append(replace(entry, counts=entry.counts or entry.stored.content == before))
        return counted

    def _put(self, text: str, number: int, note: str, **options: Any) -> int:  # noqa: ANN401  (of the call)
        described = f"raxe {number} {_digest(text)}: {note}"[:1024]
        arguments = {"Name": self._name, "Value": text, "Type": "String", "Overwrite": True, "Description": described}
        with self._typed():
            return int(self._client.put_parameter(**(arguments | options))["Version"])

    def _typed(self) -> AbstractContextManager[None]:
        """Makes an error of botocore one of ours."""
        return aws_errors(self._error, "SSM")

    def _error(self, trouble: Trouble, said: str) -> Exception:
        if trouble is Trouble.MISSING:
            return RolloutNotFound(f"{self._name}: there is no such parameter, or no such version of it")
        if trouble is Trouble.CONFLICT:
            return StoreConflict(f"{self._name}: somebody else is writing it")
        return store_error(trouble, f"{self._name}: {said}")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One version; ``counts`` is False for one that was written over a version its writer had not seen."""

    stored: StoredRollout
    counts: bool
    advanced: bool

    @property
    def tier(self) -> dict[str, str]:
        """What a put says so that the parameter stays what it is."""
        return {"Tier": "Advanced"} if self.advanced else {}


def _entry(answer: dict[str, Any]) -> _Entry:
    text, version = str(answer["Value"]), int(answer["Version"])
    # A parameter keeps its description when others write without one: only the note of this very text is of it.
    mark = _MARK.fullmatch(str(answer.get("Description", "")))
    own = mark is not None and mark["digest"] == _digest(text)
    at = answer["LastModifiedDate"].astimezone(UTC).isoformat(timespec="seconds")
    return _Entry(
        StoredRollout(text.encode(), version, at, mark["note"] if mark and own else ""),
        counts=not own or mark is None or int(mark["number"]) == version,
        advanced=answer.get("Tier") == "Advanced",
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _check_size(content: bytes, *, advanced: bool) -> None:
    """More than a standard parameter takes goes only to one that somebody made an advanced one, which costs money."""
    if len(content) > STANDARD_BYTES and not advanced:
        raise InvalidRollout(
            f"rollout: is larger than the {STANDARD_BYTES} bytes of a standard parameter; an advanced one takes "
            f"{ADVANCED_BYTES} (aws ssm put-parameter --tier Advanced)"
        )


def _text(content: bytes) -> str:
    if not 0 < len(content) <= ADVANCED_BYTES:
        raise InvalidRollout(f"rollout: must have 1 to {ADVANCED_BYTES} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRollout("rollout: is not UTF-8") from None
