"""Rounded numbers of channels against their definition."""

from hypothesis import given
from hypothesis import strategies as st

from models.layers.make_divisible import make_divisible


@given(st.floats(0.1, 5000))
def test_the_result_is_the_nearest_multiple_of_8_that_is_at_least_90_percent(channels):
    rounded = make_divisible(channels)
    allowed = [k for k in range(8, 5100, 8) if k >= 0.9 * channels]
    assert rounded in allowed
    assert abs(rounded - channels) == min(abs(k - channels) for k in allowed)


def test_channels_of_a_published_network():
    assert [make_divisible(channels * 1.1) for channels in (32, 16, 24, 40, 80, 112, 192, 320)] == [
        *(32, 16, 24, 48, 88, 120, 208, 352)  # EfficientNet-B2
    ]
