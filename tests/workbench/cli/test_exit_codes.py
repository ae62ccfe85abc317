"""Exit codes of a real process: Ctrl-C, a reader that leaves, and output that can't be written."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

COMMAND = [sys.executable, "-P", "-m", "workbench.cli.main"]


def start(*words: str, **options: object) -> subprocess.Popen[str]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([*COMMAND, *words], text=True, **streams)


@pytest.mark.parametrize(
    "words",
    [
        "topics",  # fails when it is flushed at the end
        "cards list --json",  # fails in the middle, because it is longer than the buffer
        "formulas",  # many lines
        "data list",  # a Rich table
        "--help",
        "drill show no-such-drill --json",
    ],
)
def test_a_reader_that_leaves_ends_the_command_with_141_and_silence(words):
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*words.split(), stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 141
    expected = "Error: Unknown drill" if "no-such-drill" in words else ""
    assert err.startswith(expected) and err.count("\n") == bool(expected)


def test_a_pipeline_ends_with_141_if_head_has_read_enough():
    line = f"set -o pipefail; {' '.join(COMMAND)} formulas | head -n 1"
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stderr, result.stdout.count("\n")) == (141, "", 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["topics", "cards list --json", "data list", "--help"])
def test_output_that_cannot_be_written_is_an_error(words):
    with Path("/dev/full").open("w") as full:
        process = start(*words.split(), stdout=full)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (2, "Error: The output can't be written: no space left on device.\n")


def test_a_closed_standard_output_is_an_error():
    line = f"{' '.join(COMMAND)} topics >&-"
    result = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stderr) == (2, "Error: The output can't be written: standard output is closed.\n")


def test_ctrl_c_ends_a_command_with_130_and_silence():
    process = start("quiz", "bce-value", stdin=subprocess.PIPE, bufsize=1)
    while not (line := process.stdout.readline()).startswith("--- Question 1"):
        assert line, process.stderr.read()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "")


def test_an_error_of_a_file_is_not_taken_for_one_of_the_output(monkeypatch):
    from workbench.cli.output import OutputError, output_errors

    for error in (OSError(28, "No space left on device", "run.csv"), OSError(13, "Permission denied")):
        with pytest.raises(OSError), output_errors():
            raise error
    for error in (OSError(28, "No space left on device"), BrokenPipeError(32, "Broken pipe")):
        with pytest.raises(OutputError), output_errors():
            raise error
