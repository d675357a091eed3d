"""What the tests of CodeDeploy's hooks share: an event, and a handler behind an ARN."""

from functions.local.events import load_event
from functions.local.gateway import LocalContext
from raxe.release.hooks import Outcome
from tests.aws import ARN, FakeAws
from tests.handlers import Handler

EVENT = load_event("codedeploy_hook")
VERSION = f"{ARN}scan:7"
TIME_S = 230.0


def serve(aws: FakeAws, handler: Handler, arn: str = VERSION, version: str = "7") -> None:
    """Puts a handler behind an ARN."""
    aws.functions[arn] = (lambda event: handler.handle(event, LocalContext("scan")), version)


def failed(outcome: Outcome) -> dict[str, str]:
    """The checks that did not pass, with their details."""
    return {each.check: each.detail for each in outcome.findings if not each.passed}
