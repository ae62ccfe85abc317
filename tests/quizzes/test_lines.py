"""A line of a program: rewritings that mean the same are equal, changes of meaning aren't, and nothing is executed."""

import ast
import importlib
import inspect
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes.answers import KINDS
from quizzes.answers.lines import parse_line, read_context
from quizzes.expressions.parser import FormatError
from quizzes.marking import mark
from quizzes.question import Part, Question

KIND = KINDS["line"]
SIGNATURES = [
    "F.cross_entropy(input, target, weight=None, reduction='mean')",
    "nn.Conv2d(in_channels, out_channels, kernel_size, stride=1, padding=0)",
    ".mean(dim=None, keepdim=False)",
]
PART = Part("fix", "line", "the line", "loss = F.cross_entropy(logits, y)", signatures=SIGNATURES)


def equal(one: str, other: str, part: Part = PART) -> bool:
    return KIND.score(KIND.read(one, part).value, other, part) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("h = F.relu(h)", "h=torch.nn.functional.relu(h)"),
        ("h = F.relu(h)", "h = nn.functional.relu((h))   # now"),
        ("x = opt['lr']", 'x = opt["lr"]'),
        ("loss = F.cross_entropy(z, y)", "loss = F.cross_entropy(target=y, input=z)"),
        ("loss = F.cross_entropy(z, y)", "loss = F.cross_entropy(z, y, reduction='mean')"),
        ("c = nn.Conv2d(3, 8, 5, padding=2)", "c = torch.nn.Conv2d(3, 8, padding=2, kernel_size=5, stride=1)"),
        ("mu = x.mean(dim=(0, 2, 3))", "mu = x.mean((0, 2, 3), keepdim=False)"),
        ("a, b = b, a", "(a, b) = (b, a)"),
        ("for x, y in loader:", "for (x, y) in loader :"),
        ("with torch.no_grad():", "with torch.no_grad(): "),
        ("return x + 1", "return (x + 1)"),
        ("lr = 0.001", "lr = 1e-3"),
        ("x = f(b=1, a=2)", "x = f(a=2, b=1)"),
    ],
)
def test_lines_that_mean_the_same_are_equal(one, other):
    assert equal(one, other) and equal(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("h = F.relu(h)", "F.relu(h)"),
        ("h = F.relu(h)", "h = F.gelu(h)"),
        ("x = opt['lr']", "x = opt[lr]"),
        ("c = nn.Conv2d(3, 8, 5, padding=2)", "c = nn.Conv2d(8, 3, 5, padding=2)"),
        ("c = nn.Conv2d(3, 8, 5, padding=2)", "c = nn.Conv2d(3, 8, 5, 2)"),
        ("mu = x.mean(dim=(0, 2, 3))", "mu = x.mean(dim=(0, 2, 3), keepdim=True)"),
        ("x = x + y", "x += y"),
        ("w -= lr * g", "w -= lr * v"),
        ("y = W2 @ h", "y = h @ W2"),
        ("x = f(1, 2)", "x = f(2, 1)"),
        ("a = 1", "a = 1."),
        ("with torch.no_grad():", "with torch.enable_grad():"),
        ("x = f(*a)", "x = f(a)"),
    ],
)
def test_other_lines_are_not(one, other):
    assert not equal(one, other)


@pytest.mark.parametrize(
    ("text", "sentence", "at"),
    [
        ("", "this is empty", 0),
        ("  # nothing", "this is empty", 0),
        ("h = F.relu(h", "Python can't read this", 10),
        ("h = = 2", "Python can't read this", 4),
        ("a = 1; b = 2", "enter a single statement", 7),
        ("a = 1\nb = 2", "enter a single line", 5),
        ("h = “relu”", "can't read '“'", 4),
        ("ｈ = 1", "can't read", 0),  # which Python would take for h
        ("x = " + "[" * 60 + "]" * 60, "nested more than", 0),
        ("x = " + "(" * 250, "Python can't read this", None),
        ("x = " + "-" * 290 + "1", "nested", 0),
        ("x = '" + "a" * 299 + "'", "305 characters; the limit is 300", None),
        ("x = 1 \x00", "enter a single line", 6),
        ("else:", "Python can't read this", 0),
    ],
)
def test_what_is_not_a_line_is_explained(text, sentence, at):
    with pytest.raises(FormatError) as error:
        KIND.read(text, PART)
    assert sentence in error.value.sentence
    assert at is None or error.value.at == at


