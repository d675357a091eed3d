"""How requests are answered under one rollout document, or under none. A request takes one of these and keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from raxe.bootstrap.choosing import pick
from raxe.bootstrap.golden import Golden
from raxe.bootstrap.loading import LoadedModel
from raxe.bootstrap.models import ModelRegistry
from raxe.detectors import BrokenDetector, StubDetector
from raxe.errors import RaxeError
from raxe.policy import Policy
from raxe.protocols import ModelLayer, RuleLayer
from raxe.registry import Choice
from raxe.scanner import Scanner
from raxe.settings import Settings
from raxe.shadow import Shadow, Shadowed
from raxe.values import CHALLENGER, CHAMPION, OFF, Assignment, Failure, Prompt, RolloutId, Scan

if TYPE_CHECKING:  # only a process with a rollout document pays for it
    from raxe.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Serving:
    """The arms that are loaded.

    Attributes:
        scanner: with the champion, or with the rules alone.
        cause: why the champion is not there though it should be; None when all is well.
        golden: texts with known scores, when the champion came with them.
        choice: which model became champion, and why.
        rollout: the document in force, None for none.
        challenger: with the challenger, when there is one and it could be loaded.
        shadow: likewise.
        missing: why the challenger or the shadow could not be loaded.
        unknown: why no document is in force though there should be one; every scan carries it as a failure.
    """

    scanner: Scanner
    cause: RaxeError | None = None
    golden: Golden | None = None
    choice: Choice = field(default_factory=Choice)
    rollout: "Rollout | None" = None
    challenger: Scanner | None = None
    shadow: Shadow | None = None
    missing: Mapping[str, RaxeError] = field(default_factory=dict)
    unknown: RaxeError | None = None

    @property
    def off(self) -> bool:
        """Whether no model is wanted: rules alone."""
        return isinstance(self.scanner.model, StubDetector)

    @property
    def complete(self) -> bool:
        """Whether every model that the document names is loaded."""
        return self.cause is None and not self.missing

    @property
    def scanners(self) -> list[Scanner]:
        """Of every arm."""
        return [self.scanner, *([self.challenger] if self.challenger else [])]

    def arm_of(self, key: str | None) -> str:
        """The arm of a subject, or of the id of a request without one; None is the champion's."""
        if self.off:
            return OFF
        return CHAMPION if key is None or self.rollout is None else self.rollout.arm_of(key)

    def arm_of_model(self, model_id: str) -> str | None:
        """The arm that this model answers on, None when it answers on none."""
        for arm, scanner in ((CHAMPION, self.scanner), (CHALLENGER, self.challenger)):
            info = scanner.model.model_info if scanner else None
            if info is not None and info.model_id == model_id:
                return arm
        return None

    def scan(self, prompts: Sequence[Prompt], arms: Sequence[str]) -> list[Scan]:
        """One scan a prompt, in order, by its arm; the windows of all prompts of one arm share model calls.

        The champion answers for a challenger that could not be loaded, and for one that raises: then the scan carries
        a failure of stage ``challenger``, which its verdict does not hang on.
        """
        found: list[Scan | None] = [None] * len(prompts)
        for arm in sorted(set(arms)):
            at = [i for i, each in enumerate(arms) if each == arm]
            for i, scan in zip(at, self._answered([prompts[i] for i in at], arm), strict=True):
                found[i] = scan
        return [scan for scan in found if scan is not None]

    def explain(self, prompt: Prompt, scan: Scan) -> Scan:
        """The scan with its explanation by the model that answered."""
        return self._scanner(scan.assignment.arm).explain(prompt, scan)

    def shadowed(self, prompts: Sequence[Prompt], scans: Sequence[Scan], request_id: str) -> tuple[Shadowed, ...]:
        """What the shadow makes of the scans of a request; none when there is no shadow, or it is not in its share."""
        if self.shadow is None or self.rollout is None or not self.rollout.is_shadowed(request_id):
            return ()
        return self.shadow.compare(prompts, scans)

    def _answered(self, prompts: Sequence[Prompt], wanted: str) -> list[Scan]:
        """The scans of prompts of one arm."""
        arm = CHAMPION if wanted == CHALLENGER and self.challenger is None else wanted
        scans, failed = self._scanner(arm).scan(prompts), tuple[Failure, ...]()
        if arm == CHALLENGER:
            # Layers fail for all prompts of a call or for none.
            failed = tuple(Failure(CHALLENGER, each.error) for each in scans[0].failures if each.stage == "l2")
        if failed:
            arm, scans = CHAMPION, self.scanner.scan(prompts)
        return [self._signed(scan, Assignment(arm, wanted), failed) for scan in scans]

    def _scanner(self, arm: str) -> Scanner:
        return self.challenger if arm == CHALLENGER and self.challenger else self.scanner

    def _signed(self, scan: Scan, assignment: Assignment, failed: tuple[Failure, ...]) -> Scan:
        document = RolloutId(self.rollout.version, self.rollout.digest) if self.rollout else None
        unknown = (Failure("rollout", type(self.unknown).__name__),) if self.unknown else ()
        return replace(
            scan,
            model=replace(scan.model, arm=assignment.arm) if scan.model else None,
            failures=(*scan.failures, *failed, *unknown),
            assignment=replace(assignment, rollout=document),
        )


