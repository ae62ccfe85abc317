"""Classification: published examples, values computed by hand, and scikit-learn."""

import math

import pytest

from quizzes import bank
from quizzes.formulas import get

CONFUSION = dict(TP=40, FP=10, FN=20, TN=30)
MATRIX = dict(C=[[8, 2, 0], [1, 3, 1], [0, 4, 1]])
RANKS = dict(pos=[0.9, 0.8, 0.6], neg=[0.7, 0.55, 0.4])
WEIGHTED = dict(Z=[[1, 0], [0, 2]], w=[1, 3])
CORRECT, INCORRECT = [[1, 0], [0, 1]], [[0, 1], [1, 0]]
SMOOTHED = dict(z=[2, 1, 0.1], y=[1, 0, 0], epsilon=0.1, K=3)
HINGE = dict(s=[3.2, 5.1, -1.7], c=1, Delta=1)
PAIR = dict(p=[0.5, 0.5], q=[0.9, 0.1])
LOGISTIC = dict(x=[2], y=[1], w=0, b=0, eta=1)
GOLDEN = [
    ("bce-logits", dict(z=2, y=0), dict(L=2.1269)),
    ("bce-logits", dict(z=0.5, y=1), dict(L=0.4741)),
    ("bce-logits", dict(z=-1000, y=1), dict(L=1000)),
    ("bce-clipped", dict(p=0, y=1), dict(L=16.1181)),
    ("bce-clipped", dict(p=1, y=0), dict(L=16.1181)),
    ("bce-clipped", dict(p=0.9, y=1), dict(L=0.1054)),
    ("logistic-regression-step", LOGISTIC, dict(p=[0.5], g_w=-1, g_b=-0.5, w_new=1, b_new=0.5)),
    ("focal-loss", dict(p=0.9, y=1), dict(p_t=0.9, L=0.000263)),
    ("focal-loss", dict(p=0.9, y=0), dict(p_t=0.1, alpha_t=0.75, L=1.398820)),
    ("confusion-metrics", CONFUSION, dict(P=0.8, R=0.6667, F1=0.7273, Acc=0.7, Spec=0.75)),
    ("confusion-counts", dict(N=500, pos=100, P=0.8, R=0.6), dict(TP=60, FN=40, FP=15, TN=385)),
    ("roc-auc", RANKS, dict(AUC=0.8889)),
    ("roc-auc", dict(pos=[0.5, 0.9], neg=[0.5, 0.1]), dict(AUC=0.875)),
    (
        "softmax-ce-gradient",
        dict(Z=[[2, 1, 0.1]], Y=[[1, 0, 0]], N=1),
        dict(P=[[0.6590, 0.2424, 0.0986]], G=[[-0.3410, 0.2424, 0.0986]]),
    ),
    ("softmax-jacobian", dict(z=[0, 0]), dict(p=[0.5, 0.5], J=[[0.25, -0.25], [-0.25, 0.25]])),
    ("one-hot", dict(k=2, K=3), dict(t=[0, 0, 1])),
    ("label-smoothing", SMOOTHED, dict(t=[0.9333, 0.0333, 0.0333], L=0.5137)),
    ("weighted-cross-entropy", WEIGHTED | dict(Y=CORRECT), dict(L=0.1735)),
    ("weighted-cross-entropy", WEIGHTED | dict(Y=INCORRECT), dict(L=1.5167)),
    ("entropies", PAIR, dict(H=math.log(2), D=0.5108, C=math.log(2) + 0.5108)),
    ("multiclass-hinge", HINGE, dict(L=2.9)),
    ("macro-micro-f1", MATRIX, dict(macro=0.5188, micro=0.6)),
]
MISTAKES = [
    ("bce-logits", "logit-as-probability", dict(z=0.5, y=1), dict(L=0.6931)),
    ("bce-logits", "sigmoid-twice", dict(z=0.5, y=1), dict(L=0.4296)),
    ("logreg-gd-step", "squared-error-gradient", LOGISTIC, dict(g_w=-0.25)),
    ("logreg-gd-step", "threshold-for-sigmoid", LOGISTIC, dict(p=[0])),
    ("focal-loss", "gamma-multiplies", dict(p=0.9, y=1), dict(L=0.005268)),
    ("focal-loss", "p-for-negatives", dict(p=0.9, y=0), dict(p_t=0.9)),
    ("confusion-metrics", "fp-fn-swapped", CONFUSION, dict(P=0.6667, R=0.8)),
    ("confusion-metrics", "top-left-as-tp", CONFUSION, dict(P=0.75, R=0.6)),
    ("confusion-metrics", "arithmetic-mean", CONFUSION, dict(F1=0.7333)),
    ("roc-auc-rank", "ties-count-as-won", dict(pos=[0.5, 0.9], neg=[0.5, 0.1]), dict(AUC=1)),
    ("roc-auc-rank", "axes-swapped", RANKS, dict(AUC=0.1111)),
    ("softmax-ce-grad", "sign", dict(Z=[[2, 1, 0.1]], Y=[[1, 0, 0]], N=1), dict(G=[[0.3410, -0.2424, -0.0986]])),
    ("one-hot", "counted-from-1", dict(k=2, K=3), dict(t=[0, 1, 0])),
    ("label-smoothing", "only-wrong-classes", SMOOTHED, dict(t=[0.9, 0.05, 0.05])),
    ("label-smoothing", "forms-mixed", SMOOTHED, dict(t=[0.9, 0.0333, 0.0333])),
    ("entropy-kl", "direction-reversed", PAIR, dict(D=0.3681)),
    ("hinge-svm-multi", "true-class-included", HINGE, dict(L=3.9)),
    ("hinge-svm-multi", "squared", HINGE, dict(L=8.41)),
    ("hinge-svm-multi", "difference-reversed", HINGE, dict(L=5.9)),
    ("macro-micro-f1", "averages-first", MATRIX, dict(macro=0.5530)),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    tolerance = 6e-7 if name == "focal-loss" else 6e-5
    for key, value in expected.items():
        assert flat(values[key]) == pytest.approx(flat(value), abs=tolerance), key


@pytest.mark.parametrize(("drill", "mistake", "inputs", "expected"), MISTAKES)
def test_mistakes_give_their_answers(drill, mistake, inputs, expected):
    declared = bank.get_drill(drill)
    [rule] = [rule for rule in declared.mistake_rules if rule.name == mistake]
    values = declared.formula.evaluate(declared.formula.complete(inputs))
    answers = declared.formula.evaluate_with_mistake(rule.replaced, values, declared.asks)
    tolerance = 6e-7 if drill == "focal-loss" else 6e-5
    for key, value in expected.items():
        assert flat(answers[key]) == pytest.approx(flat(value), abs=tolerance), key


def test_average_precision_matches_scikit_learn():
    from sklearn.metrics import average_precision_score

    [rule] = [rule for rule in bank.get_drill("roc-auc-rank").mistake_rules if rule.name == "precision-recall-area"]
    for pos, neg in (RANKS.values(), ([0.5, 0.9], [0.5, 0.1]), ([0.3, 0.3, 0.8], [0.3, 0.9])):
        expected = average_precision_score([1] * len(pos) + [0] * len(neg), pos + neg)
        assert float(rule.replaced["AUC"](pos, neg)) == pytest.approx(expected)


def test_weighting_by_the_predicted_class():
    [rule] = [rule for rule in bank.get_drill("weighted-ce").mistake_rules if rule.name == "weight-of-predicted-class"]
    # The first sample is predicted as class 0 (weight 1), the second as class 1 (weight 3); both are incorrect.
    losses = [math.log(1 + math.e), math.log(1 + math.exp(2))]
    loss = rule.replaced["L"](WEIGHTED["Z"], INCORRECT, WEIGHTED["w"])
    assert loss == pytest.approx((losses[0] + 3 * losses[1]) / 4)


def flat(value):
    return [float(v) for row in value for v in flat(row)] if isinstance(value, list) else [float(value)]
