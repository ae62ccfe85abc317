"""Rounded numbers of channels, as in the code of MobileNet and its descendants."""


def make_divisible(channels: float) -> int:
    """Round a scaled number of channels to the nearest multiple of 8 that is at least 8 and 90% of it."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
