"""Who may administer, read from what API Gateway proved of the caller."""

import re
from collections.abc import Mapping
from typing import Any

from raxe.api.problems import ScopeMissing


def require_admin(context: Mapping[str, Any], scope: str) -> None:
    """Returns when the request context is of a caller who may administer; raises ScopeMissing.

    The route has let the caller in already: with JWT by the scope, with IAM by a policy that names the route. This
    looks again, so that a route that was opened by mistake opens nothing. A token needs the scope here too. Of an IAM
    caller it must be known who that is; which routes a principal may call is in its policy and nowhere else.
    """
    authorizer = context.get("authorizer") or {}
    token = authorizer.get("jwt")
    if token is not None:
        allowed = scope in _scopes(token.get("claims") or {})
    else:
        allowed = bool((authorizer.get("iam") or {}).get("userArn"))
    if not allowed:
        raise ScopeMissing("the caller may not administer")


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    """The scopes of a token: API Gateway looks at ``scope``, else at ``scp``, and writes a list as ``[a b]``."""
    return set(re.split(r"[\s,\[\]]+", str(claims.get("scope") or claims.get("scp") or ""))) - {""}
