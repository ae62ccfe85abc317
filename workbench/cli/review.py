"""`workbench review`: what is due today, in line mode."""

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench review")
def review() -> None:
    """What is due today, in line mode; at the prompt as in 'workbench quiz'."""
    from random import Random

    from quizzes import bank
    from workbench.cli.line import run
    from workbench.store import Store
    from workbench.study import schedule, session

    known = bank.everything()
    with Store() as store:
        due = [state.item for state in schedule.due(store.items().values(), schedule.now()) if state.item in known]
        if not due:
            print("Nothing is due today. Next: workbench quiz, for something new.")
            return
        print(f"{len(due)} due today.")
        run(session.Session(store, due, Random()))
