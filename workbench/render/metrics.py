"""The one number format of each metric."""

LARGE, SMALL = 1e6, 1e-3


def format_metric(name: str, value: float | None) -> str:
    """Return the value of a metric: `0.9750`, `1.2e-5`; a learning rate without trailing zeros; None as `none`.

    Values have 4 decimal places. Those too large or too small for that have 4 or 3 significant digits.
    """
    if value is None:
        return "none"
    if name == "lr":
        text = f"{value:.4g}"
    elif value and not SMALL <= abs(value) < LARGE:
        text = f"{value:.3g}" if abs(value) < SMALL else f"{value:.4g}"
    else:
        text = f"{value:.4f}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def format_metrics(metrics: dict[str, float | None]) -> str:
    """Return metrics with their names: `loss 0.0712  accuracy 0.9806`."""
    return "  ".join(f"{name} {format_metric(name, value)}" for name, value in metrics.items())
