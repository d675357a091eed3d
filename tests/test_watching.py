"""Looks at an experiment: figures are of the answers that came in between, whatever the store does meanwhile."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.errors import ExperimentStoreFailed
from raxe.experiments.watching import Figures, Watch
from raxe.protocols import ExperimentStore
from raxe.values.experiments import ArmTotals, Seen
from tests.fakes import FailingExperiments

Batch = list[Seen]
BATCHES = st.lists(
    st.lists(
        st.builds(
            Seen,
            arm=st.sampled_from(["champion", "challenger", "shadow"]),
            model_id=st.just("m"),
            flagged=st.booleans(),
            failed=st.booleans(),
            latency_ms=st.none() | st.floats(0.1, 1000),
        ),
        max_size=6,
    ),
    min_size=2,
    max_size=8,
)


@dataclass(slots=True)
class Watched:
    """A store in memory with a clock that is moved by hand, and the looks at it."""

    store: ExperimentStore = field(default_factory=SqliteExperimentStore)
    now_s: float = 0.0
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        """Looks through whatever store there is."""
        self.watch = Watch(self, "e", window_s=60, clock=lambda: self.now_s)  # type: ignore[arg-type]

    def read(self, name: str) -> dict[str, ArmTotals]:
        """What the store has."""
        return self.store.read(name)

    def add(self, answers: Batch) -> None:
        """Counts answers."""
        for arm in {each.arm for each in answers}:
            self.store.add("e", arm, ArmTotals.of([each for each in answers if each.arm == arm]))

    def look(self, after_s: float = 0.0) -> Figures:
        """Looks some seconds later."""
        self.now_s += after_s
        return self.watch.look()


@settings(max_examples=40, deadline=None)
@given(BATCHES, st.integers(1, 100))
def test_figures_are_those_of_the_answers_that_came_in_the_window(batches: list[Batch], every_s: int) -> None:
    """Scans, shares and rate of each arm are counted again by hand, over the looks that the window reaches."""
    watched = Watched()
    for number, batch in enumerate(batches):
        watched.add(batch)
        found = watched.look(every_s)
        back = max(1, 60 // every_s)  # looks that the window reaches; one is always compared with
        in_window = batches[: number + 1] if number == 0 else batches[max(number - back, 0) + 1 : number + 1]
        assert found.span_s == (None if number == 0 else min(back, number) * every_s)
        for arm, figures in found.arms.items():
            own = [each for answers in in_window for each in answers if each.arm == arm]
            assert figures.scans == len(own)
            assert figures.flagged == (sum(each.flagged for each in own) / len(own) if own else None)
            assert figures.failed == (sum(each.failed for each in own) / len(own) if own else None)
            assert (figures.latency is None) == all(each.latency_ms is None for each in own)
            assert figures.per_minute == (len(own) * 60 / found.span_s if found.span_s else None)


def test_a_store_that_fails_hides_nothing() -> None:
    """The error is the store's; the look after it has what came meanwhile, over the whole time."""
    watched = Watched()
    watched.add([Seen("champion", "m", flagged=True)])
    watched.look()
    kept, watched.store = watched.store, FailingExperiments(ExperimentStoreFailed("down"))
    with pytest.raises(ExperimentStoreFailed):
        watched.look(10)
    watched.store = kept
    watched.add([Seen("champion", "m", flagged=False)] * 3)
    found = watched.look(10)
    assert (found.span_s, found.arms["champion"].scans, found.arms["champion"].per_minute) == (20, 3, 9)


def test_counts_that_went_down_are_counted_anew() -> None:
    """A file that was made anew gives no negative figures: the look says that it is since counting began."""
    watched = Watched()
    watched.add([Seen("champion", "m", flagged=True)] * 5)
    watched.look()
    watched.store = SqliteExperimentStore()
    watched.add([Seen("champion", "m", flagged=True)] * 2)
    found = watched.look(10)
    assert (found.span_s, found.arms["champion"].scans) == (None, 2)
    assert (watched.look(10).span_s, watched.look(10).arms["champion"].scans) == (10, 0)
