"""Time of lists and of the app's first text with three times the questions, relative to the questions as they are.

    PYTHONPATH=. PYTHONPYCACHEPREFIX=/tmp/pycache python benchmarks/growth.py [PAIRS] [--dry]

The packages are copied twice. In one of the copies, each topic is there three times: the copies of a topic have names
of their own, also in the syllabus, and so have their formulas, drills and checks. The same command runs in both copies
in turn, so that both meet the same load; the ratio is the median over the pairs. Target: 1.10 at most with a cache.
"""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

import _options
from app import WORKBENCH, start_time
from cli import processor_seconds

ROOT = Path(__file__).parent.parent
PACKAGES = ("workbench", "quizzes", "models")
COPIES = ("second", "third")
COMMANDS = (["topics"], ["drill", "list"], ["cards", "list"], ["formulas"])


def copy_packages(folder: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def triple(folder: Path) -> None:
    """Add two copies of every topic to the packages in a folder."""
    content = folder / "quizzes" / "content"
    syllabus = folder / "workbench" / "syllabus.toml"
    text = syllabus.read_text(encoding="utf-8")
    for topic in sorted(path.parent for path in content.glob("*/*/__init__.py")):
        for suffix in COPIES:
            copy_topic(topic, suffix)
            text = copy_topic_of_syllabus(text, topic.name.replace("_", "-"), suffix)
    syllabus.write_text(text, encoding="utf-8")


def copy_topic(topic: Path, suffix: str) -> None:
    """Copy a topic's folder, and give all that it declares names of its own."""
    copy = Path(shutil.copytree(topic, topic.with_name(f"{topic.name}_{suffix}")))
    package = f"quizzes.content.{topic.parent.name}.{topic.name}"
    for file in copy.rglob("*.py"):
        text = re.sub(rf"\b{re.escape(package)}\b", f"{package}_{suffix}", file.read_text(encoding="utf-8"))
        text = re.sub(r'(\bFormula\(\s*"[\w-]+)"', rf'\1-{suffix}"', text)
        text = re.sub(r'(@procedure\(\s*"[\w-]+)"', rf'\1-{suffix}"', text)
        text = re.sub(r'^(    id="[\w-]+)', rf"\1-{suffix}", text, flags=re.M)
        pattern = r"^def ([a-z]\w*)\(" if file.name == "checks.py" else r"^def (\w+)\(rng: Random\) -> Inputs"
        for name in re.findall(pattern, text, re.M):
            text = re.sub(rf"(?<![\w.]){name}(?=\()", f"{name}_{suffix}", text)
        file.write_text(text, encoding="utf-8")


def copy_topic_of_syllabus(text: str, topic: str, suffix: str) -> str:
    """Return the syllabus with a copy of a topic after it."""
    [entry] = re.findall(rf'^\[\[chapter\.topic\]\]\nid = "{topic}"\n(?:[^\[\n].*\n|\n)*', text, re.M)
    copy = re.sub(r'^(id = "[\w-]+)"', rf'\1-{suffix}"', entry.rstrip(), flags=re.M)
    copy = re.sub(r"^drills = .*", lambda line: re.sub(r'([\w-])"', rf'\1-{suffix}"', line[0]), copy, flags=re.M)
    return text.replace(entry, f"{entry.rstrip()}\n\n{copy}\n\n")


class Copy:
    """A copy of the packages, with a data directory of its own."""

    def __init__(self, folder: Path):
        self.folder, self.home = folder, folder / "home"

    def command_time(self, words: list[str], is_cached: bool) -> float:
        self._prepare(is_cached)
        return processor_seconds([sys.executable, "-P", "-m", "workbench.cli.main", *words])

    def start_time(self, is_cached: bool) -> float:
        self._prepare(is_cached)
        return start_time(WORKBENCH, b"Chapter", str(self.home))

    def _prepare(self, is_cached: bool) -> None:
        os.environ.update(PYTHONPATH=str(self.folder), WORKBENCH_HOME=str(self.home))
        if not is_cached:
            shutil.rmtree(self.home / "cache", ignore_errors=True)


def main(pairs: int) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        one, three = (Copy(copy_packages(Path(folder) / name)) for name in ("one", "three"))
        triple(three.folder)
        for is_cached in (True, False):
            print("with a cache" if is_cached else "without a cache")
            for words in COMMANDS:
                one.command_time(words, True), three.command_time(words, True)  # bytecode and caches are written
                times = [
                    (three.command_time(words, is_cached), one.command_time(words, is_cached)) for _ in range(pairs)
                ]
                report(f"workbench {' '.join(words)}", times)
            one.start_time(True), three.start_time(True)
            times = [(three.start_time(is_cached), one.start_time(is_cached)) for _ in range(pairs)]
            report("first text of the app", times)


def report(what: str, times: list[tuple[float, float]]) -> None:
    larger, smaller = (median(column) * 1000 for column in zip(*times, strict=True))
    ratio = median(a / b for a, b in times)
    print(f"  {what:<24} three times {larger:6.0f} ms   once {smaller:6.0f} ms   ratio {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main(_options.read(__doc__, "PAIRS", 15, dry=1).count)
