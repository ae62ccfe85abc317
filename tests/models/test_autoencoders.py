"""Autoencoders: their sizes and codes, the noise of denoising ones, the penalties of sparse and variational ones."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

import models
from models.autoencoders.denoising_autoencoder import NOISES, corrupt
from models.autoencoders.sparse_autoencoder import kl_sparsity
from models.autoencoders.vae import kl_to_standard_normal, reparametrize
from models.cost import summarize
from workbench.errors import UserError

NAMES = [name for name in models.names() if models.info(name).module.startswith("models.autoencoders.")]


def test_every_kind_is_there():
    assert {models.info(name).family for name in NAMES} == {
        *("autoencoder", "conv-autoencoder", "denoising-autoencoder", "sparse-autoencoder", "vae"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_code_decodes_to_an_image_of_the_shape_that_is_read(name):
    torch.manual_seed(0)
    network = models.build(name, "mini").eval()
    images = torch.rand(3, *network.input_shape)
    code = network.encode(images)
    code = code[0] if isinstance(code, tuple) else code
    assert code.shape == (3, *network.code_shape)
    decoded = network.decode(code)
    assert decoded.shape == images.shape and decoded.min() >= 0 and decoded.max() <= 1
    outputs = network(images)
    torch.testing.assert_close(outputs if isinstance(outputs, torch.Tensor) else outputs["reconstruction"], decoded)
    # The two parts that other networks can begin with are the encoder and the decoder, with no weight left out.
    prefixes = [part.prefixes for part in models.info(name).parts.values()]
    assert all(sum(key.startswith(prefix) for prefix in prefixes) == 1 for key in network.state_dict())


@pytest.mark.parametrize(("name", "macs"), [("conv-autoencoder", 366_912), ("vae", 651_200)])
def test_published_networks_have_the_multiplications_of_their_layers(name, macs):
    assert summarize(name, "paper").table()["macs"] == macs


def test_the_pooling_form_pools_and_upsamples():
    network = models.build("conv-autoencoder-pooling")
    kinds = {type(module) for module in network.modules()}
    assert {nn.MaxPool2d, nn.Upsample} < kinds and nn.ConvTranspose2d not in kinds
    assert nn.ConvTranspose2d in {type(module) for module in models.build("conv-autoencoder").modules()}


def test_a_linear_autoencoder_with_the_weights_of_pca_is_pca():
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    pixels = load_digits().data / 16
    pca = PCA(5).fit(pixels)
    network = models.build("autoencoder", "mini", hidden_sizes=(), code_size=5, activation="identity").double()
    components, mean = torch.from_numpy(pca.components_), torch.from_numpy(pca.mean_)
    network.encoder[1].load_state_dict({"weight": components, "bias": -components @ mean})
    network.decoder[0].load_state_dict({"weight": components.T, "bias": mean})
    images = torch.from_numpy(pixels).view(-1, 1, 8, 8)
    torch.testing.assert_close(network.encode(images), torch.from_numpy(pca.transform(pixels)))
    expected = torch.from_numpy(pca.inverse_transform(pca.transform(pixels))).view(-1, 1, 8, 8)
    torch.testing.assert_close(network(images), expected)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("autoencoder", {"code_size": 0}, "must be 1 or more"),
        ("autoencoder", {"activation": "step"}, "activation must be sigmoid, tanh"),
        ("conv-autoencoder", {"image_size": 30}, "image_size must be a multiple of 4"),
        ("conv-autoencoder", {"form": "fourier"}, "form must be strided or pooling"),
        ("sparse-autoencoder", {"rho": 1.0}, "rho must be between 0 and 1"),
        ("sparse-autoencoder", {"activation": "relu"}, "kl needs values from 0 to 1"),
        ("vae", {"beta": -1.0}, "beta 0 or more"),
    ],
)
def test_impossible_arguments_are_one_sentence(name, options, message):
    with pytest.raises(UserError, match=message):
        models.build(name, **options)


def generator():
    return torch.Generator().manual_seed(0)


def test_gaussian_noise_has_its_deviation():
    clean = torch.rand(200, 1, 16, 16)
    noise = corrupt(clean, "gaussian", 0.4, generator()) - clean
    assert noise.std().item() == pytest.approx(0.4, rel=0.01) and abs(noise.mean()) < 0.01


@pytest.mark.parametrize("noise", ["salt-and-pepper", "masking"])
def test_a_share_of_the_pixels_is_replaced_in_all_channels_and_the_others_are_clean(noise):
    clean = 0.25 + 0.5 * torch.rand(200, 3, 16, 16)  # no pixel is 0 or 1
    noisy = corrupt(clean, noise, 0.3, generator())
    replaced = noisy != clean
    assert (replaced.all(dim=1) == replaced.any(dim=1)).all()
    assert replaced.float().mean().item() == pytest.approx(0.3, abs=0.01)
    white = (noisy[replaced] == 1).float().mean().item()
    assert white == pytest.approx(0.5 if noise == "salt-and-pepper" else 0.0, abs=0.02)
    assert set(noisy[replaced].tolist()) <= {0.0, 1.0}


def test_noise_follows_from_the_generator():
    clean = torch.rand(4, 1, 8, 8)
    for noise in NOISES:
        first, second = (corrupt(clean, noise, 0.3, generator()) for _ in range(2))
        assert torch.equal(first, second)
    with pytest.raises(ValueError, match="noise must be gaussian, salt-and-pepper, masking"):
        corrupt(clean, "rain", 0.3, generator())


def test_the_kl_divergence_of_codes_is_that_of_torch():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(50, 7, dtype=torch.double), torch.randn(50, 7, dtype=torch.double)
    theirs = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros_like(mean), 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), theirs)
    assert kl_to_standard_normal(torch.zeros(1, 3), torch.zeros(1, 3)) == 0


def test_the_kl_divergence_is_the_mean_of_log_density_ratios_of_reparametrized_codes():
    torch.manual_seed(0)
    mean, log_variance = torch.tensor([[0.7, -1.2]]).double(), torch.tensor([[-0.5, 0.4]]).double()
    z = reparametrize(mean, log_variance, torch.randn(200_000, 2, dtype=torch.double))
    posterior, prior = Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(2).double(), 1.0)
    ratios = (posterior.log_prob(z) - prior.log_prob(z)).sum(dim=1)
    assert abs(ratios.mean() - kl_to_standard_normal(mean, log_variance)[0]) < 5 * ratios.std() / len(z) ** 0.5


def test_gradients_pass_through_a_reparametrized_code():
    mean, log_variance, epsilon = (torch.randn(4, 3, dtype=torch.double, requires_grad=k < 2) for k in range(3))
    assert torch.autograd.gradcheck(lambda m, v: reparametrize(m, v, epsilon), (mean, log_variance))


def test_a_vae_draws_its_code_in_training_only():
    torch.manual_seed(0)
    network, images = models.build("vae", "mini"), torch.rand(2, 1, 8, 8)
    first, second = (network(images)["reconstruction"] for _ in range(2))
    assert not torch.equal(first, second)
    network.eval()
    outputs = network(images)
    assert torch.equal(outputs["reconstruction"], network.decode(outputs["mean"]))


def test_the_sparsity_penalty_is_the_divergence_of_two_coins():
    activations = torch.tensor([0.02, 0.1, 0.5, 0.9], dtype=torch.double)
    coins = kl_divergence(Bernoulli(torch.tensor(0.1).double()), Bernoulli(activations)).sum()
    torch.testing.assert_close(kl_sparsity(activations, 0.1), coins)
    assert kl_sparsity(torch.full((5,), 0.1), 0.1) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(kl_sparsity(torch.tensor([0.0, 1.0]), 0.1).item())


def test_l1_is_the_sum_of_activations_of_an_image():
    network = models.build("sparse-autoencoder-l1", "mini")
    code = torch.tensor([[0.0, 2.0], [1.0, 0.0]])
    assert network.sparsity(code).item() == pytest.approx(0.1 * (2 + 1) / 2)
