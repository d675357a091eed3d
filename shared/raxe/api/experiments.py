"""Routes of experiments: labels for answers, and the report."""

import re
import time
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import StringConstraints, TypeAdapter, model_validator

from raxe.api.requests import Strict, parse
from raxe.api.web import body_of, json_answer, new_router
from raxe.errors import ExperimentNotFound
from raxe.experiments.report import Report, report
from raxe.protocols import ExperimentStore
from raxe.report import Body
from raxe.settings import EXPERIMENT_PATTERN
from raxe.values.experiments import Feedback, Label, Outcome

RequestId = Annotated[str, StringConstraints(strict=True, pattern=r"^[!-~]{1,128}$")]
TextSha256 = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}$")]
_REPORT = TypeAdapter(Report)


class FeedbackRequest(Strict):
    """Body of ``POST /v1/feedback``: what a text really was, found by its request, its text or both."""

    request_id: RequestId | None = None
    text_sha256: TextSha256 | None = None
    label: Label

    @model_validator(mode="after")
    def _one_at_least(self) -> "FeedbackRequest":
        if self.request_id is None and self.text_sha256 is None:
            raise ValueError("must have request_id, text_sha256 or both")
        return self

    @property
    def feedback(self) -> Feedback:
        """The same as a value of the library."""
        return Feedback(self.label, self.request_id, self.text_sha256)


class FeedbackResponse(Body):
    """Where a label went, and whether it was counted, moved the count of another one, or was there already."""

    experiment: str
    arm: str
    outcome: Outcome


def experiments_router(store: ExperimentStore) -> Router:
    """``POST /v1/feedback`` and ``GET /v1/experiments/{name}``."""
    router = new_router()

    @router.post("/v1/feedback")
    def feedback() -> Response[str]:
        done = store.label(parse(FeedbackRequest, body_of(router)).feedback, time.time())
        return json_answer(FeedbackResponse(experiment=done.name, arm=done.arm, outcome=done.outcome))

    @router.get("/v1/experiments/<name>")
    def experiment(name: str) -> Response[str]:
        return Response(200, "application/json", report_json(report_of(store, name)))

    return router


def report_of(store: ExperimentStore, name: str) -> Report:
    """The report of an experiment; raises ExperimentNotFound when nothing was counted under its name."""
    totals = store.read(name) if re.fullmatch(EXPERIMENT_PATTERN, name) else {}
    if not totals:
        raise ExperimentNotFound("nothing was counted under that name")
    return report(name, totals)


def report_json(made: Report) -> str:
    """The report as JSON."""
    return _REPORT.dump_json(made).decode()
