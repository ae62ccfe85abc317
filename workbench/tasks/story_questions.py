"""Answers to questions about stories."""

from collections import Counter, defaultdict

from workbench import data
from workbench.tasks.base import Baseline
from workbench.tasks.completions import Completions


class QuestionAnswering(Completions):
    """Completions that answer a question."""

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the exact match of the answer that is most frequent in training after the words of a question.

        The words are the first two, such as "where did", so that the answer is of the right kind.
        """
        splits = data.load(self.data, seed)
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for prompt, answer in self._texts(splits["train"]):
            counts[_kind(prompt)][answer] += 1
        best = {kind: answers.most_common(1)[0][0] for kind, answers in counts.items()}
        test = self._texts(splits["test"])
        correct = sum(best.get(_kind(prompt)) == answer for prompt, answer in test)
        return Baseline("the most frequent answer to such a question", "exact_match", correct / len(test))


def _kind(prompt: str) -> str:
    return " ".join(prompt.rpartition("question: ")[2].split()[:2])


TASK = QuestionAnswering(
    data="story-questions",
    title="answer questions about a story",
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocabulary]"),
    metrics=dict(exact_match="max", rouge_l="max", token_accuracy="max"),
)
