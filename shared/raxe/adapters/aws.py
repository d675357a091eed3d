"""Clients of AWS services. boto3 is imported when the first one is made, never by ``import raxe``."""

from typing import Any


def aws_client(
    service: str, connect_timeout_s: float, read_timeout_s: float, attempts: int, endpoint_url: str | None = None
) -> Any:  # noqa: ANN401  (boto3 makes its clients at run time)
    """A client with timeouts in seconds and so many tries of a call, the first included; nothing is called yet."""
    import boto3  # noqa: PLC0415  (100 ms that only a start that needs AWS pays)
    from botocore.config import Config  # noqa: PLC0415  (likewise)

    config = Config(
        connect_timeout=connect_timeout_s,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    session: Any = boto3.session.Session()  # its type knows the names of services as literals only
    return session.client(service, endpoint_url=endpoint_url, config=config)
