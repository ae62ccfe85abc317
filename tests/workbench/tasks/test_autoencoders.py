"""Tasks of autoencoders: losses, metrics and baselines against other libraries, codes, samples and questions."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch.distributions import Bernoulli, Normal, kl_divergence

import models
from workbench import data, tasks
from workbench.data.sources import Resident
from workbench.engine import RunSpec
from workbench.engine.training.race import possible
from workbench.engine.training.state import SeedState
from workbench.errors import UserError
from workbench.tasks import inpainting
from workbench.tasks.base import StepContext
from workbench.tasks.reconstruction import Reconstruction, psnr
from workbench.tasks.sampling import SampleRequest

torch.set_num_threads(1)
NETWORKS = {
    "reconstruction": "autoencoder",
    "denoising": "denoising-autoencoder",
    "denoising-salt-and-pepper": "denoising-autoencoder",
    "denoising-masking": "conv-autoencoder",
    "sparse-coding": "sparse-autoencoder",
    "generation": "vae",
}
KINDS = {"reconstruction", "codes", "decoded-plane", "interpolation", "images"}


def build(model, **options):
    torch.manual_seed(0)
    return models.build(model, "mini", **options)


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture
def network(name):
    return build(NETWORKS[name])


@pytest.fixture
def task(name, network):
    return tasks.get(name).for_network(network)


def everything(source):
    return source.batch(slice(0, len(source)))


def clean_digits(split):
    return torch.from_numpy(data.load("digits", seed=0)[split][0])


def test_every_task_of_this_kind_is_tested():
    kinds = {name for name in tasks.names() if isinstance(tasks.get(name), Reconstruction)}
    assert {name for name in kinds if tasks.info(name).data == "digits"} - {"masked-patches"} == set(NETWORKS)


def test_images_are_from_0_to_1_and_the_target_of_a_loss(task, network):
    sources = task.sources(network, seed=0)
    assert list(sources) == list(data.SPLITS)
    torch.testing.assert_close(everything(sources["test"])["image"], clean_digits("test"))
    assert everything(sources["test"])["target"].tolist() == data.load("digits", seed=0)["test"][1].tolist()


def test_metrics_do_not_depend_on_the_size_of_a_batch_and_are_those_of_the_images(task, network, monkeypatch):
    source = task.sources(network, seed=0)["test"]
    metrics = task.evaluate(network, source)
    assert metrics.keys() - {"loss", "reconstruction", "kl", "sparsity"} == task.info.metrics.keys()
    assert metrics["psnr"] == pytest.approx(10 * np.log10(1 / metrics["mse"]))
    assert task.evaluate(network, source) == metrics  # noise is always the same in an evaluation
    if task.is_stackable:  # no noise is drawn
        monkeypatch.setattr(type(task), "evaluation_batch", lambda self, network: 7)
        assert task.evaluate(network, source) == pytest.approx(metrics, rel=1e-5)


def test_the_terms_of_a_loss_sum_to_it(name, task, network):
    batch = task.sources(network, seed=0)["train"].batch(slice(0, 20))
    context = StepContext(is_training=True)
    losses = task.losses(task.forward(network, batch, context), batch, context)
    terms = task.check(network, task.sources(network, seed=0)["train"])
    assert terms == {"generation": ["reconstruction", "kl"], "sparse-coding": ["reconstruction", "sparsity"]}.get(
        name, []
    )
    if terms:
        assert losses["loss"].item() == pytest.approx(sum(losses[term].item() for term in terms), rel=1e-6)


def test_reconstruction_has_the_mean_squared_error():
    task, network = tasks.get("reconstruction"), build("autoencoder")
    metrics = task.evaluate(network, task.sources(network, seed=0)["test"])
    images = clean_digits("test")
    expected = F.mse_loss(network(images), images).item()
    assert (metrics["loss"], metrics["mse"]) == pytest.approx((expected, expected), rel=1e-5)


def test_denoising_compares_with_the_clean_image():
    task, network = tasks.get("denoising-masking"), build("denoising-autoencoder")
    batch = task.sources(network, seed=0)["test"].batch(slice(0, 30))
    inputs = []
    network.register_forward_pre_hook(lambda module, args: inputs.append(args[0]))
    context = StepContext(generator=torch.Generator().manual_seed(5))
    outputs = task.forward(network, batch, context)
    assert (inputs[0][inputs[0] != batch["image"]] == 0).all() and not torch.equal(inputs[0], batch["image"])
    assert task.losses(outputs, batch, context)["loss"] == F.mse_loss(outputs, batch["image"])
    task.forward(network, batch, context)
    assert not torch.equal(inputs[0], inputs[1])  # in training, noise is drawn again


def test_sparse_coding_has_half_the_sum_of_squares():
    task, network = tasks.get("sparse-coding"), build("sparse-autoencoder")
    batch = task.sources(network, seed=0)["test"].batch(slice(0, 40))
    losses = task.losses(task.forward(network, batch, StepContext()), batch, StepContext())
    outputs = network(batch["image"])
    expected = ((outputs["reconstruction"] - batch["image"]) ** 2).sum() / 2 / 40
    torch.testing.assert_close(losses["reconstruction"], expected)
    torch.testing.assert_close(losses["sparsity"], network.sparsity(outputs["code"]))
    metrics = task.evaluate(network, Resident(**batch))
    assert metrics["mean_activation"] == pytest.approx(outputs["code"].mean().item(), rel=1e-5)
    assert metrics["active_share"] == pytest.approx((outputs["code"] > 0.1).float().mean().item(), rel=1e-5)


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_the_loss_of_a_vae_is_the_negative_bound_by_torchs_distributions(beta):
    task, network = tasks.get("generation"), build("vae", beta=beta).double()
    batch = {"image": torch.rand(30, 1, 8, 8).double().round(), "target": torch.zeros(30, dtype=torch.int64)}
    context = StepContext(generator=torch.Generator().manual_seed(3))
    losses = task.losses(task.forward(network, batch, context), batch, context)
    mean, log_variance = network.encode(batch["image"])
    posterior, prior = Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros_like(mean), 1.0)
    z = mean + posterior.scale * torch.randn(30, 2, generator=torch.Generator().manual_seed(3)).double()
    likelihood = Bernoulli(network.decode(z)).log_prob(batch["image"]).sum(dim=(1, 2, 3)).mean()
    kl = kl_divergence(posterior, prior).sum(dim=1).mean()
    torch.testing.assert_close(losses["loss"], -likelihood + beta * kl, rtol=1e-5, atol=1e-4)
    meter = task.meter()
    meter.update(task.forward(network, batch, StepContext(generator=torch.Generator().manual_seed(3))), batch)
    assert meter.compute()["elbo"] == pytest.approx((likelihood - kl).item(), rel=1e-5)


def test_the_bound_is_below_the_likelihood_of_many_samples():
    task, network = tasks.get("generation"), build("vae").double()
    images = clean_digits("test")[:20].double().round()
    batch = {"image": images, "target": torch.zeros(20, dtype=torch.int64)}
    context = StepContext()
    bounds = [-task.losses(task.forward(network, batch, context), batch, context)["loss"].item() for _ in range(50)]
    mean, log_variance = network.encode(images)
    posterior = Normal(mean, (log_variance / 2).exp())
    z = posterior.sample((2000,))
    log_weights = Normal(0.0, 1.0).log_prob(z).sum(dim=2) - posterior.log_prob(z).sum(dim=2)
    pixels = Bernoulli(network.decode(z.flatten(0, 1)).view(2000, *images.shape))
    log_weights = log_weights + pixels.log_prob(images).sum(dim=(2, 3, 4))
    likelihood = (log_weights.logsumexp(dim=0) - np.log(2000)).mean().item()  # importance sampling
    assert np.mean(bounds) < likelihood


def test_psnr_is_that_of_its_definition():
    assert psnr(0.01) == pytest.approx(20) and psnr(1.0) == 0 and psnr(0.0) == 200


@pytest.mark.parametrize(("model", "components"), [("autoencoder", 8), ("vae", 2), ("denoising-autoencoder", 8)])
def test_the_baseline_is_scikit_learns_pca_of_the_size_of_the_code(model, components):
    from sklearn.decomposition import PCA

    task = tasks.get("reconstruction").for_network(build(model))
    train, test = (clean_digits(split).flatten(1).double().numpy() for split in ("train", "test"))
    pca = PCA(components, svd_solver="full").fit(train)
    expected = np.square(pca.inverse_transform(pca.transform(test)) - test).mean()
    baseline = task.compute_baseline(seed=0)
    assert baseline.value == pytest.approx(expected, rel=1e-6) and str(components) in baseline.method
    assert tasks.get("reconstruction").declared.get("components") is None  # the task itself is unchanged


def test_a_baseline_is_better_than_no_model(task):
    baseline = task.compute_baseline(seed=0)
    images = clean_digits("test").double()
    mean = clean_digits("train").double().mean(dim=0)
    constant = (images - mean).square().mean().item()
    assert baseline.metric == next(iter(task.info.metrics)) and np.isfinite(baseline.value)
    if baseline.metric == "mse":
        assert 0 < baseline.value < constant
    else:
        pixels = F.binary_cross_entropy(mean.expand_as(images), images, reduction="none")
        assert baseline.value == pytest.approx(-pixels.flatten(1).sum(dim=1).mean().item(), rel=1e-3)


def test_visualizations_are_plain_data_of_every_kind(name, task, network):
    source = task.sources(network, seed=0)["validation"]
    visualizations = json.loads(json.dumps(task.visualize(network, source), allow_nan=False))
    kinds = [visualization["kind"] for visualization in visualizations]
    assert set(kinds) <= KINDS and kinds.count("reconstruction") == 12 and {"codes", "interpolation"} <= set(kinds)
    assert ("decoded-plane" in kinds) == ("images" in kinds) == (name == "generation")
    first = visualizations[0]
    expected = ["clean", "noisy"] if "denoising" in name else ["input"]
    assert list(first["images"]) == [*expected, "reconstruction"]
    assert all(
        len(image) == 8 and min(map(min, image)) >= 0 and max(map(max, image)) <= 1
        for image in first["images"].values()
    )
    one = Resident(**source.batch(slice(0, 1)))
    assert task.visualize(network, one)[0]["kind"] == "reconstruction"


def test_codes_are_those_of_the_encoder(task, network):
    source = task.sources(network, seed=0)["test"]
    codes, columns = task.encodings(network, source)
    assert codes.shape == (360, int(np.prod(network.code_shape)))
    network.eval()
    code = network.encode(everything(source)["image"])
    torch.testing.assert_close(codes, (code[0] if isinstance(code, tuple) else code).flatten(1).detach())
    assert columns["sample"] == list(range(360)) and columns["class"][0] == str(everything(source)["target"][0].item())


def test_a_vae_generates_from_the_prior_and_the_seed_decides():
    task, network = tasks.get("generation"), build("vae")
    [first] = task.sample(network, SampleRequest(count=3, seed=1), 0)
    assert len(first["images"]) == 3 and task.sample(network, SampleRequest(count=3, seed=1), 0) == [first]
    assert task.sample(network, SampleRequest(count=3, seed=2), 0) != [first]
    z = torch.tensor(first["codes"])
    torch.testing.assert_close(
        torch.tensor(first["images"]), network.decode(z)[:, 0].detach(), atol=0.006, rtol=0
    )  # rounded
    [many] = task.sample(network, SampleRequest(count=1000), 0)
    assert np.std(many["codes"]) == pytest.approx(1, abs=0.05)
    [same] = task.sample(network, SampleRequest(count=5, temperature=0), 0)
    assert len({str(image) for image in same["images"]}) == 1


def test_what_can_not_be_generated_is_one_sentence():
    with pytest.raises(UserError, match=r"no prior .* train a vae"):
        tasks.get("reconstruction").sample(build("autoencoder"), SampleRequest(), 0)
    with pytest.raises(UserError, match="only count, temperature and seed"):
        tasks.get("generation").sample(build("vae"), SampleRequest(prompt="a 3"), 0)


def test_a_point_of_the_plane_is_decoded():
    task, network = tasks.get("generation"), build("vae")
    answer = task.respond(network, {"z1": "0.5", "z2": "-1"}, 0)
    expected = network.decode(torch.tensor([[0.5, -1.0]]))[0, 0].detach()
    torch.testing.assert_close(torch.tensor(answer["decoded"]), expected, atol=0.006, rtol=0)
    assert answer["point"] == [0.5, -1] and "regions" not in answer
    first = task.respond(network, {}, 0)
    assert len(first["regions"]["samples"]) == 180 and first["regions"]["features"] == ["z1", "z2"]


def test_a_code_of_more_numbers_has_their_mean():
    task, network = tasks.get("reconstruction"), build("autoencoder")
    codes = task.codes(network, task.sources(network, 0)["validation"])
    code = torch.cat([torch.tensor([2.0]), codes.mean(dim=0)[1:]])
    answer = task.respond(network, {"z1": "2"}, 0)
    expected = network.decode(code[None])[0, 0].detach()
    torch.testing.assert_close(torch.tensor(answer["decoded"]), expected, atol=0.006, rtol=0)


def test_an_image_is_reconstructed_and_a_region_is_filled_in():
    task, network = tasks.get("denoising-masking"), build("denoising-autoencoder")
    rows = clean_digits("test")[0, 0].tolist()
    answer = task.respond(network, {"pixels": json.dumps(rows)}, 0)
    assert list(answer["images"]) == ["input", "reconstruction"]
    answer = task.respond(network, {"pixels": json.dumps(rows), "mask": "2,3,5,6"}, 0)
    image, masked, filled = (np.array(stack) for stack in answer["images"].values())
    inside = np.zeros((8, 8), bool)
    inside[2:5, 3:6] = True
    assert (masked[inside] == 0).all() and (masked[~inside] == image[~inside]).all()
    assert (filled[~inside] == image[~inside]).all() and (filled[inside] != 0).any()


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"z1": "far"}, "z1 must be a number"),
        ({"z1": "nan"}, "z1 must be a number"),
        ({"z1": "1e9"}, "of at most 1e"),
        ({"z3": "1"}, "Unknown part of a question"),
        ({"z1": "1", "pixels": "[[0, 1]]"}, "about one image"),
        ({"mask": "1,1,2,2"}, "about one image"),
        ({"pixels": "[[0, 2]]"}, "numbers from 0 to 1"),
        ({"pixels": "[[0, 1], [1, 0]]", "mask": "0,0,9,4"}, "within 8 rows and 8 columns"),
        ({"pixels": "[[0, 1], [1, 0]]", "mask": "3,3,3,4"}, "within 8 rows and 8 columns"),
        ({"pixels": "[[0, 1], [1, 0]]", "mask": "a"}, "must be top,left,bottom,right"),
    ],
)
def test_a_question_that_can_not_be_answered_is_one_sentence(question, message):
    with pytest.raises(UserError, match=message):
        tasks.get("reconstruction").respond(build("autoencoder"), question, 0)


def test_projections_end_where_the_network_reproduces_an_image():
    images, mask = torch.tensor([[[[0.2, 0.9]]]]), torch.tensor([[False, True]])
    halfway = inpainting.fill(lambda x: (x + 0.5) / 2, images, mask, rounds=30)  # its fixed point is 0.5
    assert halfway[0, 0, 0].tolist() == pytest.approx([0.2, 0.5])


def test_the_error_of_an_image_file_is_ranked_among_those_of_the_validation_set(tmp_path):
    task, network = tasks.get("reconstruction"), build("autoencoder")
    pixels = (clean_digits("validation")[3, 0] * 255).round().byte().numpy()
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    [row] = task.predict_files(network, [tmp_path / "digit.png"], 0)
    image = torch.from_numpy(pixels / 255).float()[None, None]
    assert row["predicted"] == pytest.approx(F.mse_loss(network(image), image).item(), rel=1e-4)
    errors = task.reconstruction_errors(network, clean_digits("validation"))
    assert row["percentile"] == pytest.approx(100 * (errors < row["predicted"]).double().mean().item())


def test_a_network_without_a_code_is_one_sentence():
    for name, model, message in [
        ("reconstruction", "mlp", "MLP has no encode"),
        ("generation", "autoencoder", "Autoencoder has no beta"),
        ("sparse-coding", "vae", "VAE has no sparsity"),
    ]:
        with pytest.raises(UserError, match=message):
            tasks.get(name).sources(build(model), 0)


def test_images_of_another_dataset_take_the_shape_that_is_read():
    task, network = tasks.get("reconstruction"), build("autoencoder")
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 16, 16), dtype=np.uint8)
    source = task.adapt(network, "shapes", (images, np.zeros(5, np.int64)), 0)
    image = everything(source)["image"]
    assert image.shape == (5, 1, 8, 8) and image.min() >= 0 and image.max() <= 1
    with pytest.raises(UserError, match="no images"):
        task.adapt(network, "iris", (np.zeros((5, 4)), np.zeros(5, np.int64)), 0)


def test_seeds_are_stacked_only_if_a_step_draws_no_noise(name):
    spec = RunSpec.create(NETWORKS[name], task=name, device="cpu", steps=2)
    states = [SeedState(RunSpec.create(**{**spec.options(), "seed": seed})) for seed in (0, 1)]
    assert ("vmap" in possible(states)) == (name == "reconstruction")
