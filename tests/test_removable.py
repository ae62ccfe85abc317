"""A network and a task are one file each: without them, all others still import and list.

The proof is the language model and the detector, whose inputs, outputs and losses are unlike all others.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FAMILIES = {"lstm": ("sequences/lstm.py", "characters.py"), "yolo-v1": ("detection/yolo_v1.py", "shape_scenes.py")}
LIST = """
import json, models
from importlib import import_module
from workbench import tasks
from workbench.engine.networks import is_compatible
for task in tasks.names():
    import_module("workbench.tasks." + task.replace("-", "_"))
    tasks.info(task)
for name in models.names():
    import_module(models.info(name).module)
pairs = [(name, task) for name in models.names() for task in tasks.names() if is_compatible(name, "mini", task)]
print(json.dumps([models.names(), tasks.names(), pairs]))
"""


def listed(root: Path) -> list:
    done = subprocess.run([sys.executable, "-c", LIST], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.full
@pytest.mark.parametrize("family", FAMILIES)
def test_all_others_list_without_a_network_and_its_task(family, tmp_path):
    network, task = FAMILIES[family]
    for package in ("models", "workbench", "quizzes"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    names, tasks, pairs = listed(tmp_path)
    task_name = task.removesuffix(".py").replace("_", "-")
    assert family in names and task_name in tasks and [family, task_name] in pairs
    (tmp_path / "models" / network).unlink()
    (tmp_path / "workbench/tasks" / task).unlink()
    others, other_tasks, other_pairs = listed(tmp_path)
    assert others == [name for name in names if name != family]
    assert other_tasks == [name for name in tasks if name != task_name]
    assert other_pairs == [pair for pair in pairs if pair[0] != family and pair[1] != task_name]


@pytest.mark.parametrize("family", FAMILIES)
def test_their_names_occur_nowhere_else(family):
    network, task = FAMILIES[family]
    modules = [Path(network).stem, Path(task).stem]
    own = {ROOT / "models" / network, ROOT / "workbench/tasks" / task}
    for package in ("models", "workbench"):
        for file in (ROOT / package).rglob("*.py"):
            if file in own or "claims" in file.parts:  # a claim may be about any network
                continue
            text = file.read_text(encoding="utf-8")
            # A kind of layer may have the name of the network that introduced it, and others build on it.
            assert f'"{family}"' not in re.sub(r"\b(cell|builds_on)\b.*", "", text), file
            assert not any(
                f"{folder}.{module}" in text
                for folder in ("models.sequences", "models.detection", "workbench.tasks")
                for module in modules
            ), file