def test_the_reading_is_one_line():
    texts = ["if a: b = (1); c=2", "for x in y:", "def forward(self, x):", "x='a'", "x = '''a'''"]
    assert [KIND.read(text, PART).read_as for text in texts] == [
        "if a: b = 1; c = 2", "for x in y:", "def forward(self, x):", "x = 'a'", "x = 'a'",
    ]  # fmt: skip


def test_a_line_is_never_executed(tmp_path):
    target = tmp_path / "executed"
    KIND.read(f"open({str(target)!r}, 'w')", PART)
    KIND.read("raise SystemExit", PART)
    assert not target.exists()


def test_the_whole_line_is_asked_for():
    question = Question("d", 1, "t", 1, "", "", {}, [PART])
    result = mark(question, {"fix": "F.cross_entropy(logits, y)"})
    assert result.mark == "wrong" and "whole line" in result.feedback
    assert mark(question, {"fix": "loss = F.cross_entropy(logits, target=y)"}).mark == "right"
    assert mark(question, {"fix": "fix = 1"}).parts[0].read_as == "fix = 1"  # a name that is the part's own


@pytest.mark.parametrize("declaration", [(["x = 1"], []), ([], ["F.relu"]), ([], ["F.relu(=)"])])
def test_a_faulty_declaration_is_an_error(declaration):
    with pytest.raises(FormatError):
        read_context(*map(tuple, declaration))


# Random statements, their rewritings, and their mutants.
NAMES = st.sampled_from(["x", "y", "w", "model", "loss"])
FUNCTIONS = {"F.cross_entropy": ["input", "target", "weight", "reduction"], "print": [], "nn.Linear": []}
ATOMS = NAMES | st.integers(0, 99).map(str) | st.sampled_from(["0.5", "'mean'", "None", "[1, 2]"])


def calls(inner):
    def call(name, args, keywords):
        named = [f"{key}={value}" for key, value in keywords.items()]
        return f"{name}({', '.join([*args, *named])})"

    return st.builds(
        call,
        st.sampled_from(["F.cross_entropy", "nn.Linear", "print", "x.mean"]),
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["weight", "reduction", "bias", "alpha"]), inner, max_size=3),
    )


EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.builds("{} {} {}".format, inner, st.sampled_from("+-*@"), inner) | calls(inner),
    max_leaves=6,
).filter(lambda text: len(text) < 120)
LINES = st.builds("{} = {}".format, NAMES, EXPRESSIONS) | st.builds("{} -= {}".format, NAMES, EXPRESSIONS)


class Rewrite(ast.NodeTransformer):
    """Rewrites calls at random without changing what they mean."""

    def __init__(self, rng):
        self.rng = rng

    def visit_Call(self, node):
        self.generic_visit(node)
        name = ast.unparse(node.func)
        parameters = FUNCTIONS.get(name.replace("torch.nn.functional", "F"), [])
        names = parameters[: len(node.args)]
        if parameters and not set(names) & {keyword.arg for keyword in node.keywords}:
            k = self.rng.randint(0, len(node.args))
            node.keywords += [ast.keyword(p, v) for p, v in zip(names[k:], node.args[k:], strict=True)]
            node.args = node.args[:k]
        self.rng.shuffle(node.keywords)
        return node

    def visit_Name(self, node):
        full = {"F": "torch.nn.functional", "nn": "torch.nn"}.get(node.id, node.id)
        return ast.parse(self.rng.choice([node.id, full]), mode="eval").body if full != node.id else node


def rewritten(line, rng):
    text = ast.unparse(Rewrite(rng).visit(ast.parse(line)))
    text = text.replace("'mean'", rng.choice(["'mean'", '"mean"', "('mean')"]))
    return (
        rng.choice(["", "  ", "\t"])
        + text.replace(" = ", rng.choice(["=", "  =  ", " = "]), 1)
        + rng.choice(["", " # ok"])
    )


