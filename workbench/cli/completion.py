"""What the shell may complete: names of drills, cards, topics, formulas, networks ..., found without heavy imports."""

from collections.abc import Iterable
from contextlib import suppress

from typer import Context

from workbench.errors import UserError


def drills(incomplete: str) -> list[str]:
    """Ids of drills."""
    from quizzes import bank

    return _starting(bank.all_drills(), incomplete)


def cards(incomplete: str) -> list[str]:
    """Ids of cards."""
    from quizzes import bank

    return _starting(bank.all_cards(), incomplete)


def questions(incomplete: str) -> list[str]:
    """Whatever a quiz can be about: drills, cards and their topics."""
    from quizzes import bank

    items = bank.everything()
    return _starting({*items, *(item.topic for item in items.values())}, incomplete)


def formulas(incomplete: str) -> list[str]:
    """Ids of formulas."""
    from quizzes.formulas import all_formulas

    return _starting(all_formulas(), incomplete)


def sheets(incomplete: str) -> list[str]:
    """Formulas, and topics with formulas."""
    from quizzes.formulas import all_formulas

    return _starting({*all_formulas(), *(f.topic for f in all_formulas().values())}, incomplete)


def symbols(context: Context, incomplete: str) -> list[str]:
    """The symbols of the formula that stands on the line, each up to its equals sign."""
    from quizzes.formulas import all_formulas

    formula = all_formulas().get(context.params.get("formula") or "")
    return _starting((f"{name}=" for name in formula.symbols), incomplete) if formula else []


def networks(incomplete: str) -> list[str]:
    """Names of networks."""
    import models

    return _starting(models.names(), incomplete)


def runs(incomplete: str) -> list[str]:
    """Ids of runs."""
    from workbench.engine.runs import every

    return _starting((run.id for run in every()), incomplete)


def pictures(incomplete: str) -> list[str]:
    """Kinds of pictures of what is inside a network."""
    from workbench.engine.inside import KINDS

    return _starting(KINDS, incomplete)


def layers(context: Context, incomplete: str) -> list[str]:
    """The convolutions of the run that stands on the line, as the network has them that was built for its task."""
    from workbench.engine.runs import get
    from workbench.render.layers import summarize

    with suppress(UserError):
        spec = get(context.params.get("run_id") or next(iter(context.args), "")).spec
        found = summarize(spec.model, spec.preset).network.walk()
        return _starting((layer.name for layer in found if layer.type == "Conv2d"), incomplete)
    return []


def tasks(context: Context, incomplete: str) -> list[str]:
    """The tasks that fit the network that stands on the line; all where none stands there."""
    from workbench import tasks
    from workbench.engine.networks import fits

    preset, known = context.params.get("preset") or "mini", tasks.names()
    with suppress(UserError, KeyError):
        known = [task for task in known if fits(_network(context), preset, task)]
    return _starting(known, incomplete)


def presets(context: Context, incomplete: str) -> list[str]:
    """The presets of the network that stands on the line; those that every network has where none does."""
    import models

    with suppress(UserError):
        return _starting(models.info(_network(context)).presets, incomplete)
    return _starting(("mini", "paper"), incomplete)


def _network(context: Context) -> str:
    """The network that stands on the line; while an option still lacks its value, the line isn't read to its end."""
    return context.params.get("name") or next(iter(context.args), "")


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
