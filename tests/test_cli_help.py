"""What holds for every command: help with examples and exit codes, JSON, completion."""

import pytest
import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

from raxe.cli import app
from tests.factories import MODEL_ID, ModelsFolder

# They print one document whatever is asked.
DOCUMENTS = {("models", "schema"), ("models", "template")}


def commands(group: TyperGroup, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every command below a group."""
    found = []
    for name, each in group.commands.items():
        below = isinstance(each, TyperGroup)
        found += commands(each, (*path, name)) if isinstance(each, TyperGroup) and below else [(*path, name)]
    return found


def root() -> TyperGroup:
    """The command line as a tree."""
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return found


COMMANDS = commands(root())


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("path", [(), ("models",), ("rules",), *COMMANDS], ids=" ".join)
def test_every_help_has_examples_within_the_width(path: tuple[str, ...], columns: int) -> None:
    """No line is longer than the terminal, and none of the commands of a group is cut short."""
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": str(columns), "FORCE_COLOR": None})
    assert result.exit_code == 0
    assert "Examples:\n    raxe " in result.stdout or "Examples:\n    " in result.stdout
    assert all(len(line) <= columns for line in result.stdout.splitlines())
    assert "..." not in result.stdout.partition("Commands:")[2]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_its_exit_codes_mean(path: tuple[str, ...]) -> None:
    """0 is always among them."""
    words = " ".join(CliRunner().invoke(app, [*path, "--help"]).stdout.split())
    assert "Exit code: 0" in words
    assert "--json" in words or path in DOCUMENTS


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("raxe models test tin", [MODEL_ID]),
        ("raxe models compare x tin", [MODEL_ID]),
        ("raxe models info none", []),
        ("raxe models bench", ["benchmark"]),
        ("raxe sc", ["scan"]),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_the_shell_completes_commands_and_ids(
    models: ModelsFolder, words: str, offered: list[str], there: bool
) -> None:
    """Ids come from the registry; one that cannot be read offers none and prints no error."""
    ids = words.split()[2:3] not in ([], ["bench"])
    env = {
        "_RAXE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1),
        "RAXE_MODELS_DIR": str(models.root), "MODEL_CACHE_SIZE": "2" if there else "many",
    }  # fmt: skip
    result = CliRunner().invoke(app, [], env=env, prog_name="raxe")
    assert result.stdout.split() == ([] if ids and not there else offered)
    assert result.stderr == ""
