"""``raxe rollout watch`` until it is interrupted, in a terminal and without one."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

from functions.local.events import ROOT
from raxe.bootstrap.experiments import open_experiments
from tests.watched import fill, new_counts, new_document, watch

ESCAPE = "\x1b"
WAIT_S = 60.0
# A runner in the background ignores interrupts, and a child of it would too.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from raxe.cli import app
app()
"""


def test_an_interrupt_ends_it_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two readings: exit code 0, even when a source is failing, and no word of abortion."""

    def interrupt(seconds: float) -> NoReturn:
        assert seconds == 5
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    result = watch("--at", str(tmp_path / "none.json"), "--experiments", new_counts(tmp_path))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "document      not read yet: RolloutNotFound" in result.stdout


def test_a_terminal_has_one_view_that_is_written_over(tmp_path: Path) -> None:
    """On a pseudo-terminal: new figures replace the old ones in place; Ctrl-C gives the cursor back and ends with 0."""
    document, counts = new_document(tmp_path), new_counts(tmp_path)
    master, slave = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT / "shared"), "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    command = [sys.executable, "-c", PROGRAM, "rollout", "watch", "--every", "0.2"]
    arguments = [*command, "--at", document, "--experiments", counts]
    out, filled, ends = "", False, time.monotonic() + WAIT_S
    with subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave, env=env) as process:
        os.close(slave)
        try:
            while not re.search(r"champion +1000 +[0-9]", out):
                out += os.read(master, 65536).decode()
                assert time.monotonic() < ends, out
                if not filled and "since counting began" in out:
                    fill(open_experiments(counts))
                    filled = True
            process.send_signal(signal.SIGINT)
            assert process.wait(WAIT_S) == 0
        finally:
            process.kill()
    with suppress(OSError):  # the end of a pseudo-terminal
        while more := os.read(master, 65536):
            out += more.decode()
    os.close(master)
    assert f"{ESCAPE}[1A" in out
    assert out.rindex(f"{ESCAPE}[?25h") > out.rindex("champion")
