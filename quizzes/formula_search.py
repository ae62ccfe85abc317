"""Search for formulas by what they are about: titles, symbols, functions, conventions and synonyms."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from quizzes.formula import Formula
from workbench.errors import UserError, unknown_name

# What people type -> phrases of which one must be in the text of a formula.
SYNONYMS = {
    "ap": ("average precision",),
    "auc": ("auc", "area under"),
    "auroc": ("auc",),
    "bce": ("binary cross-entropy",),
    "ce": ("cross-entropy",),
    "conv": ("convolution",),
    "crossentropy": ("cross-entropy",),
    "dense": ("dense", "fully connected", "linear layer"),
    "f1": ("f1",),
    "fc": ("dense", "fully connected"),
    "flops": ("flop", "multiply-accumulate", "macs"),
    "jaccard": ("jaccard", "intersection over union"),
    "kl": ("kullback-leibler", "kl(", "kl divergence"),
    "mae": ("mean absolute error",),
    "macs": ("macs", "multiply-accumulate"),
    "memory": ("memory", "bytes"),
    "mse": ("mean squared error", "mse"),
    "params": ("parameters",),
    "pe": ("positional encoding",),
    "sgd": ("sgd", "gradient descent"),
    "sensitivity": ("recall",),
    "tpr": ("recall",),
    "transformer": ("transformer", "attention", "encoder layer"),
    "ppl": ("perplexity",),
}
SPELLING = 0.6  # how similar a name must be to be suggested
END_OF_WORD = r"(?![^\W_])"
# Where a phrase is found -> how much that says, in the order in which it is looked for.
WEIGHTS = {"name": 6, "title": 6, "outputs": 4, "symbols": 3, "equations": 2, "conventions": 1}


def find(text: str, formulas: Iterable[Formula]) -> list[Formula]:
    """Return the formulas that are about every word of a text, the best first."""
    words = re.findall(r"[^\s-]+", text.casefold())
    scores = [(min((_score(word, formula) for word in words), default=1), formula) for formula in formulas]
    ranked = sorted((score for score in scores if score[0]), key=lambda score: -score[0])
    return [formula for _, formula in ranked]


def unknown_formula(noun: str, text: str, formulas: Iterable[Formula], names: Iterable[str]) -> UserError:
    """Return the error for a name that is neither one of the names nor a word that a formula is about.

    Args:
        noun: What the name is of, such as `formula or topic`.
        text: The name.
        formulas: The formulas that a search may find.
        names: All names that exist.
    """
    code = f"unknown_{noun.replace(' ', '_')}"
    names = list(names)
    if get_close_matches(text, names, cutoff=SPELLING):
        return unknown_name(noun, text, names)
    if matches := find(text, formulas)[:3]:
        ids = ", ".join(formula.id for formula in matches)
        return UserError(f"Unknown {noun} {text[:60]!r}. About it: {ids}.", code=code)
    return UserError(f"No {noun} here is about {text[:60]!r}. See all: workbench formulas", code=code)


def _score(word: str, formula: Formula) -> int:
    phrases, texts = SYNONYMS.get(word, (word,)), _texts(formula)
    scores = (
        2 * w - (not is_word)
        for place, w in WEIGHTS.items()
        for is_word in (True, False)
        for phrase in phrases
        if _has(phrase, texts[place], is_word)
    )
    return max(scores, default=0)


def _has(phrase: str, text: str, is_word: bool) -> bool:
    """Return whether a text has a phrase as a word, or at the start of one."""
    return bool(re.search(rf"(?<![^\W_]){re.escape(phrase)}{END_OF_WORD if is_word else ''}", text))


def _texts(formula: Formula) -> dict[str, str]:
    symbols = [f"{symbol.name} {symbol.meaning}" for symbol in formula.symbols.values()]
    outputs = [f"{name} {formula.symbols[name].meaning}" for name in formula.outputs]
    texts = {
        "name": f"{formula.id} {formula.topic}",
        "title": formula.title,
        "outputs": "; ".join(outputs),
        "symbols": "; ".join(symbols),
        "equations": "; ".join(equation.text for equation in formula.equations),
        "conventions": formula.conventions,
    }
    return {place: text.casefold() for place, text in texts.items()}
