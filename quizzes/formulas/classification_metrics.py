"""Classification metrics: from counts and from ranks."""

from quizzes.formulas import formula

CONFUSION_METRICS = formula(
    "confusion-metrics",
    """
    P = TP/(TP + FP)
    R = TP/(TP + FN)
    F1 = 2P*R/(P + R)
    Acc = (TP + TN)/(TP + FP + FN + TN)
    Spec = TN/(TN + FP)
    """,
    topic="binary-classification",
    title="Precision, recall, F1, accuracy and specificity",
    source="derivation: the correct fractions of the predicted positives, the actual positives, all samples and the "
    "actual negatives; F1 is the harmonic mean of precision and recall",
    TP="int 0..; number of true positives",
    FP="int 0..; number of false positives, negatives that are predicted positive",
    FN="int 0..; number of false negatives, positives that are predicted negative",
    TN="int 0..; number of true negatives",
    P="real; precision",
    R="real; recall",
    F1="real; F1 score",
    Acc="real; accuracy",
    Spec="real; specificity",
)

CONFUSION_COUNTS = formula(
    "confusion-counts",
    """
    TP = R*pos
    FN = pos - TP
    FP = TP/P - TP
    TN = N - pos - FP
    """,
    topic="binary-classification",
    title="Confusion matrix from precision and recall",
    source="derivation: R = TP/(TP + FN) and P = TP/(TP + FP), solved for the counts",
    integer_constraints="R*pos, R*pos/P",
    N="int 1..; number of samples",
    pos="int 1..; number of actual positives",
    P="real 0.001..1; precision",
    R="real 0..1; recall",
    TP="int 0..; number of true positives",
    FN="int 0..; number of false negatives",
    FP="int 0..; number of false positives",
    TN="int 0..; number of true negatives",
)

ROC_AUC = formula(
    "roc-auc",
    "AUC = mean(i, mean(j, (1 + sign(pos[i] - neg[j]))/2))",
    topic="binary-classification",
    title="Area under the ROC curve, from ranks",
    source="Hanley & McNeil, The meaning and use of the area under a receiver operating characteristic (ROC) curve, "
    "Radiology 143, 1982: the probability that a positive scores above a negative, ties counting one half",
    pos="vector; scores of the positives",
    neg="vector; scores of the negatives",
    AUC="real; area under the ROC curve",
)

MACRO_MICRO_F1 = formula(
    "macro-micro-f1",
    """
    f[k] = 2*C[k, k]/(sum(j, C[k, j]) + sum(i, C[i, k]))
    macro = mean(k, f[k])
    micro = sum(k, C[k, k])/sum(i, sum(j, C[i, j]))
    """,
    topic="multiclass-classification",
    title="Macro and micro F1 of a confusion matrix",
    source="scikit-learn documentation, f1_score: macro is the unweighted mean of the classes' F1; micro adds up TP, "
    "FP and FN over all classes, which gives the accuracy if every sample has one label",
    C="matrix 0..; confusion matrix, a row per true class, a column per predicted class",
    f="vector; F1 of each class",
    macro="real; macro F1",
    micro="real; micro F1",
)
