"""The normal equation, and that gradient descent converges to the same weights."""

import numpy as np
import torch

import models
from models.dense.linear import normal_equation


def test_the_normal_equation_gives_scikit_learns_weights():
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import LinearRegression

    x, y = load_diabetes(return_X_y=True)
    theirs = LinearRegression().fit(x, np.stack([y, y**2], axis=1))
    weights, biases = normal_equation(torch.as_tensor(x), torch.as_tensor(np.stack([y, y**2], axis=1)))
    np.testing.assert_allclose(weights.numpy(), theirs.coef_, rtol=1e-8)
    np.testing.assert_allclose(biases.numpy(), theirs.intercept_, rtol=1e-8)


def test_the_normal_equation_keeps_digits_that_squares_lose():
    # Powers of t are nearly alike: condition number 1e8, and 1e16 for their products, which is all a double has.
    t = torch.linspace(0, 1, 200, dtype=torch.float64)
    X = torch.stack([t**k for k in range(1, 11)], dim=1)
    true = torch.arange(1.0, 11.0, dtype=torch.float64)
    y = (X @ true + 3)[:, None]
    weights, bias = normal_equation(X, y)
    torch.testing.assert_close(weights[0], true, rtol=0, atol=1e-5)
    torch.testing.assert_close(bias[0].item(), 3.0, rtol=0, atol=1e-8)
    ones = torch.cat([X, torch.ones_like(y)], dim=1)
    squared = torch.linalg.inv(ones.T @ ones) @ ones.T @ y
    assert (squared[:-1, 0] - true).abs().max() > 1e-3


def test_gradient_descent_converges_to_the_normal_equation():
    from sklearn.datasets import load_diabetes

    torch.manual_seed(0)
    x, y = (torch.as_tensor(column) for column in load_diabetes(return_X_y=True))
    x, y = (x - x.mean(dim=0)) / x.std(dim=0), ((y - y.mean()) / y.std())[:, None]
    network = models.build("linear-regression").double()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.2)
    for _ in range(5000):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(x), y).backward()
        optimizer.step()
    weights, bias = normal_equation(x, y)
    torch.testing.assert_close(network.linear.weight.detach(), weights, rtol=0, atol=1e-6)
    torch.testing.assert_close(network.linear.bias.detach(), bias, rtol=0, atol=1e-6)
