"""Experiments in one SQLite file, or in memory: for a laptop or a server. Processes may write it at once (WAL)."""

import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from raxe.adapters.counters import counters_of, totals_of
from raxe.errors import ExperimentStoreFailed, InvalidInput, ScanNotFound
from raxe.values.experiments import ArmTotals, Feedback, Label, Labelled, Outcome, Seen, cell

_BUSY_S = 10.0  # how long a writer waits for another
_SCHEMA = """
CREATE TABLE IF NOT EXISTS counters (
    name TEXT NOT NULL, arm TEXT NOT NULL, counter TEXT NOT NULL, value NOT NULL, PRIMARY KEY (name, arm, counter)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS models (
    name TEXT NOT NULL, arm TEXT NOT NULL, model_id TEXT NOT NULL, PRIMARY KEY (name, arm, model_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY, request_id TEXT NOT NULL, text_sha256 TEXT NOT NULL, name TEXT NOT NULL,
    arm TEXT NOT NULL, flagged INTEGER NOT NULL, expires_s REAL NOT NULL, label TEXT, UNIQUE (request_id, text_sha256)
);
CREATE INDEX IF NOT EXISTS by_text ON answers (text_sha256, number);
CREATE INDEX IF NOT EXISTS by_end ON answers (expires_s);
"""
_ADD = """
INSERT INTO counters VALUES (?, ?, ?, ?)
ON CONFLICT (name, arm, counter) DO UPDATE SET value = value + excluded.value
"""
# An answer that comes again keeps its label.
_REMEMBER = """
INSERT INTO answers (request_id, text_sha256, name, arm, flagged, expires_s) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (request_id, text_sha256) DO NOTHING
"""
_FIND = """
SELECT number, name, arm, flagged, label FROM answers
WHERE expires_s > :now AND (:request IS NULL OR request_id = :request) AND (:text IS NULL OR text_sha256 = :text)
ORDER BY number DESC LIMIT 2
"""


class SqliteExperimentStore:
    """A file; None keeps everything in memory."""

    def __init__(self, path: Path | None = None) -> None:
        """Nothing is opened before the first call."""
        self._path, self._lock = path, Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, name: str, arm: str, delta: ArmTotals) -> None:
        """Adds to the totals of an arm."""
        with self._writing() as connection:
            connection.executemany(_ADD, [(name, arm, *pair) for pair in counters_of(delta).items()])
            models = [(name, arm, model_id) for model_id in delta.models]
            connection.executemany("INSERT OR IGNORE INTO models VALUES (?, ?, ?)", models)

    def read(self, name: str) -> dict[str, ArmTotals]:
        """The totals by arm."""
        with self._writing() as connection:  # one moment of both tables
            counters = connection.execute("SELECT arm, counter, value FROM counters WHERE name = ?", (name,)).fetchall()
            models = connection.execute("SELECT arm, model_id FROM models WHERE name = ?", (name,)).fetchall()
        named: dict[str, dict[str, int | float]] = {arm: {} for arm, _ in models}
        for arm, counter, value in counters:
            named.setdefault(arm, {})[counter] = value
        return {arm: totals_of(each, {model for of, model in models if of == arm}) for arm, each in named.items()}

    def remember(self, name: str, answers: Sequence[Seen], expires_s: float) -> None:
        """Keeps answers that have a request id."""
        rows = [
            (each.request_id, each.text_sha256, name, each.arm, each.flagged, expires_s)
            for each in answers
            if each.request_id
        ]
        with self._writing() as connection:
            connection.executemany(_REMEMBER, rows)

    def label(self, feedback: Feedback, now_s: float) -> Labelled:
        """Counts a label once for each answer."""
        wanted = {"now": now_s, "request": feedback.request_id, "text": feedback.text_sha256}
        with self._writing() as connection:
            connection.execute("DELETE FROM answers WHERE expires_s <= ?", (now_s,))
            found = connection.execute(_FIND, wanted).fetchall()
            if not found:
                raise ScanNotFound("no such scan is remembered")
            if feedback.text_sha256 is None and len(found) > 1:
                raise InvalidInput("is required: the request has several texts", field="text_sha256")
            number, name, arm, flagged, labelled = found[0]
            before = Label(labelled) if labelled else None
            if before is feedback.label:
                return Labelled(name, arm, Outcome.UNCHANGED)
            connection.execute("UPDATE answers SET label = ? WHERE number = ?", (feedback.label, number))
            connection.execute(_ADD, (name, arm, cell(flagged=bool(flagged), label=feedback.label), 1))
            if before is not None:
                connection.execute(_ADD, (name, arm, cell(flagged=bool(flagged), label=before), -1))
        return Labelled(name, arm, Outcome.COUNTED if before is None else Outcome.MOVED)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction of its own, taken back when anything is raised."""
        with self._lock:
            try:
                connection = self._connection or self._opened()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:  # also an interrupt must not leave the transaction open; it is raised again
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise ExperimentStoreFailed(
                    f"SQLite: {getattr(error, 'sqlite_errorname', type(error).__name__)}"
                ) from None

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:", timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        weakref.finalize(self, connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        self._connection = connection
        return connection
