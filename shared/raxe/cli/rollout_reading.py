"""What ``raxe rollout watch`` reads: three sources, each with what it gave last and why it gives nothing now."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from raxe.adapters.release import CloudWatchAlarms
from raxe.bootstrap.experiments import open_experiments
from raxe.bootstrap.rollout import open_rollout
from raxe.errors import ExperimentNotFound, InvalidInput, RaxeError
from raxe.experiments.watching import ArmFigures, Figures, Watch
from raxe.protocols import StoredRollout
from raxe.release.alarms import ALARMS
from raxe.rollout import Rollout, parse_rollout
from raxe.settings import experiment_name
from raxe.values import CHALLENGER, CHAMPION

T = TypeVar("T")
_OF_STACK = re.compile(r"ssm:/(raxe)/([a-z]+)/rollout")


class Kept(Generic[T]):
    """What a source gave last; it is never forgotten for one that fails."""

    def __init__(self, look: Callable[[], T]) -> None:
        """Nothing is looked at yet."""
        self._look = look
        self.value: T | None = None
        self.at: datetime | None = None
        self.error: str | None = None

    def refresh(self) -> None:
        """Looks; what is wrong is kept beside what was there before."""
        try:
            self.value = self._look()
        except RaxeError as error:
            self.error = f"{type(error).__name__}: {error}"
        else:
            self.at, self.error = datetime.now(UTC), None


@dataclass(frozen=True, slots=True)
class Places:
    """What is watched.

    Attributes:
        rollout: where the document is, None for none.
        experiments: where answers are counted, None for nowhere.
        experiment: the name that they are counted under.
        stack: whose alarms are looked at; None for nobody's.
        window_s: how far the figures go back, in seconds.
    """

    rollout: str | None
    experiments: str | None
    experiment: str
    stack: str | None
    window_s: float


class Reading:
    """The sources that there are; None for one that there is not."""

    def __init__(self, places: Places) -> None:
        """Nothing is read yet; raises InvalidInput for places that cannot be, or when there is none at all."""
        if places.rollout is None and places.experiments is None:
            raise InvalidInput("give ssm:/name or a file, or set RAXE_ROLLOUT or RAXE_EXPERIMENTS", field="at")
        self.places = places
        stack = places.stack or stack_of(places.rollout)
        self.document = Kept(_document(places.rollout)) if places.rollout else None
        self.figures = Kept(_figures(places)) if places.experiments else None
        self.alarms = Kept(_alarms(stack)) if stack else None

    @property
    def sources(self) -> dict[str, Kept[tuple[StoredRollout, Rollout]] | Kept[Figures] | Kept[list[str]]]:
        """Those that there are, by name."""
        found = {"document": self.document, "figures": self.figures, "alarms": self.alarms}
        return {name: each for name, each in found.items() if each is not None}

    @property
    def failing(self) -> bool:
        """Whether a source gave nothing at the last look."""
        return any(each.error for each in self.sources.values())

    @property
    def arms(self) -> list[ArmFigures]:
        """Champion, challenger, others; an arm that the document gives a share and that did nothing is there too."""
        if self.figures is None or self.figures.value is None:
            return []
        found = dict(self.figures.value.arms)
        if self.document and self.document.value:
            rollout = self.document.value[1]
            wanted = [CHAMPION] if rollout.l2 else []
            wanted += [CHALLENGER] if rollout.l2 and rollout.challenger and rollout.challenger.buckets else []
            found = {arm: ArmFigures(arm) for arm in wanted} | found
        return sorted(found.values(), key=lambda each: (each.arm != CHAMPION, each.arm != CHALLENGER, each.arm))

    def refresh(self) -> None:
        """Looks at every source."""
        for each in self.sources.values():
            each.refresh()

    def json(self) -> str:
        """One line with all of it."""
        body: dict[str, object] = {"at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        body["document"] = _document_body(*self.document.value) if self.document and self.document.value else None
        shown = self.figures.value if self.figures else None
        body["span_s"] = shown.span_s if shown else None
        body["arms"] = [asdict(each) for each in self.arms]
        body["alarms"] = self.alarms.value if self.alarms else None
        body["stale"] = {
            name: {"error": each.error, "read": each.at.isoformat(timespec="milliseconds") if each.at else None}
            for name, each in self.sources.items()
            if each.error
        }
        return json.dumps(body, allow_nan=False)


def stack_of(place: str | None) -> str | None:
    """The stack that a parameter is of, by its name; None for another name, and for a file."""
    found = _OF_STACK.fullmatch(place or "")
    return "-".join(found.groups()) if found else None


def _document(place: str) -> Callable[[], tuple[StoredRollout, Rollout]]:
    store = open_rollout(place, patient=True)

    def look() -> tuple[StoredRollout, Rollout]:
        stored = store.read()
        return stored, parse_rollout(stored.content, stored.version)

    return look


def _figures(places: Places) -> Callable[[], Figures]:
    place = str(places.experiments)
    try:
        watch = Watch(open_experiments(place), experiment_name(places.experiment), places.window_s)
    except ValueError as error:
        raise InvalidInput(str(error), field="experiment") from None

    def look() -> Figures:
        if not place.startswith("dynamodb:") and not Path(place).is_file():
            raise ExperimentNotFound("the file is not there")  # SQLite would make one
        return watch.look()

    return look


def _alarms(stack: str) -> Callable[[], list[str]]:
    alarms, names = CloudWatchAlarms(), [f"{stack}-{each}" for each in ALARMS]
    return lambda: alarms.raised(names)


def _document_body(stored: StoredRollout, rollout: Rollout) -> dict[str, object]:
    body = {"version": stored.version, "written": stored.at, "note": stored.note, "digest": rollout.digest}
    return {**body, "document": json.loads(stored.content)}
