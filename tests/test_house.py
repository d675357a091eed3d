"""The house rules that no linter checks, and the public names."""

import importlib
from pathlib import Path

import pytest

import raxe
from functions.local.events import ROOT
from raxe import errors

LONGEST = 250
SOURCES = sorted(
    path for folder in ("shared", "functions", "training", "tests") for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_too_long_to_read_at_once(path: Path) -> None:
    """Every source file has at most 250 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("name", raxe.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """What ``__all__`` lists can be imported, and is documented."""
    assert getattr(raxe, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not public says so like any module's would."""
    with pytest.raises(AttributeError, match="no attribute 'Nobody'"):
        raxe.Nobody  # noqa: B018
    assert sorted(raxe.__all__) == list(raxe.__all__)


def test_every_error_is_drawn_in_the_tree() -> None:
    """The tree at the top of the file has each error, and each derives from RaxeError."""
    own = [each for each in vars(errors).values() if isinstance(each, type)]
    assert all(issubclass(each, errors.RaxeError) for each in own)
    assert [each.__name__ for each in own if each.__name__ not in (errors.__doc__ or "")] == []


def test_every_module_of_the_library_imports_alone() -> None:
    """No module asks for another to be imported first."""
    for path in SOURCES:
        if path.is_relative_to(ROOT / "shared"):
            name = ".".join(path.relative_to(ROOT / "shared").with_suffix("").parts).removesuffix(".__init__")
            assert importlib.import_module(name).__doc__