@given(line=LINES, rng=st.randoms(use_true_random=False))
def test_random_rewritings_are_equal(line, rng):
    other = rewritten(line, rng)
    if len(other) <= 300:
        assert equal(line, other), other


class Mutate(ast.NodeTransformer):
    """Changes the n-th name, number or operator."""

    def __init__(self, at):
        self.at, self.count = at, 0

    def is_here(self):
        self.count += 1
        return self.count - 1 == self.at

    def visit_Name(self, node):
        return ast.Name(f"{node.id}_other", node.ctx) if self.is_here() else node

    def visit_Constant(self, node):
        return ast.Constant("another") if self.is_here() else node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return ast.BinOp(node.left, ast.Pow(), node.right) if self.is_here() else node

    def visit_keyword(self, node):
        self.generic_visit(node)
        return ast.keyword(f"{node.arg}_other", node.value) if self.is_here() else node


@given(line=LINES, at=st.integers(0, 12), rng=st.randoms(use_true_random=False))
def test_random_mutants_are_not_equal(line, at, rng):
    mutation = Mutate(at)
    mutant = ast.unparse(ast.fix_missing_locations(mutation.visit(ast.parse(line))))
    if mutation.count > at:
        assert not equal(rewritten(mutant, rng) if len(mutant) < 200 else mutant, line)


PIECES = [
    "x",
    "=",
    "f(",
    ")",
    "[",
    "]",
    "1",
    "'",
    "\\u00e9",
    "\\n",
    "\\ud800",
    ":",
    ";",
    "if ",
    "#",
    ",",
    '"""',
    "f'{x}'",
    "- ",
    "é",
]


@given(
    text=st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
    | st.text(alphabet="abx01.,=:()[]{}'\"\\ #@-+*lambdifor", max_size=60)
)
def test_any_text_is_read_or_rejected(text):
    try:
        reading = KIND.read(text, PART)
    except FormatError:
        return
    assert ast.dump(parse_line(text)) == ast.dump(parse_line(reading.value)) and "\n" not in reading.read_as
    assert KIND.score(reading.value, text, PART) == 1 and KIND.score(reading.value, PART.answer, PART) in (0, 1)
    KIND.near_miss_feedback(reading, PART.answer, PART)


def test_a_line_may_be_as_long_as_the_limit():
    line = f"x=f({','.join(['a'] * 147)})"
    assert len(line) < 300 < len(ast.unparse(ast.parse(line)))
    assert equal(line, line) and not equal(line, "x = f(a)")


def signatures_of_drills():
    from quizzes import bank
    from quizzes.answer_symbols import Line

    symbols = {s for d in bank.all_drills().values() for n in d.asks if isinstance(s := d.formula.symbols[n], Line)}
    return {text for symbol in symbols for text in symbol.signatures}


def signature_of(called):
    """Return the signature of a function or a class; the first one of a class with overloads, such as `nn.LSTM`."""
    if overloads := typing.get_overloads(getattr(called, "__init__", None)) if inspect.isclass(called) else []:
        first = inspect.signature(overloads[0])
        return first.replace(parameters=list(first.parameters.values())[1:])
    return inspect.signature(called)


def test_declared_signatures_are_pytorchs():
    for text in signatures_of_drills():
        name, _, _ = text.partition("(")
        module, _, attribute = (
            {"F": "torch.nn.functional", "nn": "torch.nn"}.get(p := name.partition(".")[0], p),
            "",
            "",
        )
        path = f"{module}.{name.partition('.')[2]}"
        module, _, attribute = path.rpartition(".")
        try:
            actual = signature_of(getattr(importlib.import_module(module), attribute))
        except ValueError:  # some operations of torch's core have none
            assert module == "torch", text
            continue
        stated = ast.parse(f"def f({text.partition('(')[2]}: pass").body[0].args
        names = list(actual.parameters)
        assert [arg.arg for arg in stated.args] == names[: len(stated.args)], text
        for arg, default in zip(reversed(stated.args), reversed(stated.defaults), strict=False):
            assert ast.literal_eval(default) == actual.parameters[arg.arg].default, text
