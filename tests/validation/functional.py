"""Functional validation: the model's files and golden texts, what is flagged and allowed, rules, failures, targets."""

from collections import Counter
from collections.abc import Iterator

from functions.local.events import ROOT
from raxe.bootstrap import Engine, build_engine
from raxe.bootstrap.golden import GOLDEN_TOLERANCE
from raxe.cli.rules import broken_examples
from raxe.registry import Metadata
from raxe.rules import load_rules
from raxe.values import Source
from raxe_ml.config import load_config
from raxe_ml.targets import targets
from tests.smoke.texts import ATTACKS, BENIGN, Sent
from tests.validation.items import Item, Proof, State, Subject, all_of, proven, state_of

CONFIG = ROOT / "training" / "configs" / "minilm-l6.yaml"  # the targets are the same for every model
PROOFS = (Proof("a layer that fails never allows", ("tests/test_scanner.py", "tests/test_loading.py")),)


def functional(subject: Subject) -> Iterator[Item]:
    """All items of this group, in order."""
    yield _model(subject)
    engine = build_engine(subject.settings)
    yield _golden(engine)
    yield _flagged("attacks are flagged", engine, ATTACKS)
    yield _flagged("benign texts are allowed", engine, BENIGN)
    yield _rules()
    yield from proven(PROOFS)
    yield from _targets(subject.model)


def _model(subject: Subject) -> Item:
    found = subject.registry.validate_model(subject.model.model_id)
    wrong = [f"{check.name}: {check.problem}" for check in found.checks if check.problem]
    figure = f"{len(found.checks) - len(wrong)} of {len(found.checks)} checks"
    return Item("raxe models validate", state_of(found.passed), "; ".join([figure, *wrong]))


def _golden(engine: Engine) -> Item:
    if engine.golden is None:
        return Item("golden texts", State.FAIL, engine.broken or "the model has none")
    worst = engine.golden.worst_difference()
    figure = f"{len(engine.golden.texts)} texts, scores differ by {worst:.4f} (at most {GOLDEN_TOLERANCE})"
    return Item("golden texts", state_of(worst <= GOLDEN_TOLERANCE), figure)


def _flagged(name: str, engine: Engine, texts: tuple[Sent, ...]) -> Item:
    """Counts the texts with the right verdict, from a scan in which no layer failed."""
    right: Counter[str] = Counter()
    for sent in texts:
        scan = engine.scan_text(sent.text, Source(sent.source))
        allowed = scan.verdict.decision == "allow"
        right[sent.family or sent.source] += not scan.failures and allowed is not bool(sent.family)
    kinds = Counter(sent.family or sent.source for sent in texts)
    parts = ", ".join(f"{kind} {right[kind]}/{kinds[kind]}" for kind in kinds)
    return all_of(name, right.total(), len(texts), f"({parts})")


def _rules() -> Item:
    rules = load_rules()
    examples = sum(len(rule.matches) + len(rule.not_matches) for rule in rules)
    wrong = len(list(broken_examples(rules)))
    return all_of(f"examples of the {len(rules)} rules", examples - wrong, examples, "examples")


def _targets(model: Metadata) -> Iterator[Item]:
    if model.accuracy is None:
        yield Item("accuracy on held-out sources", State.MISS, "not measured; run `make benchmark`")
        return
    for target in targets(load_config(CONFIG).targets, model.accuracy):
        state = State.MISS if target.missed_by else State.PASS
        yield Item(f"{target.name} on held-out sources", state, f"{target.measured} ({target.wanted})")
