"""`workbench review`: the items that are due today, at the prompt."""

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench review")
def review() -> None:
    """Answer the questions that are due today; results are saved. The prompt works as in 'workbench quiz'."""
    from random import Random

    from workbench.cli.prompt_session import ask_all
    from workbench.store import Store
    from workbench.study import schedule, session
    from workbench.user_bank import user_bank

    items = user_bank().all_drills_and_cards()
    with Store() as store:
        due = [state.item for state in schedule.due(store.items().values(), schedule.now()) if state.item in items]
        if not due:
            print("Nothing is due today. Next: workbench quiz")
            return
        print(f"{len(due)} due today.")
        ask_all(session.Session(store, due, Random()))
