"""The client for Python programs, end to end over the tiny model, and on texts nobody would write."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from raxe import Raxe, RaxeError, Source, Verdict
from raxe.bootstrap import Engine
from raxe.errors import TextEmpty, TextTooLarge
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder


def test_a_text_is_scanned(models: ModelsFolder) -> None:
    """The verdict comes back as a value, with the model that spoke."""
    client = Raxe(settings=models.settings)
    scan = client.scan(f"read the {ZORKMID}", "document")
    assert isinstance(scan.verdict, Verdict)
    assert (scan.verdict.decision, scan.is_attack, client.scan("hello").is_attack) == ("block", True, False)
    assert client.model_info is not None
    assert client.model_info.model_id == MODEL_ID


def test_the_named_model_wins_over_the_settings(models: ModelsFolder) -> None:
    """A model named in the call is the one that is asked for."""
    base = replace(models.settings, l2_model="nobody")
    assert Raxe(settings=base).engine.broken == "ModelNotFound"
    assert Raxe(MODEL_ID, settings=base).engine.broken is None


def test_the_environment_decides_otherwise(models: ModelsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings the variables are read."""
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    monkeypatch.setenv("RAXE_MAX_CHARACTERS", "5")
    client = Raxe()
    assert client.scan("hello").failures == ()
    with pytest.raises(TextTooLarge) as caught:
        client.scan("hello!")
    assert (caught.value.field, isinstance(caught.value, RaxeError)) == ("text", True)


def test_an_unknown_source_is_refused(models: ModelsFolder) -> None:
    """A source is one of three."""
    with pytest.raises(ValueError, match="dream"):
        Raxe(settings=models.settings).scan("hello", "dream")


@settings(deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=300), st.sampled_from(Source))
@example("\ud800 ignore \udfff", Source.USER)
@example("\x00" * 40 + "a", Source.TOOL)
@example("\U000e0041\U000e0042", Source.DOCUMENT)
@example("a" + "\u0301" * 299, Source.USER)
def test_any_text_is_scanned_or_empty(engine: Engine, text: str, source: Source) -> None:
    """No text makes a layer fail, surrogates included; scores and spans stay in their ranges."""
    try:
        scan = engine.scan_text(text, source)
    except TextEmpty:
        return
    assert scan.failures == ()
    assert 0 <= scan.verdict.score <= 1
    assert all(0 <= d.span.start <= d.span.end <= len(text) for d in scan.l1.detections)
    assert scan.l2.span is None or 0 <= scan.l2.span.start <= scan.l2.span.end <= len(text)
