"""``ExperimentStore``: a SQLite file, memory and a DynamoDB table keep the same promises."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from raxe.adapters.dynamodb import DynamoDBExperimentStore
from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.errors import ExperimentStoreFailed, InvalidInput, ScanNotFound
from raxe.protocols import ExperimentStore
from raxe.values.experiments import ArmTotals, Feedback, Label, Labelled, Outcome, Seen
from tests.dynamodb import table_store

NOW, LATER = 1_700_000_000.0, 1_700_000_100.0
TEXT, OTHER = "a" * 64, "b" * 64
# Opens the same store once more, as another process would.
Opened = Callable[[], ExperimentStore]


@pytest.fixture(params=["sqlite", "memory", "dynamodb"])
def again(request: pytest.FixtureRequest, tmp_path: Path, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Opens each store, empty at first."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", s3_endpoint)
    if request.param == "sqlite":
        return lambda: SqliteExperimentStore(tmp_path / "experiments.sqlite")
    one = SqliteExperimentStore() if request.param == "memory" else table_store(s3_endpoint)
    return lambda: one


@pytest.fixture
def store(again: Opened) -> ExperimentStore:
    """One store."""
    return again()


def seen(text: str = TEXT, *, arm: str = "champion", flagged: bool = True, request_id: str = "r1") -> Seen:
    """An answer."""
    return Seen(arm, "m", flagged, request_id=request_id, text_sha256=text)


def labels(store: ExperimentStore, name: str = "e", arm: str = "champion") -> tuple[int, int, int, int]:
    """tp, fp, tn and fn of an arm."""
    totals = store.read(name).get(arm, ArmTotals())
    return totals.tp, totals.fp, totals.tn, totals.fn


def test_what_is_added_is_read(again: Opened) -> None:
    """Totals come back as they are, add up by arm, and are nobody else's; another opener sees them at once."""
    answers = [Seen("x", model, at % 2 == 0, at % 5 == 0, 0.01 * 3**at) for at in range(12) for model in ("m1", "m2")]
    again().add("e", "champion", ArmTotals.of(answers[:10]))
    again().add("e", "champion", ArmTotals.of(answers[10:]))
    again().add("e", "challenger", ArmTotals(n=1))
    again().add("other", "champion", ArmTotals(n=7))
    found, wanted = again().read("e"), ArmTotals.of(answers)
    assert found.keys() == {"champion", "challenger"}
    assert (found["challenger"], found["challenger"].timed) == (ArmTotals(n=1), 0)
    got = found["champion"]
    assert (got.n, got.flagged, got.errors, got.histogram) == (24, wanted.flagged, wanted.errors, wanted.histogram)
    assert got.models == {"m1", "m2"}
    assert got.latency_sum_ms == pytest.approx(wanted.latency_sum_ms)
    assert got.latency_squares_ms2 == pytest.approx(wanted.latency_squares_ms2)
    assert again().read("nobody") == {}


