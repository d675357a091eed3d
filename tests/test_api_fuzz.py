"""Whatever is sent, the scan function answers with a documented status; it never fails and never echoes."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raxe.api.problems import CONTENT_TYPE
from tests.handlers import Answer, Handler

FIELDS = ["text", "messages", "items", "source", "role", "content", "subject", "model_id", "explain", "\ud800", ""]
words = st.text(st.characters(), max_size=20) | st.just("user")
leaves = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner),
    max_leaves=12,
)
roles = st.sampled_from(["user", "tool", "system"])
messages = st.lists(st.fixed_dictionaries({"role": roles, "content": values}), max_size=3)
nearly = st.dictionaries(st.sampled_from(FIELDS), values | messages, max_size=4)
either = st.sampled_from(["/v1/scan", "/v1/scan/batch"])
quiet = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None)


def assert_documented(answer: Answer) -> None:
    """Asserts that the answer is a result or a problem of the caller's making, with its content type."""
    assert answer.status in {200, 400, 413, 422}, answer.body
    assert answer.content_type == ("application/json" if answer.status == 200 else CONTENT_TYPE)


@quiet
@given(values | nearly, either, st.booleans())
def test_any_json_is_answered(scan_handler: Handler, body: Any, route: str, escaped: bool) -> None:  # noqa: ANN401
    """Any JSON value, with or without escapes, is scanned or refused."""
    raw = json.dumps(body, ensure_ascii=escaped)
    assert_documented(replace(scan_handler, path=route).send(raw))


@quiet
@given(st.binary(max_size=200), either)
def test_any_bytes_are_answered(scan_handler: Handler, body: bytes, route: str) -> None:
    """Any bytes, sent as base64, are refused or scanned."""
    assert_documented(replace(scan_handler, path=route).send(base64.b64encode(body).decode(), isBase64Encoded=True))


@quiet
@given(st.lists(nearly | values, min_size=1, max_size=5))
def test_a_batch_has_an_answer_for_each_item(batch_handler: Handler, items: list[Any]) -> None:
    """Every item has a result or an error, exactly one of both, in order."""
    body = json.dumps({"items": items})
    answer = batch_handler.send(body)
    if answer.status == 400:  # lone surrogates or NaN-like literals that are no JSON to us
        return
    found = answer.body["items"]
    assert [item["index"] for item in found] == list(range(len(items)))
    assert all((item["result"] is None) != (item["error"] is None) for item in found)


@pytest.mark.parametrize("route", ["/v1/scan", "/v1/scan/batch"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_another_method_is_not_found(scan_handler: Handler, route: str, method: str) -> None:
    """The scan routes are POST only."""
    assert scan_handler.handle.__name__ == "handler"
    assert Handler(route, method, scan_handler.handle).send({"text": "hello"}).status == 404
