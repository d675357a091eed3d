"""Counts the answers of the scan routes for an experiment, when RAXE_EXPERIMENTS says where."""

import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from raxe.api.observability import record_lost
from raxe.api.responses import BatchResponse
from raxe.report import ScanResponse
from raxe.settings import Settings
from raxe.shadow import Shadowed
from raxe.values import CHALLENGER

if TYPE_CHECKING:
    from raxe.experiments.recorder import Recorder
    from raxe.values.experiments import Seen

_LAST_S = 2.0  # at most; Lambda itself ends the process 500 ms after SIGTERM


def start_recorder(settings: Settings) -> "Recorder | None":
    """What counts answers, None when nothing is to be counted; what waits is written at SIGTERM."""
    if settings.experiments is None:
        return None
    # Not before it is wanted: a start that counts nothing pays nothing.
    from raxe.bootstrap.experiments import experiments_of  # noqa: PLC0415
    from raxe.experiments.recorder import Recorder  # noqa: PLC0415

    recorder = Recorder(lambda: experiments_of(settings), settings.experiment)
    if threading.current_thread() is threading.main_thread():
        _close_at_sigterm(recorder)
    return recorder


def count(recorder: "Recorder | None", body: ScanResponse | BatchResponse, shadowed: Sequence[Shadowed] = ()) -> None:
    """Hands on what a request was answered, and what its shadow made of it; it does not wait.

    An answer without a model is of no arm. What the shadow made has no request id: feedback is for answers.
    """
    if recorder is None:
        return
    if isinstance(body, ScanResponse):
        answers, timed = [body], body.explanation is None  # an explanation takes several times as long
    else:
        # The time of a batch is no item's, and a text that stands in it twice counts once.
        by_text = {item.result.text_sha256: item.result for item in body.items if item.result}
        answers, timed = list(by_text.values()), False
    for answer in answers:
        seen = _seen(answer, timed=timed)
        if seen is not None:
            recorder.observe(seen)
    for each in shadowed:
        recorder.observe(_seen_by_shadow(each, timed=len(shadowed) == 1))
    if lost := recorder.take_lost():
        record_lost(lost)


def _seen(answer: ScanResponse, *, timed: bool) -> "Seen | None":
    from raxe.values.experiments import Seen  # noqa: PLC0415  (only where it is counted)

    # An error of the challenger, though the champion answered: else one that raises would have none in the report.
    replaced = any(failure.stage == CHALLENGER for failure in answer.failures)
    arm, model_id = (answer.model.arm, answer.model.id) if answer.model else ("", "")
    if not (arm or replaced):
        return None
    return Seen(
        arm=CHALLENGER if replaced else arm,
        model_id="" if replaced else model_id,
        flagged=answer.is_attack,
        failed=any(failure.stage != "explain" for failure in answer.failures),
        latency_ms=answer.duration_ms if timed and not replaced else None,
        request_id=answer.request_id,
        text_sha256=answer.text_sha256,
    )


def _seen_by_shadow(shadowed: Shadowed, *, timed: bool) -> "Seen":
    from raxe.values.experiments import Seen  # noqa: PLC0415

    return Seen(
        "shadow",
        shadowed.model_id,
        shadowed.flagged,
        failed=shadowed.error is not None,
        latency_ms=shadowed.duration_ms if timed else None,
    )


def _close_at_sigterm(recorder: "Recorder") -> None:
    """Writes what waits when the process is told to end, then does what was to be done at SIGTERM before."""
    before = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        recorder.close(_LAST_S)
        if callable(before):
            before(number, frame)
        elif before is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    signal.signal(signal.SIGTERM, end)
