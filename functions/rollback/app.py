"""The rollback function: SNS calls it with alarms on the champion and the challenger."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from raxe.errors import InvalidEvent
from raxe.release.duty import on_alarms

logger = Logger(log_uncaught_exceptions=False)


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[str]]:  # noqa: ARG001  (Lambda's signature)
    """What was done about each message, in words; a message that is no alarm is logged and left."""
    said = []
    for each in on_alarms(event, os.environ):
        if isinstance(each, InvalidEvent):
            logger.warning("message ignored", extra={"error": type(each).__name__, "reason": str(each)})
            said.append(str(each))
            continue
        figures = {"alarm": each.alarm.name, "since": each.alarm.at.isoformat(), "version": each.version}
        logger.info("alarm handled", extra=figures | {"done": each.words})
        said.append(each.words)
    return {"done": said}
