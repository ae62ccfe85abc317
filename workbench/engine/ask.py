"""Questions to a trained network: a point of the plane, a row of a table, a drawn image.

The task of the run defines the possible questions, and answers with a visualization. The worker caches the networks of
the last questions.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError

TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core
FILES = ("image",)  # names whose values are paths


def ask(worker: Verifier, run: Run, question: Mapping[str, str]) -> dict[str, Any]:
    """Return the answer of a run's network to a question, as a visualization.

    Args:
        worker: The process that has PyTorch.
        run: The run; the weights are those of its best checkpoint, or of its last if there is no best one.
        question: Name -> text.

    Raises:
        UserError: If the task can't answer it, or the run has no checkpoint.
    """
    paths = {name: str(Path(text).expanduser().absolute()) for name, text in question.items() if name in FILES}
    try:
        return worker.ask(dict(job="ask", folder=str(run.folder), question={**question, **paths}), TIMEOUT)
    except ScriptError as error:
        raise UserError(f"The network can't be asked: {error} See 'workbench doctor'.") from None


def answer(run: Run, question: Mapping[str, str]) -> dict[str, Any]:
    """Return the answer, computed in this process. Imports torch."""
    from workbench.engine.trained import load

    trained = load(run)
    response = trained.task.respond(trained.network, question, run.spec.seed)
    about = {name: value for name, value in trained.info.items() if name != "model"}
    return {**response, **about}


def possible_questions(worker: Verifier, run: Run) -> dict[str, str]:
    """Return what can be asked of a run's network: name -> its meaning.

    Raises:
        UserError: If nothing can be asked, or the run is damaged.
    """
    try:
        questions = worker.ask(dict(job="questions", folder=str(run.folder)), TIMEOUT)
    except ScriptError as error:
        raise UserError(f"The network can't be asked: {error} See 'workbench doctor'.") from None
    if not questions:
        raise UserError(f"The network of {run.id} can't be asked anything.")
    return questions


class Conversation:
    """Asks questions one after another in a thread. A new question replaces one that is still waiting.

    Args:
        worker: The process that has PyTorch.
        run: The run whose network is asked.
        on_answer: Called in the thread with a question and its answer.
        on_error: Called in the thread with the message of a `UserError`.
    """

    def __init__(
        self,
        worker: Verifier,
        run: Run,
        on_answer: Callable[[Mapping[str, str], dict[str, Any]], None],
        on_error: Callable[[str], None],
    ):
        self._worker, self._run, self._on_answer, self._on_error = worker, run, on_answer, on_error
        self._lock = threading.Lock()
        self._waiting: Mapping[str, str] | None = None
        self._is_asking = False

    def ask(self, question: Mapping[str, str]) -> None:
        """Ask a question as soon as the one before is answered."""
        with self._lock:
            self._waiting = question
            if self._is_asking:
                return
            self._is_asking = True
        threading.Thread(target=self._answer_waiting, daemon=True).start()

    def close(self) -> None:
        """Drop the waiting question. The one that is being answered is finished, but not followed by another."""
        with self._lock:
            self._waiting = None

    def _answer_waiting(self) -> None:
        while True:
            with self._lock:
                question, self._waiting = self._waiting, None
                if question is None:
                    self._is_asking = False
                    return
            try:
                response = ask(self._worker, self._run, question)
            except UserError as error:
                self._on_error(str(error))
            else:
                self._on_answer(question, response)
