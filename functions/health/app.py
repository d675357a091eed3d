"""The health function: `GET /v1/health`. Rules and model are loaded once, at import."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from raxe.api.observability import logger, metrics
from raxe.api.routes import health_router
from raxe.api.web import handle_errors
from raxe.bootstrap import process_engine

app = APIGatewayHttpResolver(debug=False)  # explicit: POWERTOOLS_DEV must not be able to print events
app.include_router(health_router(process_engine()))
handle_errors(app)


# log_event is explicit: an environment variable must not be able to log texts.
@logger.inject_lambda_context(log_event=False, correlation_id_path="requestContext.requestId")
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The API Gateway response to a payload 2.0 event."""
    return app.resolve(event, context)
