"""The sentiment of the sentences of a grammar: negative, neutral or positive."""

from workbench.tasks.sentence_classification import SentenceClassification

TASK = SentenceClassification(
    data="sentiment",
    title="predict the sentiment of a sentence",
    inputs=dict(words="int64[length]"),
    accepts="sentences",
)
