"""Settings -> where experiments are counted."""

from importlib import import_module
from pathlib import Path

from raxe.errors import ExperimentNotFound, InvalidInput
from raxe.protocols import ExperimentStore
from raxe.settings import Settings, experiments_place

_TABLE = "dynamodb:"


def open_experiments(place: str) -> ExperimentStore:
    """The store of ``dynamodb:TABLE`` or of a SQLite file; raises InvalidInput. Nothing is opened yet."""
    try:
        experiments_place(place)
    except ValueError as error:
        raise InvalidInput(str(error), field="at") from None
    store: ExperimentStore
    # By name, so that nobody pays for the client of the other.
    if place.startswith(_TABLE):
        store = import_module("raxe.adapters.dynamodb").DynamoDBExperimentStore(place.removeprefix(_TABLE))
    else:
        store = import_module("raxe.adapters.sqlite").SqliteExperimentStore(Path(place))
    return store


def experiments_of(settings: Settings) -> ExperimentStore:
    """The store that the settings name; raises ExperimentNotFound when they name none."""
    if settings.experiments is None:
        raise ExperimentNotFound("nothing is counted: RAXE_EXPERIMENTS is not set")
    return open_experiments(settings.experiments)
