"""Request bodies in, answers out; no HTTP and no Lambda here."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import ValidationError

from raxe.api.problems import ModelNotAllowed, problem_of
from raxe.api.requests import MAX_BATCH_TEXTS, MAX_EXPLAINED, BatchRequest, ScanRequest, parse
from raxe.api.responses import BatchItem, BatchResponse
from raxe.bootstrap import Engine, Serving
from raxe.errors import InvalidInput, RaxeError, TextEmpty, TextTooLarge
from raxe.report import ScanResponse, scan_response
from raxe.shadow import Shadowed
from raxe.values import Prompt, Scan

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with the scans it was made of, for logs and metrics, and what has the shadow score them now."""

    body: ScanResponse | BatchResponse
    scans: tuple[Scan, ...]
    shadow: Callable[[], tuple[Shadowed, ...]]


@dataclass(frozen=True, slots=True)
class _Parts:
    """A checked request: its prompts, for each the position of its message (None for a plain text), and its arm."""

    prompts: list[Prompt]
    messages: list[int | None]
    explain: bool
    arm: str


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of the API: all of it is answered by the same serving, whatever comes into force meanwhile."""

    serving: Serving
    request_id: str
    started: float


class ScanService:
    """The two scan routes without their transport."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine that scans."""
        self._engine = engine

    def scan(self, body: str | bytes, request_id: str) -> Answer:
        """The answer to ``POST /v1/scan``; raises ValidationError or InvalidInput."""
        call = _Call(self._engine.serving(), request_id, time.perf_counter())
        parts = self._prepare(self._check(parse(ScanRequest, body), call), call)
        scans = self._explained(parts, self._scan([parts], call), call)
        return _answer(_response(parts, scans, request_id), [parts], scans, call)

    def batch(self, body: str | bytes, request_id: str) -> Answer:
        """The answer to ``POST /v1/scan/batch``: all windows of all items share model calls, a bad item fails alone."""
        call = _Call(self._engine.serving(), request_id, time.perf_counter())
        request = parse(BatchRequest, body)
        checked = [
            _attempt(lambda raw: self._check(ScanRequest.model_validate(raw), call), item) for item in request.items
        ]
        self._check_total([each for each in checked if isinstance(each, ScanRequest)])
        prepared = [
            _attempt(lambda checked: self._prepare(checked, call), each) if isinstance(each, ScanRequest) else each
            for each in checked
        ]
        fine = [each for each in prepared if isinstance(each, _Parts)]
        scans = self._scan(fine, call)
        items, answered, at = [], list[Scan](), 0
        for index, parts in enumerate(prepared):
            if isinstance(parts, _Parts):
                own = self._explained(parts, scans[at : at + len(parts.prompts)], call)
                at += len(own)
                answered += own
                items.append(BatchItem(index=index, result=_response(parts, own, request_id)))
            else:
                items.append(BatchItem(index=index, error=problem_of(parts).body(request_id)))
        duration_ms = round((time.perf_counter() - call.started) * 1000, 4)
        response = BatchResponse(items=items, request_id=request_id, duration_ms=duration_ms)
        return _answer(response, fine, tuple(answered), call)

    def _check(self, request: ScanRequest, call: _Call) -> ScanRequest:
        """The request, when this function may answer it; sizes are looked at before anything is prepared."""
        limit = self._engine.settings.max_characters
        if request.model_id is not None and call.serving.arm_of_model(request.model_id) is None:
            raise ModelNotAllowed("is not the model that this function serves", field="model_id")
        for text, _, field in request.parts():
            if len(text) > limit:
                raise TextTooLarge(f"has {len(text)} characters, at most {limit} are scanned", field=field)
        self._within_limit(request.characters, "messages")
        return request

    def _check_total(self, requests: Sequence[ScanRequest]) -> None:
        texts = sum(len(each.parts()) for each in requests)
        if texts > MAX_BATCH_TEXTS:
            message = f"have {texts} texts together, at most {MAX_BATCH_TEXTS} are scanned"
            raise TextTooLarge(message, field="items")
        if sum(each.explain for each in requests) > MAX_EXPLAINED:
            raise InvalidInput(f"may ask for at most {MAX_EXPLAINED} explanations together", field="items")
        self._within_limit(sum(each.characters for each in requests), "items")

    def _prepare(self, request: ScanRequest, call: _Call) -> _Parts:
        pinned = call.serving.arm_of_model(request.model_id) if request.model_id else None
        found = _Parts([], [], request.explain, pinned or call.serving.arm_of(request.subject or call.request_id))
        empty: TextEmpty | None = None
        for text, source, field in request.parts():
            try:
                found.prompts.append(self._engine.prepare(text, source, subject=request.subject, field=field))
            except TextEmpty as error:  # tools often return nothing; only a request without any text is wrong
                empty = error
            else:
                found.messages.append(int(field.split(".")[1]) if request.messages else None)
        if not found.prompts:
            raise empty or InvalidInput("has no message of role user or tool", field="messages")
        return found

    def _scan(self, requests: Sequence[_Parts], call: _Call) -> tuple[Scan, ...]:
        """The scans, each with the time since the call began: reading and preparing the request counts."""
        prompts = [prompt for parts in requests for prompt in parts.prompts]
        scans = call.serving.scan(prompts, [parts.arm for parts in requests for _ in parts.prompts])
        duration_ms = (time.perf_counter() - call.started) * 1000
        return tuple(replace(scan, duration_ms=duration_ms) for scan in scans)

    def _explained(self, parts: _Parts, scans: tuple[Scan, ...], call: _Call) -> tuple[Scan, ...]:
        """The scans; where it is asked for, the one that answers has its explanation, whose time counts too."""
        if not parts.explain:
            return scans
        at = _worst(scans)
        scan = call.serving.explain(parts.prompts[at], scans[at])
        scan = replace(scan, duration_ms=(time.perf_counter() - call.started) * 1000)
        return (*scans[:at], scan, *scans[at + 1 :])

    def _within_limit(self, characters: int, field: str) -> None:
        limit = self._engine.settings.max_characters
        if characters > limit:
            raise TextTooLarge(f"have {characters} characters together, at most {limit} are scanned", field=field)


def _answer(
    body: ScanResponse | BatchResponse, requests: Sequence[_Parts], scans: tuple[Scan, ...], call: _Call
) -> Answer:
    prompts = [prompt for parts in requests for prompt in parts.prompts]
    return Answer(body, scans, lambda: call.serving.shadowed(prompts, scans, call.request_id))


def _attempt(call: Callable[[In], Out], value: In) -> Out | RaxeError | ValidationError:
    """What ``call`` makes of ``value``, or what is wrong with it."""
    try:
        return call(value)
    except (RaxeError, ValidationError) as error:
        return error


def _worst(scans: Sequence[Scan]) -> int:
    """Which scan has the severest decision, then the highest score; the first on a tie."""
    ranks = [(scan.verdict.decision.rank, scan.verdict.score) for scan in scans]
    return ranks.index(max(ranks))


def _response(parts: _Parts, scans: Sequence[Scan], request_id: str) -> ScanResponse:
    """The answer of the worst part."""
    worst = _worst(scans)
    return scan_response(scans[worst], request_id, explain=parts.explain, message=parts.messages[worst])
