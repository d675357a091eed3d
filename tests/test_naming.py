"""Names of clusters and the distance that counts as near a known attack, on small arrays."""

from dataclasses import replace

import numpy as np
import pytest

from raxe.bundle import build_bundle, parse_bundle
from raxe.values import L2Result, ScanResult
from raxe_ml.calibrate import NEAR_SHARE, Scored, anomaly_threshold
from raxe_ml.naming import cluster_names
from raxe_ml.rows import BENIGN, Row
from raxe_ml.taxonomy import load_taxonomy
from tests.bundles import CONTENTS

CENTRES = np.eye(5, dtype=np.float32)


def row(family: str, subfamily: str = "") -> Row:
    """A row of a user."""
    return Row("x", family, subfamily, "user", "s")


def test_a_cluster_has_the_name_of_most_of_its_rows() -> None:
    """The commonest subfamily names it, a number tells it from its like, a family stands in, and none is nameless."""
    rows_by_centre = [
        [row("PI", "prompt_leak"), row("PI", "prompt_leak"), row("JB", "persona_override")],
        [row("PI", "prompt_leak"), row("JB"), row("JB")],
        [row("JB", "persona_override"), row("PI", "prompt_leak"), row("JB", "persona_override")],
        [row("JB"), row("RAG"), row("RAG")],
        [],
    ]
    pairs = [(CENTRES[i], each) for i, own in enumerate(rows_by_centre) for each in own]
    embeddings, rows = np.stack([place for place, _ in pairs]), [each for _, each in pairs]
    assert cluster_names(CENTRES, embeddings, rows) == (
        "prompt_leak",
        "prompt_leak 2",
        "persona_override",
        "RAG",
        "attack",
    )


def test_every_label_makes_a_name_that_a_bundle_takes() -> None:
    """The 47 subfamilies, numbered to the most clusters there are, can be written and read."""
    labels = [entry.id for entry in load_taxonomy()]
    places = np.eye(len(labels) + 64, dtype=np.float32)
    rows = [row("PI", label) for label in [*labels, *[max(labels, key=len)] * 64]]
    names = cluster_names(places, places, rows)
    embedding = replace(CONTENTS.embedding, dimension=len(places))
    made = replace(CONTENTS, embedding=embedding, clusters=places, cluster_names=names)
    assert parse_bundle(build_bundle(made)).cluster_names == names


def scored(distance: float | None, family: str = BENIGN) -> Scored:
    """A row at this distance from the nearest cluster."""
    return Scored(row(family), ScanResult(), L2Result(anomaly_score=distance))


def test_few_benign_rows_are_near_known_attacks() -> None:
    """At most the stated share of benign rows is below the threshold, and one step further it would be more."""
    draw = np.random.default_rng(5)
    benign = [scored(float(distance)) for distance in draw.uniform(0.1, 0.9, 1999)]
    limit = anomaly_threshold([*benign, *[scored(0.01, "PI")] * 500, scored(None)])
    assert limit is not None
    distances = [s.l2.anomaly_score or 0 for s in benign]
    allowed = int(len(distances) * NEAR_SHARE)
    assert sum(distance < limit for distance in distances) == allowed
    assert sum(distance <= limit for distance in distances) == allowed + 1


@pytest.mark.parametrize(("distance", "limit"), [(-1e-7, 0.0), (0.4, 0.4), (2.0000002, 2.0)])
def test_the_threshold_is_one_that_a_bundle_takes(distance: float, limit: float) -> None:
    """What rounding moves out of the range of a cosine distance is put back."""
    assert anomaly_threshold([scored(distance)]) == limit


def test_nothing_measured_gives_no_threshold() -> None:
    """Without a benign row that was measured there is none."""
    assert anomaly_threshold([scored(0.1, "PI"), scored(None)]) is None
