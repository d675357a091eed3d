"""Routes of experiments: labels for answers, and the report."""

import time

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from raxe.api.observability import record_feedback, record_report
from raxe.api.requests import parse
from raxe.api.web import body_of, json_answer, new_router
from raxe.experiments.feedback import FeedbackRequest
from raxe.experiments.report import report_json, report_of
from raxe.protocols import ExperimentStore
from raxe.report import Body
from raxe.values.experiments import Outcome


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
        record_feedback(done.outcome)
        return json_answer(FeedbackResponse(experiment=done.name, arm=done.arm, outcome=done.outcome))

    @router.get("/v1/experiments/<name>")
    def experiment(name: str) -> Response[str]:
        made = report_of(store, name)
        record_report()
        return Response(200, "application/json", report_json(made))

    return router
