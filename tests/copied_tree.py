"""A copy of the packages, to which tests add questions, networks and screens."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent
PACKAGES = ("quizzes", "models", "workbench")


class CopiedTree:
    """A copy of the packages in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        for package in PACKAGES:
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)

    @property
    def content(self) -> Path:
        """The folder of the questions."""
        return self.folder / "quizzes" / "content"

    def texts(self) -> dict[str, str]:
        """Return the text of every source and data file by its path."""
        files = [path for package in PACKAGES for path in (self.folder / package).rglob("*.*")]
        return {
            path.relative_to(self.folder).as_posix(): path.read_text(encoding="utf-8")
            for path in files
            if path.suffix in (".py", ".toml", ".tcss")
        }

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run Python with the packages of the copy."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "WORKBENCH_HOME": str(self.folder / "home")}
        return subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the workbench of the copy."""
        return self.python("-m", "workbench.cli.main", *words)

    def lint(self) -> str:
        """Return what the linter and the formatter report on the questions."""
        config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "quizzes/content"]
        results = [self.python("-m", "ruff", *words, *config) for words in (["check"], ["format", "--check"])]
        return "".join(result.stdout for result in results if result.returncode)
