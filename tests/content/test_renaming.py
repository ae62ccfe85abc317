"""Renaming by a tool, as editors do it: all uses of a name in Python change, and what is text is an error.

Rope is what several language servers for Python rename with.
"""

import re
from pathlib import Path

import pytest
from rope.base.project import Project
from rope.refactor.rename import Rename

from tests.copied_tree import CopiedTree

pytestmark = pytest.mark.full


@pytest.fixture
def tree(tmp_path: Path) -> CopiedTree:
    return CopiedTree(tmp_path)


def rename(tree: CopiedTree, file: str, declaration: str, new_name: str) -> set[str]:
    """Rename what a line declares, and return the paths of the files that changed.

    Args:
        tree: The copy of the packages.
        file: The file of the declaration, within the content.
        declaration: The text up to the name, and the name in braces, such as `def {pad}`.
        new_name: The new name.
    """
    before = tree.texts()
    prefix, name = re.fullmatch(r"(.*)\{(\w+)\}", declaration, re.DOTALL).groups()
    project = Project(str(tree.folder), ropefolder=None)
    try:
        resource = project.get_resource(f"quizzes/content/{file}")
        [match] = re.finditer(rf"^{re.escape(prefix)}{name}\b", resource.read(), re.M)
        project.do(Rename(project, resource, match.end() - 1).get_changes(new_name))
    finally:
        project.close()
    after = tree.texts()
    changed = {path for path in after if after[path] != before.get(path)}
    assert all(before[path].count(name) > after[path].count(name) for path in changed)
    return {path.removeprefix("quizzes/content/") for path in changed}


def uses(tree: CopiedTree, name: str) -> set[str]:
    """Return the files of content that mention a name."""
    texts = tree.texts().items()
    return {path.removeprefix("quizzes/content/") for path, text in texts if re.search(rf"\b{name}\b", text)}


def passes(tree: CopiedTree, *drills: str) -> None:
    for drill in drills:
        result = tree.run("drill", "test", drill, "--seeds", "50")
        assert result.returncode == 0 and "passed" in result.stdout, result.stdout + result.stderr


def fails(tree: CopiedTree, drill: str) -> str:
    """Return the line on stderr of the test of a drill whose declaration is incorrect."""
    result = tree.run("drill", "test", drill, "--seeds", "50")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stdout + result.stderr
    return result.stderr


def test_the_variable_of_a_formula(tree):
    used = uses(tree, "CONV_OUT_SIZE")
    changed = rename(tree, "cnn/convolution/formulas.py", "{CONV_OUT_SIZE}", "SIZE_OF_OUTPUT")
    assert changed == used >= {"cnn/convolution/formulas.py", "cnn/convolution/drills/sizes.py"}
    assert not uses(tree, "CONV_OUT_SIZE")
    passes(tree, "conv-out-size")


def test_a_group_of_symbols_that_topics_share(tree):
    used = uses(tree, "GRADIENT_STEP")
    changed = rename(tree, "optimization/shared.py", "{GRADIENT_STEP}", "STEP_SYMBOLS")
    assert changed == used and len(changed) >= 4 and not uses(tree, "GRADIENT_STEP")
    passes(tree, "adagrad", "sgd-momentum")
    assert '"drill": "adagrad"' in tree.run("drill", "list", "--json").stdout


def test_a_helper_of_formulas_and_drills(tree):
    changed = rename(tree, "cnn/shared.py", "def {pad}", "add_border")
    assert {"cnn/shared.py", "cnn/convolution/formulas.py", "cnn/convolution/drills/values.py"} <= changed
    passes(tree, "conv-value-hand")


def test_a_drill_with_its_check(tree):
    """Nothing in Python links the two, so a tool renames each alone; half of it is an error with the file and line."""
    assert rename(tree, "cnn/convolution/drills/costs.py", "def {conv_params}", "parameters") == {
        "cnn/convolution/drills/costs.py"
    }
    drills = tree.content / "cnn" / "convolution" / "drills" / "costs.py"
    text = drills.read_text(encoding="utf-8")
    line = text[: text.index("    CONV_PARAMS,\n    tier")].count("\n")
    assert f"{drills}:{line}: drill parameters: it has no check; define a function parameters in" in fails(
        tree, "parameters"
    )
    assert rename(tree, "cnn/convolution/checks.py", "def {conv_params}", "parameters") == {"cnn/convolution/checks.py"}
    drills.write_text(
        text.replace("    CONV_PARAMS,\n    tier", '    CONV_PARAMS,\n    id="conv-params",\n    tier', 1)
    )
    passes(tree, "conv-params")


def test_the_parameter_of_a_check(tree):
    """A parameter has the name of a symbol, which is text for a tool."""
    assert rename(tree, "cnn/fc_vs_cnn/checks.py", "def fc_after_flatten({H}", "height") == {"cnn/fc_vs_cnn/checks.py"}
    text = (tree.content / "cnn" / "fc_vs_cnn" / "checks.py").read_text(encoding="utf-8")
    assert text.count("height") == 2 and "def fc_vs_conv_params(H: int" in text
    error = fails(tree, "fc-after-flatten")
    assert re.search(r"drills.py:\d+: drill fc-after-flatten: the check in .*checks: Unknown parameter 'height'", error)


def test_a_symbol_is_text_in_the_equations(tree):
    """A symbol that is renamed as a keyword alone is an error with the file and line of the formula."""
    formulas = tree.content / "cnn" / "convolution" / "formulas.py"
    text = formulas.read_text(encoding="utf-8")
    start = text.index('CONV_OUT_SIZE = Formula(\n    "conv-out-size"')
    place = f"{formulas}:{text.count(chr(10), 0, start) + 1}"
    renamed = text[:start] + re.sub(r"^    n=", "    size=", text[start:], count=1, flags=re.M)
    formulas.write_text(renamed, encoding="utf-8")
    error = fails(tree, "conv-out-size")
    assert (
        f"{place}: formula conv-out-size: 'o = floor(" in error and "uses n, which is not one of its symbols" in error
    )
    # Renamed in the equation too, what still uses the old name is found next: the drill, then its check.
    end = renamed.index("title=", start)
    equation = re.sub(r"\bn\b", "size", renamed[start:end])
    formulas.write_text(renamed[:start] + equation + renamed[end:], encoding="utf-8")
    assert re.search(
        r"sizes.py:\d+: drill conv-out-size: asks: Unknown symbol of conv-out-size 'n'", fails(tree, "conv-out-size")
    )
