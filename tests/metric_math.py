"""CloudWatch's metric math, as far as the alarms of the template use it: an alarm and its metrics -> breached or not.

moto keeps alarms and metrics but evaluates no expression, so the words of AWS's documentation are done here: a missing
metric is None, whatever is made of None is None but for FILL and the branch of an IF that is not taken, and what None
means is said by TreatMissingData.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|(\w+)|(>=|<=|[-+*/()<>,]))")
_BINARY: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "OR": (1, lambda a, b: float(bool(a) or bool(b))), "AND": (2, lambda a, b: float(bool(a) and bool(b))),
    ">": (3, operator.gt), "<": (3, operator.lt), ">=": (3, operator.ge), "<=": (3, operator.le),
    "+": (4, operator.add), "-": (4, operator.sub),
    "*": (5, operator.mul), "/": (5, lambda a, b: a / b if b else math.nan),
}  # fmt: skip
Value = float | None


class _Parser:
    """A precedence parser that computes while it reads; both branches of an IF are computed, as nothing has effects."""

    def __init__(self, expression: str, metrics: Mapping[str, Value]) -> None:
        found = list(_TOKEN.finditer(expression))
        assert "".join(each.group(0) for each in found).strip() == expression.strip(), f"cannot read {expression!r}"
        self._tokens = [each.group(0).strip() for each in found]
        self._metrics, self._at = metrics, 0

    def whole(self) -> Value:
        """The value of the whole expression."""
        value = self._binary(1)
        assert self._at == len(self._tokens), self._tokens[self._at :]
        return value

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _binary(self, level: int) -> Value:
        left = self._primary()
        while self._peek() in _BINARY and _BINARY[self._peek()][0] >= level:
            rank, compute = _BINARY[self._take()]
            right = self._binary(rank + 1)
            left = None if left is None or right is None else float(compute(left, right))
            left = None if left is not None and math.isnan(left) else left
        return left

    def _primary(self) -> Value:
        token = self._take()
        if token == "(":  # noqa: S105  (a parenthesis)
            value = self._binary(1)
            assert self._take() == ")"
            return value
        if token in {"IF", "FILL", "ABS"}:
            return self._call(token)
        return float(token) if token[0].isdigit() else self._metrics[token]

    def _call(self, name: str) -> Value:
        assert self._take() == "("
        values = [self._binary(1)]
        while self._take() == ",":
            values.append(self._binary(1))
        if name == "FILL":
            return values[1] if values[0] is None else values[0]
        if name == "ABS":
            return None if values[0] is None else abs(values[0])
        condition, then, otherwise = values
        return None if condition is None else then if condition else otherwise


def evaluate(expression: str, metrics: Mapping[str, Value]) -> Value:
    """The value of an expression over metrics by id; None for no data point."""
    return _Parser(expression, metrics).whole()


def breached(alarm: Mapping[str, Any], metrics: Mapping[str, Value]) -> bool:
    """Whether a period with these values, by id of the alarm's metrics, is beyond the alarm's threshold."""
    known = dict(metrics)
    (watched,) = [each for each in alarm["Metrics"] if each.get("ReturnData", True)]
    for each in alarm["Metrics"]:
        if "Expression" in each and each is not watched:
            known[each["Id"]] = evaluate(each["Expression"], metrics)
    value = evaluate(watched["Expression"], known)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"
    return value is not None and value > float(alarm["Threshold"])
