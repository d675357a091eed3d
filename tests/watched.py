"""What `raxe rollout watch` looks at, on disk: a rollout document and counted answers."""

from pathlib import Path

from typer.testing import CliRunner, Result

from raxe.adapters.rollout_file import FileRolloutStore
from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.cli import app
from raxe.protocols import ExperimentStore
from raxe.rollout import Rollout, Split, dump_rollout
from raxe.values.experiments import ArmTotals, Seen

DOCUMENT = Rollout(champion="model-one", challenger=Split("model-two", 1000), shadow=Split("model-three", 500))


def watch(*arguments: str, width: int = 80, **variables: str) -> Result:
    """What ``raxe rollout watch`` does."""
    env = {"COLUMNS": str(width), "RAXE_ROLLOUT": None, "RAXE_EXPERIMENTS": None, "RAXE_EXPERIMENT": None, **variables}
    return CliRunner().invoke(app, ["rollout", "watch", *arguments], env=env)


def fill(store: ExperimentStore, times: int = 1) -> None:
    """Counts 1,000 answers of the champion, 50 of them flagged, and 100 of the challenger, 10 of them failed."""
    for _ in range(times):
        answers = [Seen("champion", "model-one", flagged=at % 20 == 0, latency_ms=8.0) for at in range(1000)]
        store.add("rollout", "champion", ArmTotals.of(answers))
        answers = [Seen("challenger", "model-two", flagged=False, failed=at % 10 == 0) for at in range(100)]
        store.add("rollout", "challenger", ArmTotals.of(answers))


def new_document(folder: Path) -> str:
    """The path of a document with two arms and a shadow."""
    FileRolloutStore(folder / "rollout.json").write(dump_rollout(DOCUMENT), 0, "canary 10")
    return str(folder / "rollout.json")


def new_counts(folder: Path) -> str:
    """The path of a SQLite file that was filled once."""
    fill(SqliteExperimentStore(folder / "counts.sqlite"))
    return str(folder / "counts.sqlite")
