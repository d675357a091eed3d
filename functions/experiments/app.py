"""The experiments function: `POST /v1/feedback` and `GET /v1/experiments/{name}`. It loads neither rules nor model."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from raxe.api.experiments import experiments_router
from raxe.api.observability import logger, metrics
from raxe.api.web import handle_errors
from raxe.bootstrap.experiments import experiments_of
from raxe.settings import from_environment

app = APIGatewayHttpResolver(debug=False)  # explicit: POWERTOOLS_DEV must not be able to print events
app.include_router(experiments_router(experiments_of(from_environment())))
handle_errors(app)


@logger.inject_lambda_context(log_event=False, correlation_id_path="requestContext.requestId")
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The API Gateway response to a payload 2.0 event."""
    return app.resolve(event, context)
