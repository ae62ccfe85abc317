"""The wheel: it carries the three packages and their data, and works where nothing else of the project is."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """The wheel as an installer would lay it out, built without the network and from the sources alone."""
    if not (uv := shutil.which("uv")):
        pytest.skip("uv is not installed")
    place = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [uv, "build", "--wheel", "--out-dir", str(place), str(ROOT)], capture_output=True, text=True, timeout=PATIENCE
    )
    if built.returncode and "hatchling" in built.stderr and "resolve" in built.stderr:
        pytest.skip("hatchling is not at hand, and this runs without a network")
    assert built.returncode == 0, built.stderr
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_it_carries_every_source_and_every_data_file(unpacked):
    for package in ("workbench", "quizzes", "models"):
        here = {
            f.relative_to(ROOT).as_posix() for f in (ROOT / package).rglob("*") if f.suffix in (".py", ".toml", ".tcss")
        }
        there = {f.relative_to(unpacked).as_posix() for f in (unpacked / package).rglob("*") if f.is_file()}
        assert here and here <= there
    assert not (unpacked / "tests").exists()
    (entry_points,) = unpacked.glob("*.dist-info/entry_points.txt")
    assert "workbench = workbench.cli.main:main" in entry_points.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"), [(["--version"], "workbench"), (["drill", "list"], "conv-out-size"), (["topics"], "adam")]
)
def test_it_runs_from_the_wheel_alone(unpacked, tmp_path, words, said):
    """In a folder with a `models.py` of the user's own, which must not shadow the package."""
    (tmp_path / "models.py").write_text("raise SystemExit('shadowed')", encoding="utf-8")
    program = (
        "import sys, pathlib, workbench, quizzes, models; from workbench.cli.main import main\n"
        "files = [pathlib.Path(package.__file__) for package in (workbench, quizzes, models)]\n"
        f"assert all(file.is_relative_to({str(unpacked)!r}) for file in files)\n"
        f"sys.argv = ['workbench', *{words!r}]; main()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
