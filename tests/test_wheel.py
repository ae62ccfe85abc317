"""The wheel: it contains the three packages and their data, and works without the rest of the project."""

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
    """The wheel, built from the sources without a network, and unpacked like an installer does."""
    if not (uv := shutil.which("uv")):
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    build = subprocess.run(
        [uv, "build", "--wheel", "--out-dir", str(folder), str(ROOT)], capture_output=True, text=True, timeout=PATIENCE
    )
    if build.returncode and "hatchling" in build.stderr and "resolve" in build.stderr:
        pytest.skip("hatchling is not installed, and there is no network")
    assert build.returncode == 0, build.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_contains_every_source_and_data_file(unpacked):
    for package in ("workbench", "quizzes", "models"):
        sources = {
            f.relative_to(ROOT).as_posix() for f in (ROOT / package).rglob("*") if f.suffix in (".py", ".toml", ".tcss")
        }
        installed = {f.relative_to(unpacked).as_posix() for f in (unpacked / package).rglob("*") if f.is_file()}
        assert sources and sources <= installed
    assert not (unpacked / "tests").exists()
    (entry_points,) = unpacked.glob("*.dist-info/entry_points.txt")
    assert "workbench = workbench.cli.main:main" in entry_points.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "expected"), [(["--version"], "workbench"), (["drill", "list"], "conv-out-size"), (["topics"], "adam")]
)
def test_the_wheel_runs_alone(unpacked, tmp_path, words, expected):
    """Run commands in a folder with a `models.py`, which must not shadow the package."""
    (tmp_path / "models.py").write_text("raise SystemExit('shadowed')", encoding="utf-8")
    program = (
        "import sys, pathlib, workbench, quizzes, models; from workbench.cli.main import main\n"
        "files = [pathlib.Path(package.__file__) for package in (workbench, quizzes, models)]\n"
        f"assert all(file.is_relative_to({str(unpacked)!r}) for file in files)\n"
        f"sys.argv = ['workbench', *{words!r}]; main()"
    )
    result = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    assert expected in result.stdout
