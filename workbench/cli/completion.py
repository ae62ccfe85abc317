"""Shell completion: names of drills, cards, topics, formulas, networks and runs, without heavy imports."""

from collections.abc import Iterable
from contextlib import suppress

from typer import Context

from workbench.errors import UserError


def drills(incomplete: str) -> list[str]:
    """Return the ids of drills."""
    from workbench import question_index

    return _starting((drill.id for drill in question_index.drills()), incomplete)


def cards(incomplete: str) -> list[str]:
    """Return the ids of cards."""
    from workbench import question_index

    return _starting((card.id for card in question_index.cards()), incomplete)


def questions(incomplete: str) -> list[str]:
    """Return everything that a quiz can select: drills, cards and their topics."""
    from workbench import question_index

    names = {name for drill in question_index.drills() for name in (drill.id, drill.topic)}
    names |= {name for card in question_index.cards() for name in (card.id, card.topic)}
    return _starting(names, incomplete)


def formulas(incomplete: str) -> list[str]:
    """Return the ids of formulas."""
    from workbench import question_index

    return _starting((formula.id for formula in question_index.formulas()), incomplete)


def formulas_and_procedures(incomplete: str) -> list[str]:
    """Return the ids of formulas, and of procedures that can be stepped through."""
    from quizzes import procedures
    from workbench import question_index

    ids = {formula.id for formula in question_index.formulas()} | procedures.entries().keys()
    return _starting(ids, incomplete)


def formulas_and_topics(incomplete: str) -> list[str]:
    """Return the ids of formulas, and of topics that have formulas."""
    from workbench import question_index

    return _starting(
        {name for formula in question_index.formulas() for name in (formula.id, formula.topic)}, incomplete
    )


def symbols(context: Context, incomplete: str) -> list[str]:
    """Return the symbols of the formula or procedure on the command line, each with its equals sign."""
    from quizzes import formulas, procedures

    id = context.params.get("formula") or ""
    with suppress(UserError):
        entry = procedures.entries().get(id)
        owner = procedures.get(id) if entry and not entry.has_formula else formulas.get(id)
        return _starting((f"{name}=" for name in owner.symbols), incomplete)
    return []


def networks(incomplete: str) -> list[str]:
    """Return the names of networks."""
    import models

    return _starting(models.names(), incomplete)


def runs(incomplete: str) -> list[str]:
    """Return the ids of runs."""
    from workbench.engine.runs import names

    return _starting(names(), incomplete)


def run_statuses(incomplete: str) -> list[str]:
    """Return the values of a run's status."""
    from workbench.engine.run_row import STATUSES

    return _starting(STATUSES, incomplete)


def run_orders(incomplete: str) -> list[str]:
    """Return the orders of a list of runs."""
    from workbench.engine.run_query import SORTS

    return _starting(SORTS, incomplete)


def claims(incomplete: str) -> list[str]:
    """Return the ids of claims."""
    from workbench.claims import catalog

    return _starting(catalog.claims(), incomplete)


def visualizations(incomplete: str) -> list[str]:
    """Return the kinds of visualizations of a trained network."""
    from workbench.engine.interpret import KINDS

    return _starting(KINDS, incomplete)


def splits(incomplete: str) -> list[str]:
    """Return the splits of a dataset."""
    from workbench.data import SPLITS

    return _starting(SPLITS, incomplete)


def layers(context: Context, incomplete: str) -> list[str]:
    """Return the convolutions of the run on the command line, by the names that they have for its task."""
    from workbench.engine.runs import get
    from workbench.render.layers import summarize

    with suppress(UserError):
        spec = get(context.params.get("run_id") or next(iter(context.args), "")).spec
        modules = summarize(spec.network.model, spec.network.preset).network.walk()
        return _starting((layer.name for layer in modules if layer.type == "Conv2d"), incomplete)
    return []


def tasks(context: Context, incomplete: str) -> list[str]:
    """Return the tasks that fit the network on the command line; all tasks if there is none yet."""
    from workbench import tasks
    from workbench.engine.networks import is_compatible

    preset, names = context.params.get("preset") or "mini", tasks.names()
    with suppress(UserError, KeyError):
        names = [task for task in names if is_compatible(_network(context), preset, task)]
    return _starting(names, incomplete)


def task_names(incomplete: str) -> list[str]:
    """Return the names of all tasks."""
    from workbench import tasks

    return _starting(tasks.names(), incomplete)


def presets(context: Context, incomplete: str) -> list[str]:
    """Return the presets of the network on the command line; if there is none yet, those that every network has."""
    import models

    with suppress(UserError):
        return _starting(models.info(_network(context)).presets, incomplete)
    return _starting(("mini", "paper"), incomplete)


def _network(context: Context) -> str:
    """Return the network on the command line, which isn't parsed while an option still lacks its value."""
    return context.params.get("name") or next(iter(context.args), "")


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
