"""The hook after traffic: CodeDeploy calls it when the new version of the scan function has all of it."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from raxe.release.traffic import post_traffic

logger = Logger(log_uncaught_exceptions=False)


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Whether the version may stay; CodeDeploy was told so."""
    outcome = post_traffic(event, os.environ, context.get_remaining_time_in_millis() / 1000)
    logger.info("post-traffic", extra={"succeeded": outcome.succeeded, "checks": outcome.lines})
    return {"succeeded": outcome.succeeded}
