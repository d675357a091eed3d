"""``ABModelSelector``: two models share the users of a program, and what each answers is counted and compared."""

import uuid
from collections.abc import Mapping

from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.errors import InvalidInput
from raxe.experiments.assignment import gets_second
from raxe.experiments.recorder import Recorder
from raxe.experiments.report import Report, report
from raxe.values import CHALLENGER, CHAMPION, Scan
from raxe.values.experiments import Seen

Context = Mapping[str, object] | str


class ABModelSelector:
    """Which of two models a user gets, always the same one, and how the two do.

    ``variant_a`` is the arm ``champion``, ``variant_b`` the arm ``challenger``.
    """

    def __init__(
        self,
        variant_a: str,
        variant_b: str,
        split: float = 0.5,
        user_hash_key: str = "user_id",
        *,
        recorder: Recorder | None = None,
    ) -> None:
        """Takes two different model ids, the share of users that get ``variant_b``, and where a context has its user.

        Answers are counted by ``recorder``, by default in memory; who gets which model hangs on its name too.

        Raises:
            InvalidInput: the models are the same one, or the share is not in [0, 1].
        """
        if variant_a == variant_b:
            raise InvalidInput("must be another model than variant_a", field="variant_b")
        if not 0 <= split <= 1:
            raise InvalidInput("must be a number from 0 to 1", field="split")
        self._arms = {variant_a: CHAMPION, variant_b: CHALLENGER}
        self._variants = (variant_a, variant_b)
        self._split, self._key = split, user_hash_key
        self._recorder = recorder or Recorder(SqliteExperimentStore, "ab-test")

    def select(self, context: Context) -> str:
        """The id of the model for a user, given as an id or as a context that has it under ``user_hash_key``.

        Raises:
            InvalidInput: the context names no user.
        """
        user = context if isinstance(context, str) else context.get(self._key)
        if user is None or user == "":
            raise InvalidInput("is required", field=self._key)
        return self._variants[gets_second(self._recorder.name, str(user), self._split)]

    def track_result(
        self, model_id: str, *, latency_ms: float, flagged: bool, failed: bool = False, request_id: str = ""
    ) -> None:
        """Counts what a model answered; with a ``request_id`` feedback finds it. It does not wait.

        Raises:
            InvalidInput: the model is none of the two.
        """
        self._recorder.observe(Seen(self.arm_of(model_id), model_id, flagged, failed, latency_ms, request_id))

    def arm_of(self, model_id: str) -> str:
        """The arm of a model; raises InvalidInput when it is none of the two."""
        if model_id not in self._arms:
            raise InvalidInput("is none of the two models", field="model_id")
        return self._arms[model_id]

    def track_scan(self, model_id: str, scan: Scan, *, timed: bool = True) -> None:
        """Counts a scan by a model; feedback finds it by its text. A scan that is not ``timed`` has no latency."""
        seen = Seen(
            arm=self.arm_of(model_id),
            model_id=scan.model.model_id if scan.model else model_id,  # a fallback may have answered in its place
            flagged=scan.is_attack,
            failed=any(failure.stage != "explain" for failure in scan.failures),
            latency_ms=scan.duration_ms if timed else None,
            request_id=str(uuid.uuid4()),
            text_sha256=scan.text_sha256,
        )
        self._recorder.observe(seen)

    def get_report(self) -> Report:
        """The report over all that the store has and what was tracked here; raises ExperimentStoreFailed."""
        return report(self._recorder.name, self._recorder.totals())

    def close(self) -> None:
        """Writes what waits."""
        self._recorder.close()
