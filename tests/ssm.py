"""SSM on loopback: parameters that nobody else uses, and rivals that write at the worst moment."""

import itertools
from collections.abc import Callable
from typing import Any

import boto3

from raxe.adapters.ssm import SsmOptions, SsmRolloutStore

_numbers = itertools.count()


def new_name() -> str:
    """The name of a parameter that nobody else uses."""
    return f"/raxe/test-{next(_numbers)}/rollout"


def parameter_store(endpoint: str, name: str | None = None) -> SsmRolloutStore:
    """A store over a parameter, a new one by default."""
    return SsmRolloutStore(name or new_name(), SsmOptions(endpoint, read_timeout_s=60, attempts=1))


def ssm_client(endpoint: str) -> Any:  # noqa: ANN401  (mypy knows no stubs of it)
    """A client as the console's: without the care that the store takes."""
    return boto3.session.Session().client("ssm", endpoint_url=endpoint)


def before_put(store: SsmRolloutStore, call: Callable[[], object]) -> None:
    """Has ``call`` happen once, right before the next write of the store reaches SSM."""
    pending = [call]

    def interrupt(**_: object) -> None:
        if pending:
            pending.pop()()

    store._client.meta.events.register("before-call.ssm.PutParameter", interrupt)
