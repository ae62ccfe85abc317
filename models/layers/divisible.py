"""Numbers of channels that hardware likes, as the code of MobileNet and its descendants rounds them."""


def divisible(channels: float) -> int:
    """The multiple of 8 nearest to a scaled number of channels; at least 8, and above 90% of what was asked for."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
