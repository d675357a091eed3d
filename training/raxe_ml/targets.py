"""What a model must reach, beside what was measured."""

from dataclasses import dataclass

from raxe.registry.metadata import Accuracy
from raxe_ml.config import Targets


@dataclass(frozen=True, slots=True)
class Target:
    """One figure and its bound; ``at_most`` when lower is better."""

    name: str
    measured: float
    bound: float
    at_most: bool = False

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"at {'most' if self.at_most else 'least'} {self.bound}"

    @property
    def missed_by(self) -> float:
        """How far the figure is from its bound; 0 when it is reached."""
        return max(0.0, self.measured - self.bound if self.at_most else self.bound - self.measured)

    def __str__(self) -> str:
        return f"{self.name} {self.measured} ({self.wanted})"


def targets(bounds: Targets, accuracy: Accuracy) -> tuple[Target, ...]:
    """Each target of the configuration beside the figure on the held-out sources."""
    return (
        Target("F1", accuracy.f1, bounds.f1),
        Target("FPR", accuracy.fpr, bounds.fpr, at_most=True),
        Target("AUROC", accuracy.auroc, bounds.auroc),
    )