def build_serving(settings: Settings, rules: RuleLayer, rollout: "Rollout | None" = None) -> Serving:
    """What the settings and the document ask for, with every model loaded.

    A champion that cannot be loaded stops nothing: rules go on alone and every scan carries a failure.
    ``RAXE_L2_MODEL`` wins over the arms of the document, never over its switch, thresholds and ``on_failure``.
    """
    loaded, choice = pick(settings, rollout)
    model: ModelLayer = BrokenDetector(choice.cause) if choice.cause else StubDetector()
    scanner = Scanner(rules, loaded.detector if loaded else model, _policy(settings, loaded, rollout))
    made = Serving(scanner, choice.cause, loaded.golden if loaded else None, choice, rollout)
    if rollout is None or made.off:
        return made
    if settings.l2_model:
        rollout = replace(rollout, challenger=None)
    others, missing = _others(settings, rollout)
    policies = {arm: _policy(settings, loaded, rollout) for arm, loaded in others.items()}
    detectors = {arm: loaded.detector for arm, loaded in others.items()}
    return replace(
        made,
        rollout=rollout,
        missing=missing,
        challenger=Scanner(rules, detectors[CHALLENGER], policies[CHALLENGER]) if CHALLENGER in others else None,
        shadow=Shadow(detectors[_SHADOW], policies[_SHADOW]) if _SHADOW in others else None,
    )


_SHADOW = "shadow"


def _others(settings: Settings, rollout: "Rollout") -> tuple[dict[str, LoadedModel], dict[str, RaxeError]]:
    """The challenger and the shadow, loaded, and why one is not; a share of zero loads nothing."""
    wanted = {CHALLENGER: rollout.challenger, _SHADOW: rollout.shadow}
    names = {arm: split.model for arm, split in wanted.items() if split and split.buckets}
    loaded: dict[str, LoadedModel] = {}
    missing: dict[str, RaxeError] = {}
    for arm, name in names.items():
        try:
            registry = ModelRegistry(settings=settings)
            loaded[arm] = registry.load(registry.get_model(name))
        except RaxeError as error:
            missing[arm] = error
    return loaded, missing


def _policy(settings: Settings, loaded: LoadedModel | None, rollout: "Rollout | None") -> Policy:
    policy = Policy(on_failure=settings.on_failure)
    if loaded is not None:
        policy = replace(policy, default=loaded.thresholds, severities=loaded.detector.model_info.severities)
    if rollout is not None:
        on_failure = rollout.on_failure or policy.on_failure
        policy = replace(policy, of_source=rollout.thresholds, on_failure=on_failure)
    return policy
