"""Experiments in a DynamoDB table. boto3 is imported at the first call, never by ``import raxe``.

Items by ``pk`` and ``sk``, both strings, with the TTL attribute ``expires_s``:

    experiment#NAME    totals#ARM      counters; they grow by ADD, so that a writer needs not read
    experiment#NAME    labels#ARM      tp, fp, tn, fn; apart, as transactions and ADDs of one item refuse each other
    scan#REQUEST_ID    TEXT_SHA256     an answer; the index by-text (text_sha256, at_ns) finds the latest of a text

To count needs ``dynamodb:UpdateItem`` and ``dynamodb:BatchWriteItem``, to label and report ``dynamodb:Query`` and
``dynamodb:UpdateItem``.
"""

import random
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from raxe.adapters.aws import Trouble, aws_client, aws_errors
from raxe.adapters.counters import counters_of, totals_of
from raxe.errors import ExperimentStoreFailed, InvalidInput, ScanNotFound
from raxe.values.experiments import ArmTotals, Feedback, Label, Labelled, Outcome, Seen, cell

BY_TEXT = "by-text"
_NO_TEXT = "-"  # a key cannot be empty
_BATCH = 25  # items of one BatchWriteItem
_TRIES = 10
_PAUSE_S = 0.02
_CONNECT_S, _READ_S = 2, 5
_MODELS = "models"

Item = dict[str, Any]


class _Conflict(ExperimentStoreFailed):
    """Somebody else wrote the same items."""


class DynamoDBExperimentStore:
    """One table. AWS_ENDPOINT_URL_DYNAMODB leads to another than AWS's."""

    def __init__(self, table: str) -> None:
        """Nothing is opened before the first call."""
        self._table = table

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401  (types of DynamoDB are not installed)
        return aws_client("dynamodb", _CONNECT_S, _READ_S, attempts=3)

    @cached_property
    def _adder(self) -> Any:  # noqa: ANN401  (likewise)
        # An ADD whose answer was lost would count twice when it is sent again.
        return aws_client("dynamodb", _CONNECT_S, _READ_S, attempts=1)

    def add(self, name: str, arm: str, delta: ArmTotals) -> None:
        """Adds to the totals of an arm in one call; its answer may get lost after the sums were added."""
        named: dict[str, Item] = {key: {"N": str(value)} for key, value in counters_of(delta).items()}
        if delta.models:
            named[_MODELS] = {"SS": sorted(delta.models)}
        if named:
            with _typed():
                self._adder.update_item(**_adding(self._table, name, f"totals#{arm}", named))

    def read(self, name: str) -> dict[str, ArmTotals]:
        """The totals by arm."""
        named: dict[str, defaultdict[str, float]] = {}
        models: dict[str, list[str]] = {}
        for item in self._query(f"experiment#{name}"):
            arm = item["sk"]["S"].partition("#")[2]
            sums = named.setdefault(arm, defaultdict(float))
            for key, value in item.items():
                sums[key] += float(value["N"]) if "N" in value else 0
            models.setdefault(arm, []).extend(item.get(_MODELS, {}).get("SS", []))
        return {arm: totals_of(each, models[arm]) for arm, each in named.items()}

    def remember(self, name: str, answers: Sequence[Seen], expires_s: float) -> None:
        """Keeps answers that have a request id, 25 in a call."""
        # A call takes each key once.
        items = {(each.request_id, each.text_sha256): _answer(name, each, expires_s) for each in answers}
        puts = [{"PutRequest": {"Item": item}} for (request_id, _), item in items.items() if request_id]
        for start in range(0, len(puts), _BATCH):
            self._put({self._table: puts[start : start + _BATCH]})

    def label(self, feedback: Feedback, now_s: float) -> Labelled:
        """Counts a label once for each answer: its own item and the counts change together or not at all."""
        for attempt in range(_TRIES):
            item = self._find(feedback, now_s)
            name, arm, flagged = item["experiment"]["S"], item["arm"]["S"], item["flagged"]["BOOL"]
            before = Label(item["truth"]["S"]) if "truth" in item else None
            if before is feedback.label:
                return Labelled(name, arm, Outcome.UNCHANGED)
            changes: dict[str, Item] = {cell(flagged=flagged, label=feedback.label): {"N": "1"}}
            if before is not None:
                changes[cell(flagged=flagged, label=before)] = {"N": "-1"}
            try:
                with _typed():
                    self._client.transact_write_items(
                        TransactItems=[
                            {"Update": self._relabelled(item, feedback.label)},
                            {"Update": _adding(self._table, name, f"labels#{arm}", changes)},
                        ]
                    )
            except _Conflict:
                time.sleep(random.uniform(0, _PAUSE_S * (attempt + 1)))  # noqa: S311  (those who met must part)
            else:
                return Labelled(name, arm, Outcome.COUNTED if before is None else Outcome.MOVED)
        raise ExperimentStoreFailed(f"DynamoDB: others wrote it {_TRIES} times meanwhile")

    def _find(self, feedback: Feedback, now_s: float) -> Item:
        request_id, sort = feedback.request_id, feedback.text_sha256
        if request_id is None:
            latest = self._latest(feedback.text_sha256 or _NO_TEXT)
            request_id = latest["pk"]["S"].partition("#")[2] if latest else _NO_TEXT
        found = [each for each in self._query(f"scan#{request_id}", sort) if float(each["expires_s"]["N"]) > now_s]
        if not found:
            raise ScanNotFound("no such scan is remembered")
        if len(found) > 1:
            raise InvalidInput("is required: the request has several texts", field="text_sha256")
        return found[0]

    def _latest(self, text_sha256: str) -> Item | None:
        with _typed():
            answer = self._client.query(
                TableName=self._table,
                IndexName=BY_TEXT,
                KeyConditionExpression="text_sha256 = :text",
                ExpressionAttributeValues={":text": {"S": text_sha256}},
                ScanIndexForward=False,
                Limit=1,
            )
        return next(iter(answer["Items"]), None)

    def _query(self, key: str, sort: str | None = None) -> list[Item]:
        values = {":pk": {"S": key}, **({":sk": {"S": sort}} if sort else {})}
        with _typed():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk = :sk" if sort else "pk = :pk",
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            )
            return [item for page in pages for item in page["Items"]]

    def _relabelled(self, item: Item, label: Label) -> Item:
        before = item.get("truth")
        return {
            "TableName": self._table,
            "Key": {"pk": item["pk"], "sk": item["sk"]},
            "UpdateExpression": "SET truth = :new",
            "ConditionExpression": "truth = :old" if before else "attribute_exists(pk) AND attribute_not_exists(truth)",
            "ExpressionAttributeValues": {":new": {"S": label.value}, **({":old": before} if before else {})},
        }

    def _put(self, wanted: dict[str, list[Item]]) -> None:
        for attempt in range(_TRIES):
            with _typed():
                wanted = self._client.batch_write_item(RequestItems=wanted)["UnprocessedItems"]
            if not wanted:
                return
            time.sleep(_PAUSE_S * 2**attempt)
        raise ExperimentStoreFailed("DynamoDB: takes no more items now")


