"""Variational autoencoder: procedures."""

from collections.abc import Iterator

from quizzes.content.autoencoders.vae.formulas import REPARAMETRIZATION
from quizzes.expressions.tree import Value
from quizzes.procedure import State, list_text, procedure
from quizzes.question import Params, Visualization


@procedure(
    "vae-reparam",
    REPARAMETRIZATION,
    title="Reparametrization of a VAE: scale the noise, add the mean, and differentiate",
    example=dict(mu=[0.5, -1, 0], logvar=[-1.4, 0.4, 0], eps=[-1.2, 0.5, 0.8]),
)
def vae_reparam(mu: list[Value], logvar: list[Value], eps: list[Value]) -> Iterator[State]:
    """Turn the log-variances into standard deviations, scale the noise with them, and add the means."""
    result = REPARAMETRIZATION.evaluate(dict(mu=mu, logvar=logvar, eps=eps))
    sigma, z = result["sigma"], result["z"]
    values: Params = {}

    def state(caption: str, table: Params, **new: object) -> State:
        values.update(new)
        return State(caption, dict(values), Visualization("table", table))

    yield state(
        f"The encoder outputs log-variances, which can have any sign. The standard deviations are exp(logvar/2): "
        f"{list_text(sigma)}.",
        dict(mu=mu, logvar=logvar, sigma=sigma),
        sigma=sigma,
    )
    scaled = [s * e for s, e in zip(sigma, eps, strict=True)]
    yield state(
        f"The noise {list_text(eps)} comes from N(0, 1) and depends on no weight. Multiply it by sigma: "
        f"{list_text(scaled)}.",
        dict(sigma=sigma, eps=eps, scaled=scaled),
        scaled=scaled,
    )
    yield state(
        f"Add the means {list_text(mu)}: z = {list_text(z)}. It is a sample from N(mu, sigma^2).",
        dict(mu=mu, scaled=scaled, z=z),
        z=z,
    )
    gradient = [product / 2 for product in scaled]
    yield state(
        "Now z is a differentiable function of mu and logvar: dz/dmu is 1, and dz/dlogvar is sigma*eps/2: "
        f"{list_text(gradient)}. So the encoder learns by backpropagation.",
        dict(z=z, dz_dlogvar=gradient),
        dz_dmu=[1] * len(mu),
        dz_dlogvar=gradient,
    )
