"""Claims about training: initialization, gradients, regularization."""

from workbench.claims.arms import run
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Paired
from workbench.claims.measures import Final

NOISY_MLP = dict(steps=400, train_samples=200, label_noise=0.4, init="he", options={"hidden_sizes": [128, 128]})

DROPOUT_WRONG_LABELS = Empirical(
    id="dropout-wrong-labels",
    statement="Dropout keeps a network from memorizing wrong labels.",
    topic="regularization",
    arms=dict(
        dropout=run("mlp", "digits", optimizer="adam", lr=1e-3, batch_size=32, dropout=0.5, **NOISY_MLP),
        plain=run("mlp", "digits", optimizer="adam", lr=1e-3, batch_size=32, dropout=0.0, **NOISY_MLP),
    ),
    control=dict(label_noise=0.0),
    measure=Final("test", "accuracy", scale=100),
    decider=Paired(min_effect=2.0, unit="points of accuracy"),
    expected="holds",
    source="Srivastava et al. 2014, Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
)
