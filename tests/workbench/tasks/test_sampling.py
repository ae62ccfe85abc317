"""The choice of the next token: temperature, top-k and top-p."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import UserError
from workbench.tasks.sampling import SampleRequest, choose, restrict

ROWS = st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=9)


@given(ROWS, st.integers(1, 9))
def test_top_k_leaves_the_largest_logits(row, k):
    left = restrict(torch.tensor([row]), top_k=k)[0]
    places = sorted(range(len(row)), key=lambda place: (-row[place], place))[:k]
    assert [place for place in range(len(row)) if left[place].isfinite()] == sorted(places)
    assert all(left[place] == torch.tensor(row[place]) for place in places)


@given(ROWS, st.floats(0.05, 0.99))
def test_top_p_leaves_the_smallest_set_with_that_probability(row, p):
    probabilities = torch.tensor(row, dtype=torch.float64).softmax(dim=0).tolist()
    places, total = [], 0.0
    for place in sorted(range(len(row)), key=lambda place: (-row[place], place)):
        if total >= p:
            break
        places.append(place)
        total += probabilities[place]
    if abs(total - p) < 1e-6 or any(abs(sum(probabilities[q] for q in places[:n]) - p) < 1e-6 for n in range(9)):
        return  # float rounding decides
    left = restrict(torch.tensor([row], dtype=torch.float64), top_p=p)[0]
    assert {place for place in range(len(row)) if left[place].isfinite()} == set(places)


def test_top_p_is_applied_to_what_top_k_leaves():
    """Of 0.4, 0.3, 0.2, 0.1 top-k 2 leaves 4/7 and 3/7, of which the first alone has a probability of at least 0.5."""
    logits = torch.tensor([[0.2, 0.4, 0.1, 0.3]]).log()
    assert restrict(logits, top_k=2, top_p=0.5).isfinite().tolist() == [[False, True, False, False]]
    assert restrict(logits, top_p=0.5).isfinite().tolist() == [[False, True, False, True]]


def test_tokens_are_drawn_with_the_probabilities_that_remain():
    logits = torch.tensor([0.5, 0.25, 0.15, 0.1]).log().expand(6000, -1)
    request = SampleRequest(top_k=2, temperature=0.5, seed=1)
    tokens = choose(logits, request, request.generator())
    share = (tokens == 0).double().mean().item()  # 0.25 / (0.25 + 0.0625)
    assert abs(share - 0.8) < 4 * (0.8 * 0.2 / 6000) ** 0.5 and tokens.max() == 1
    assert torch.equal(tokens, choose(logits, request, request.generator()))


def test_temperature_0_is_the_most_probable_token():
    request = SampleRequest(temperature=0)
    assert choose(torch.tensor([[1.0, 3.0, 2.0]]), request, request.generator()).tolist() == [1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (dict(temperature=-1.0), "temperature must be a number from 0 to 10, not -1"),
        (dict(temperature=float("nan")), "temperature must be"),
        (dict(top_p=0.0), "top_p must be a number above 0 and at most 1, not 0"),
        (dict(top_p=1.5), "top_p must be"),
        (dict(count=0), "count must be a number from 1 to 1000, not 0"),
        (dict(beams=0), "beams must be"),
        (dict(seed=-1), "seed must be"),
        (dict(beams=2, top_k=3), "leave top_k and top_p out"),
    ],
)
def test_numbers_out_of_range_are_rejected(values, message):
    with pytest.raises(UserError, match=message):
        SampleRequest(**values)
