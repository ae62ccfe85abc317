"""Declarations of tensors: what is read, and what is rejected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.tensor_spec import TensorSpec, parse_all
from workbench.errors import UserError

dims = st.lists(st.one_of(st.integers(0, 10**6), st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)), max_size=4)


@given(dtype=st.sampled_from(["float32", "int64", "uint8", "bool"]), dims=dims)
def test_a_declaration_is_read_as_it_is_written(dtype, dims):
    spec = TensorSpec(dtype, tuple(dims))
    assert TensorSpec.parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "dtype", "dims"),
    [
        ("float32[3, 224, 224]", "float32", (3, 224, 224)),
        ("float32[channels,32,32]", "float32", ("channels", 32, 32)),
        ("int64[ length ]", "int64", ("length",)),
        ("float32[length, vocabulary]", "float32", ("length", "vocabulary")),
        ("float32[]", "float32", ()),
        ("float32[size / 16, 5 * boxes + 4]", "float32", ("size/16", "5*boxes+4")),
    ],
)
def test_examples(text, dtype, dims):
    assert TensorSpec.parse(text) == (dtype, dims)


@pytest.mark.parametrize(
    "text",
    [
        *("", "float32", "float32[", "float32]3[", "[3]", "float32[3", "float32[3]]", "float32[[3]]", "float32[3]x"),
        *("float32[3,]", "float32[,3]", "float32[3 4]", "float32[-1]", "float32[1.5]", "float32[2*N]", "float32[N]"),
        *(
            "float32[n-1]",
            "float32[n/0]",
            "float32[n/m]",
            "float32[2*]",
            "float32[+n]",
            "float32[n**2]",
            "float32[(n)]",
        ),
        *("float 32[3]", "float32[3];int64[2]", "float32[3]\n"),
    ],
)
def test_anything_else_is_an_error_that_shows_the_form(text):
    with pytest.raises(UserError, match="declared like") as error:
        TensorSpec.parse(text)
    assert "\n" not in str(error.value) and repr(text) in str(error.value)


@given(st.text())
def test_no_text_raises_anything_but_a_user_error(text):
    try:
        spec = TensorSpec.parse(text)
    except UserError:
        return
    assert TensorSpec.parse(str(spec)) == spec


def test_named_dimensions_are_resolved_and_others_stay():
    spec = TensorSpec.parse("float32[channels, image_size, 7, length]")
    assert spec.resolve({"channels": 3, "image_size": 32, "seven": 9}) == ("float32", (3, 32, 7, "length"))
    assert spec.resolve({}) == spec


@given(st.integers(0, 500), st.integers(0, 9), st.integers(1, 30))
def test_expressions_are_computed_once_all_names_are_known(size, boxes, classes):
    spec = TensorSpec.parse("float32[size/16, 5*boxes + classes, 2*size/3*boxes]")
    assert spec.resolve({"boxes": boxes, "size": size}).dims[1] == "5*boxes+classes"
    resolved = spec.resolve({"size": size, "boxes": boxes, "classes": classes})
    assert resolved.dims == (size // 16, 5 * boxes + classes, 2 * size // 3 * boxes)


def test_several_are_read_by_name():
    declared = dict(tokens="int64[length]", mask="bool[length]")
    assert parse_all(declared) == {"tokens": ("int64", ("length",)), "mask": ("bool", ("length",))}