def _adding(table: str, name: str, sort: str, named: dict[str, Item]) -> Item:
    """An update that adds to counters, under aliases: names of attributes may be words of DynamoDB's own."""
    return {
        "TableName": table,
        "Key": {"pk": {"S": f"experiment#{name}"}, "sk": {"S": sort}},
        "UpdateExpression": "ADD " + ", ".join(f"#{i} :{i}" for i in range(len(named))),
        "ExpressionAttributeNames": {f"#{i}": key for i, key in enumerate(named)},
        "ExpressionAttributeValues": {f":{i}": value for i, value in enumerate(named.values())},
    }


def _answer(name: str, seen: Seen, expires_s: float) -> Item:
    item: Item = {
        "pk": {"S": f"scan#{seen.request_id}"},
        "sk": {"S": seen.text_sha256 or _NO_TEXT},
        "experiment": {"S": name},
        "arm": {"S": seen.arm},
        "flagged": {"BOOL": seen.flagged},
        "at_ns": {"N": str(time.time_ns())},
        "expires_s": {"N": str(int(expires_s))},
    }
    return item | ({"text_sha256": {"S": seen.text_sha256}} if seen.text_sha256 else {})


def _typed() -> AbstractContextManager[None]:
    """Makes an error of botocore one of ours."""
    return aws_errors(_error)


def _error(trouble: Trouble, said: str) -> Exception:
    return _Conflict() if trouble is Trouble.CONFLICT else ExperimentStoreFailed(f"DynamoDB: {said}")
