"""Clients of AWS, and what their errors mean. boto3 is imported with the first client, never by ``import raxe``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from raxe.errors import StoreConflict, StoreDenied, StoreError, StoreUnavailable


class Trouble(Enum):
    """What an error of a call means to its caller."""

    SETTLED = "it is so already"
    MISSING = "there is no such thing"
    CONFLICT = "somebody else wrote it meanwhile"
    UNAVAILABLE = "trying again may help"
    DENIED = "trying again does not help"


_CODES = {
    Trouble.SETTLED: {"304", "LifecycleEventAlreadyCompletedException", "NotModified"},
    Trouble.MISSING: {"404", "NoSuchKey", "NotFound", "ParameterNotFound", "ParameterVersionNotFound"},
    Trouble.CONFLICT: {
        "409", "412", "ConditionalRequestConflict", "ParameterAlreadyExists", "PreconditionFailed", "TooManyUpdates",
        "TransactionCanceledException", "TransactionConflictException", "TransactionInProgressException",
    },
    Trouble.UNAVAILABLE: {
        "InternalError", "InternalServerError", "RequestTimeout", "ServiceUnavailable", "SlowDown",
        "ThrottlingException",
    },
}  # fmt: skip
_STORE_ERRORS: dict[Trouble, type[StoreError]] = {
    Trouble.CONFLICT: StoreConflict, Trouble.UNAVAILABLE: StoreUnavailable, Trouble.DENIED: StoreDenied,
}  # fmt: skip


def aws_client(
    service: str, connect_timeout_s: float, read_timeout_s: float, attempts: int, endpoint_url: str | None = None
) -> Any:  # noqa: ANN401  (boto3 makes its clients at run time)
    """A client with timeouts in seconds and so many tries of a call, the first included; nothing is called yet.

    Raises StoreDenied when what is set for AWS on this machine, such as its profile or region, gives no client.
    """
    import boto3  # noqa: PLC0415  (100 ms that only a start that needs AWS pays)
    from botocore.config import Config  # noqa: PLC0415  (likewise)
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415  (likewise)

    config = Config(
        connect_timeout=connect_timeout_s,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    try:
        session: Any = boto3.session.Session()  # its type knows the names of services as literals only
        return session.client(service, endpoint_url=endpoint_url, config=config)
    except BotoCoreError as error:
        raise StoreDenied(f"no client of {service}: {type(error).__name__}") from None


@contextmanager
def aws_errors(made: Callable[[Trouble, str], Exception], service: str = "") -> Iterator[None]:
    """Raises in the place of an error of botocore what ``made`` makes of its kind and of words for it.

    The words are the code that the service answered, the HTTP status where there is none, or the class of the error:
    nothing that was sent or came back.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415  (lazy)
    from botocore.parsers import ResponseParserError  # noqa: PLC0415  (likewise)
    from urllib3.exceptions import HTTPError  # noqa: PLC0415  (likewise)

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        said = f"{service} answered {code or status}" if service else code or str(status)
        raise made(_trouble(code, status), said) from None
    except NoCredentialsError:
        raise made(Trouble.DENIED, "no AWS credentials") from None
    except (BotoCoreError, ResponseParserError, HTTPError) as error:
        raise made(Trouble.UNAVAILABLE, type(error).__name__) from None


def store_error(trouble: Trouble, message: str) -> StoreError:
    """The error of a store for a conflict and for what it does not do."""
    return _STORE_ERRORS[trouble](message)


def _trouble(code: str, status: int) -> Trouble:
    known = next((trouble for trouble, codes in _CODES.items() if code in codes), None)
    return known or (Trouble.UNAVAILABLE if status >= 500 or status == 429 else Trouble.DENIED)
