"""A corpus written by a grammar: sentences with a sentiment, named entities, and words that form pairs.

    sentences("train")[0].words            # ("the", "food", "in", "Washington", "was", "not", "very", "good", ".")
    sentences("train")[0].tags             # ("O", "O", "O", "B-LOC", "O", ...)
    sentences("train")[0].sentiment        # "negative"

The templates of the validation and test sentences don't occur in training, but all of their words do. The grammar's
conventions: a negation turns a sentiment around ("not bad" is positive); of two clauses that disagree, the one after
"but" counts, or the one without "although"; a question whether something is good has no sentiment.

The words are in lower case except for names, also at the start of a sentence.
"""

from workbench.data.grammar.generate import SIZES, Sentence, sentences
from workbench.data.grammar.lexicon import RELATIONS, categories
from workbench.data.grammar.passages import LONGEST, PASSAGES, passages

__all__ = ["LONGEST", "PASSAGES", "RELATIONS", "SIZES", "Sentence", "categories", "passages", "sentences"]
