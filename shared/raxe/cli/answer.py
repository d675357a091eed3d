"""A scan's answer for people: verdict, score, label, rules with their places, model, coverage. Never the text."""

from rich.table import Table
from rich.text import Text

from raxe.cli.output import facts, table
from raxe.report import ExplanationBody, L1Body, L2Body, ScanResponse, SpanBody
from raxe.values import Decision

_STYLES = {Decision.ALLOW: "bold green", Decision.REVIEW: "bold yellow", Decision.BLOCK: "bold red"}
_WINDOWS_SHOWN = 5  # of an explanation
_DIGEST_SHOWN = 19  # "sha256:" and twelve digits


def rendered(answer: ScanResponse, *, explain: bool) -> Table:
    """The answer as lines of name and value; ``explain`` adds views, predictions, windows, stages and ids."""
    pairs: list[tuple[str, object]] = [
        ("verdict", Text(answer.verdict.upper(), style=_STYLES[answer.verdict])),
        ("score", f"{answer.score:.4f}"),
    ]
    if answer.family is not None:
        pairs += [("attack", f"{answer.family} / {answer.subfamily}"), ("severity", answer.severity.value)]
    pairs.append(("rules", f"{answer.l1.detection_count} matched in {answer.l1.duration_ms:.2f} ms"))
    if answer.l1.has_detections:
        pairs.append(("", _rules(answer.l1, explain=explain)))
    pairs.append(("model", _model(answer)))
    if explain and answer.l2.predictions:
        pairs.append(("", _predictions(answer.l2)))
    if answer.explanation is not None:
        pairs += _explanation(answer.explanation)
    pairs += [("failed", f"{failure.stage}: {failure.error}") for failure in answer.failures]
    cover = answer.coverage
    read = [_count(cover.characters, "character"), _count(cover.tokens, "token"), _count(cover.windows, "window")]
    pairs.append(("coverage", ", ".join([*read, "truncated"] if cover.truncated else read)))
    if explain:
        stages = answer.l2.stages
        times = (
            f"tokenize {stages.tokenize_ms:.2f}, encode {stages.encode_ms:.2f}, classify {stages.classify_ms:.2f} ms"
        )
        pairs += [("stages", times), ("sha256", answer.text_sha256), ("request", answer.request_id)]
    pairs.append(("duration", f"{answer.duration_ms:.2f} ms"))
    return facts(pairs)


def _rules(l1: L1Body, *, explain: bool) -> Table:
    made = table(["rule", "subfamily", "severity", *(["view"] if explain else [])], ["confidence", "span"])
    for found in l1.detections:
        views = [found.view or ""] if explain else []
        cells = [found.rule_id, found.subfamily, found.severity.value, *views, f"{found.confidence:.2f}"]
        made.add_row(*cells, _span(found.span))
    return made


def _model(answer: ScanResponse) -> str:
    if any(failure.stage == "l2" for failure in answer.failures):
        return "did not answer"
    if answer.model is None:
        return "none: rules only"
    l2 = answer.l2
    place = f" at {_span(l2.span)}" if l2.span else ""
    digest = answer.model.digest[:_DIGEST_SHOWN]
    return f"score {l2.highest_confidence:.4f}{place} in {l2.duration_ms:.2f} ms by {answer.model.id} {digest}"


def _predictions(l2: L2Body) -> Table:
    made = table(["family", "subfamily"], ["confidence"])
    for found in l2.predictions:
        made.add_row(found.family.value, found.subfamily, f"{found.confidence:.4f}")
    if l2.anomaly_score is not None:
        near = {None: "", True: ", near known attacks", False: ", far from known attacks"}[l2.near_known_attack]
        made.add_row("", f"anomaly score{near}", f"{l2.anomaly_score:.4f}")
    return made


def _explanation(found: ExplanationBody) -> list[tuple[str, object]]:
    """Its windows, what decides the highest one, and the nearest cluster; nothing when no window was scored."""
    if not found.windows:
        return []
    shown = found.windows[:_WINDOWS_SHOWN]
    windows = table(["view"], ["span", "score"])
    for each in shown:
        windows.add_row(each.view, _span(each.span), f"{each.score:.4f}")
    pairs: list[tuple[str, object]] = [("windows", f"highest {len(shown)} of {found.window_count}"), ("", windows)]
    if found.decisive:
        pieces = table([], ["span", "score without", "drop"])
        for piece in found.decisive:
            pieces.add_row(_span(piece.span), f"{piece.score_without:.4f}", f"{piece.drop:.4f}")
        pairs += [("decisive", "places without which the highest window scores lower"), ("", pieces)]
    else:
        pairs.append(("decisive", "no single place"))
    return [*pairs, *([("nearest", found.nearest_cluster)] if found.nearest_cluster else [])]


def _span(span: SpanBody) -> str:
    """A half-open range of characters, as Python slices them."""
    return f"{span.start}:{span.end}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