def test_writers_at_once_lose_nothing(again: Opened) -> None:
    """Eight writers add to one arm forty times in all, and four label what one of them counted."""
    stores = [again() for _ in range(8)]
    stores[0].remember("e", [seen()], LATER)

    def write(at: int) -> None:
        stores[at % 8].add("e", "champion", ArmTotals.of([seen()]))
        if at % 10 == 0:
            stores[at % 8].label(Feedback(Label.ATTACK, "r1"), NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    totals = again().read("e")["champion"]
    assert (totals.n, totals.flagged, totals.tp) == (40, 40, 1)


@pytest.mark.parametrize(
    ("flagged", "label", "expected"),
    [
        (True, Label.ATTACK, (1, 0, 0, 0)),
        (True, Label.BENIGN, (0, 1, 0, 0)),
        (False, Label.BENIGN, (0, 0, 1, 0)),
        (False, Label.ATTACK, (0, 0, 0, 1)),
    ],
)
def test_a_label_counts_in_its_cell(
    store: ExperimentStore, flagged: bool, label: Label, expected: tuple[int, int, int, int]
) -> None:
    """By what the answer was, in the experiment and arm that it was remembered for."""
    store.remember("e", [seen(flagged=flagged, arm="challenger")], LATER)
    assert store.label(Feedback(label, "r1"), NOW) == Labelled("e", "challenger", Outcome.COUNTED)
    assert (labels(store, arm="challenger"), labels(store)) == (expected, (0, 0, 0, 0))


def test_a_label_counts_once_and_another_one_moves_it(store: ExperimentStore) -> None:
    """The same label again does nothing, by whatever it is found; another label takes the first one back."""
    store.remember("e", [seen()], LATER)
    by = [Feedback(Label.ATTACK, "r1"), Feedback(Label.ATTACK, None, TEXT), Feedback(Label.ATTACK, "r1", TEXT)]
    assert [store.label(each, NOW).outcome for each in by] == ["counted", "unchanged", "unchanged"]
    assert store.label(Feedback(Label.BENIGN, "r1"), NOW).outcome == "moved"
    assert labels(store) == (0, 1, 0, 0)
    assert store.label(Feedback(Label.ATTACK, "r1"), NOW).outcome == "moved"
    assert labels(store) == (1, 0, 0, 0)
    store.add("e", "champion", ArmTotals(n=9, tp=4, tn=5))
    assert labels(store) == (5, 0, 5, 0)


def test_an_answer_that_comes_again_in_one_call_is_one(store: ExperimentStore) -> None:
    """And more answers than a call of DynamoDB takes are all kept."""
    store.remember("e", [seen(), seen(), *(seen(request_id=f"n{at}") for at in range(60))], LATER)
    assert all(store.label(Feedback(Label.ATTACK, f"n{at}"), NOW).outcome == "counted" for at in range(60))
    assert [store.label(Feedback(Label.ATTACK, "r1"), NOW).outcome for _ in range(2)] == ["counted", "unchanged"]


def test_a_text_stands_for_its_latest_answer(store: ExperimentStore) -> None:
    """Of two requests with one text the later one gets the label."""
    for arm, request_id in (("champion", "r1"), ("challenger", "r2")):
        store.remember("e", [seen(arm=arm, request_id=request_id)], LATER)
    assert store.label(Feedback(Label.ATTACK, None, TEXT), NOW).arm == "challenger"
    assert store.label(Feedback(Label.ATTACK, "r2"), NOW).outcome == "unchanged"
    assert store.label(Feedback(Label.ATTACK, "r1"), NOW).outcome == "counted"


def test_a_request_of_several_texts_wants_one_of_them(store: ExperimentStore) -> None:
    """Without a text that is an error that names the field, and nothing is counted."""
    store.remember("e", [seen(), seen(OTHER, arm="challenger")], LATER)
    with pytest.raises(InvalidInput) as caught:
        store.label(Feedback(Label.ATTACK, "r1"), NOW)
    assert (caught.value.field, labels(store)) == ("text_sha256", (0, 0, 0, 0))
    assert store.label(Feedback(Label.ATTACK, "r1", OTHER), NOW).arm == "challenger"


@pytest.mark.parametrize(
    "feedback",
    [
        Feedback(Label.ATTACK, "nobody"),
        Feedback(Label.ATTACK, None, OTHER),
        Feedback(Label.ATTACK, "r1", OTHER),
        Feedback(Label.ATTACK, "r2", TEXT),
        Feedback(Label.ATTACK, ""),
    ],
)
def test_what_is_not_remembered_is_not_found(store: ExperimentStore, feedback: Feedback) -> None:
    """Another request, another text, or both not together; an answer without a request id is never kept."""
    store.remember("e", [seen(), seen(OTHER, request_id="")], LATER)
    with pytest.raises(ScanNotFound):
        store.label(feedback, NOW)


def test_an_answer_is_forgotten_at_its_end(store: ExperimentStore) -> None:
    """From then on it is not found, by request or by text; its label stays counted."""
    store.remember("e", [seen()], LATER)
    store.label(Feedback(Label.ATTACK, "r1"), NOW)
    for feedback in (Feedback(Label.BENIGN, "r1"), Feedback(Label.BENIGN, None, TEXT)):
        with pytest.raises(ScanNotFound):
            store.label(feedback, LATER)
    assert labels(store) == (1, 0, 0, 0)


class TestBadDays:
    """A store that does not do its part says so in one error."""

    def test_no_table(self, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of DynamoDB."""
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", s3_endpoint)
        failing(DynamoDBExperimentStore("nobody"))

    @pytest.mark.usefixtures("s3_endpoint")
    def test_no_server_and_no_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of DynamoDB."""
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
        failing(DynamoDBExperimentStore("table"))
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        failing(DynamoDBExperimentStore("table"))

    def test_no_folder_and_no_database(self, tmp_path: Path) -> None:
        """Of SQLite."""
        failing(SqliteExperimentStore(tmp_path / "none" / "file"))
        (tmp_path / "text").write_text("no database\n" * 100)
        failing(SqliteExperimentStore(tmp_path / "text"))


def failing(store: ExperimentStore) -> None:
    """Asserts that every method fails."""
    for call in (
        lambda: store.add("e", "champion", ArmTotals(n=1)),
        lambda: store.read("e"),
        lambda: store.remember("e", [seen()], LATER),
        lambda: store.label(Feedback(Label.ATTACK, "r1"), NOW),
    ):
        with pytest.raises(ExperimentStoreFailed):
            call()
