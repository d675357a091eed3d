"""Ours and another guard of the same size over the same rows, row by row in turn: ``make bench-peers``.

    python -m tests.bench.peers [ROWS.jsonl]

Without a file the rows are those of the corpus's frozen test part. A file has lines ``{text, label, set?, role?}``.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from functions.local.events import ROOT
from raxe.bootstrap import Engine, build_engine
from raxe.evaluation import Row, figures, read_rows, scan_rows
from raxe.settings import from_environment
from raxe.values import Source
from raxe_ml.corpus.rows import load_corpus

PEER = "defender 0.9.4"  # stackone-defender
_INTERPRETER = ROOT / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one guard says of one row."""

    flagged: bool
    score: float
    ms: float


def frozen_rows() -> list[Row]:
    """The rows of the corpus's test part; their set is the role, so that documents and prompts stand apart."""
    return [Row(row.text, row.label, f"corpus {row.role}", Source(row.role)) for row in load_corpus().test]


def ours(row: Row, engine: Engine) -> Answer:
    """The serving path on one row; a refused one counts as flagged, in no time, as in `raxe evaluate`."""
    (said,) = scan_rows([row], engine)
    return Answer(said.flagged, said.score, said.duration_ms or 0.0)


def both(rows: Sequence[Row]) -> Iterator[tuple[Answer, Answer]]:
    """Ours and the peer's answer to each row, in turn, so that both meet the same load of the machine."""
    engine = build_engine(from_environment({"ONNX_NUM_THREADS": "2"}))
    with subprocess.Popen(
        [_INTERPRETER, Path(__file__).with_name("peer_defender.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    ) as peer:  # fmt: skip
        assert peer.stdin
        assert peer.stdout
        for row in rows:
            mine = ours(row, engine)
            peer.stdin.write(json.dumps({"text": row.text, "role": row.source.value}) + "\n")
            peer.stdin.flush()
            yield mine, Answer(**json.loads(peer.stdout.readline()))
        peer.stdin.close()


def print_table(rows: Sequence[Row], answers: Sequence[tuple[Answer, Answer]]) -> None:
    """Prints one line a set and guard."""
    table = Table("set", "n", "guard", "recall", "FPR", "F1", "balanced", "AUROC", "p50 ms", "p95 ms")
    names = sorted({row.set or "rows" for row in rows})
    for name in [*names, "overall"] if len(names) > 1 else names:
        chosen = [i for i, row in enumerate(rows) if name in (row.set or "rows", "overall")]
        for guard, at in (("raxe", 0), (PEER, 1)):
            said = [answers[i][at] for i in chosen]
            found = figures([rows[i].label for i in chosen], [a.flagged for a in said], [a.score for a in said])
            p50, p95 = np.percentile([a.ms for a in said], (50, 95))
            shares = (found.recall, found.fpr, found.f1, found.balanced_accuracy, found.auroc)
            cells = ["-" if share is None else f"{share:.3f}" for share in shares]
            table.add_row(*(("", "") if at else (name, str(found.n))), guard, *cells, f"{p50:.1f}", f"{p95:.1f}")
    Console(width=120).print(table)


def main() -> None:
    """Runs both guards and prints the table."""
    rows = read_rows(Path(sys.argv[1])) if len(sys.argv) > 1 else frozen_rows()
    print_table(rows, list(both(rows)))


if __name__ == "__main__":
    main()
