"""Multiclass classification: drills about metrics."""

from random import Random

from quizzes.content.classification.multiclass_classification.formulas import MACRO_MICRO_F1
from quizzes.drill import Inputs, Mistake, drill


@drill(
    MACRO_MICRO_F1,
    tier=2,
    asks=("f", "macro", "micro"),
    visualization="confusion C",
    prompt="A classifier for three classes has the confusion matrix C = {C}. Rows are true classes and columns are "
    "predicted classes.\n"
    "What are the F1 score f of each class, macro F1 and micro F1?\n"
    "Conventions: as in scikit-learn, macro F1 is the mean of the F1 scores, and micro F1 uses TP, FP and FN summed "
    "over all classes.",
    hint="For each class, what do its row and its column of C add up to, in terms of TP, FN and FP?",
    mistakes=[
        Mistake(
            "precision-for-f1",
            "f[k] = C[k, k]/sum(i, C[i, k])",
            "That is the precision of each class. F1 is the harmonic mean of precision and recall.",
        ),
        Mistake(
            "recall-for-f1",
            "f[k] = C[k, k]/sum(j, C[k, j])",
            "That is the recall of each class. F1 is the harmonic mean of precision and recall.",
        ),
        Mistake(
            "averages-first",
            "macro = 2*mean(k, C[k, k]/sum(i, C[i, k]))*mean(k, C[k, k]/sum(j, C[k, j]))/(mean(k, C[k, k]/sum(i, "
            "C[i, k])) + "
            "mean(k, C[k, k]/sum(j, C[k, j])))",
            "You averaged precision and recall first. Macro F1 is the mean of the F1 scores, so compute F1 for each "
            "class "
            "first.",
        ),
        Mistake(
            "weighted-by-support",
            "macro = sum(k, f[k]*sum(j, C[k, j]))/sum(i, sum(j, C[i, j]))",
            "You weighted the classes by their support. Macro F1 gives every class the same weight, so take the "
            "plain mean.",
        ),
        Mistake(
            "macro-micro-swapped",
            "macro = sum(k, C[k, k])/sum(i, sum(j, C[i, j])); micro = mean(k, f[k])",
            "You swapped macro and micro F1. Macro F1 is the mean over the classes, and micro F1 adds up the counts "
            "first.",
        ),
    ],
)
def macro_micro_f1(rng: Random) -> Inputs:
    """Macro and micro F1"""
    sizes = [rng.choice([5, 10, 20]) for _ in range(3)]
    return dict(C=[[rng.randint(2, n) if i == k else rng.randint(0, 4) for k in range(3)] for i, n in enumerate(sizes)])
