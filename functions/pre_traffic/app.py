"""The hook before traffic: CodeDeploy calls it with a new version of the scan function that nobody has reached yet."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from raxe.release.traffic import pre_traffic

logger = Logger(log_uncaught_exceptions=False)


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Whether the version may have traffic; CodeDeploy was told so."""
    outcome = pre_traffic(event, os.environ, context.get_remaining_time_in_millis() / 1000)
    logger.info("pre-traffic", extra={"succeeded": outcome.succeeded, "checks": outcome.lines})
    return {"succeeded": outcome.succeeded}
