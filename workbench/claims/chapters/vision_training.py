"""Claims about the training of vision transformers: data, tokens made step by step, windows, masked pre-training."""

from collections.abc import Iterator
from math import log10
from typing import TYPE_CHECKING, Any

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, near, true
from workbench.claims.small_networks import accuracy, digits, train

if TYPE_CHECKING:
    from torch import nn

SIZES: dict[str, dict[str, Any]] = {  # networks for digits of 8x8 pixels, T2T-ViT's enlarged to 48x48
    "cnn": dict(name="lenet5-modern", image_size=20),
    "vit": dict(name="vit-ti16", image_size=8, patch_size=2),
    "vit-large-image": dict(name="vit-ti16", image_size=48, patch_size=16),
    "t2t": dict(name="t2t-vit-14"),
}


def enlarged(network: "nn.Module") -> "nn.Module":
    """Return a network that first resizes its images to the size that it reads."""
    from torch import nn

    size: Any = network.input_shape
    return nn.Sequential(nn.Upsample(size=size[1:], mode="bilinear"), network)


def digit_accuracy(seed: int, *, network: str, train_samples: int, steps: int, lr: float) -> float:
    """Return the test accuracy on digits of 8x8 pixels, in points.

    Args:
        seed: The seed of the split, the weights and the order of the samples.
        network: A key of `SIZES`.
        train_samples: Number of training samples.
        steps: Number of updates.
        lr: The learning rate of Adam.
    """
    import torch

    import models

    splits = digits(seed, train_samples)
    options = dict(SIZES[network])
    torch.manual_seed(seed)
    model = enlarged(models.build(options.pop("name"), "mini", num_classes=10, **options))
    train(model, splits.training, seed, steps=steps, lr=lr)
    return accuracy(model, splits.test)


VIT_NEEDS_DATA = Empirical(
    id="vit-needs-data",
    statement="With 50 training digits and the same number of steps, a small ViT is at least 2 points less accurate "
    "than a small CNN.",
    topic="vit",
    arms=dict(
        cnn=trial(digit_accuracy, network="cnn", train_samples=50, steps=200, lr=1e-3),
        vit=trial(digit_accuracy, network="vit", train_samples=50, steps=200, lr=1e-3),
    ),
    control=dict(train_samples=590, steps=400),
    measure="test accuracy",
    decider=Paired(min_effect=2, unit="points"),
    expected="holds",
    source="Dosovitskiy et al., An image is worth 16x16 words (2020), section 4.3",
    note="With 590 digits (the control) the gap is smaller. Augmentation, regularization and distillation close much "
    "of it on ImageNet (Touvron et al. 2021).",
)

T2T_AGAINST_VIT = Empirical(
    id="t2t-against-vit",
    statement="Trained from scratch on 590 digits with the same number of steps, T2T-ViT is at least 2 points more "
    "accurate than a ViT that cuts the same image into as many patches.",
    topic="t2t-vit",
    arms=dict(
        t2t=trial(digit_accuracy, network="t2t", train_samples=590, steps=150, lr=2e-3),
        vit=trial(digit_accuracy, network="vit-large-image", train_samples=590, steps=150, lr=2e-3),
    ),
    measure="test accuracy",
    decider=Paired(min_effect=2, unit="points"),
    expected="holds",
    source="Yuan et al., Tokens-to-token ViT (2021), section 4.1",
    note="Soft splits overlap, so an edge between two patches is inside a token.",
)

T2T_AGAINST_CNN = Empirical(
    id="t2t-against-cnn",
    statement="Trained from scratch on 590 digits with the same number of steps, T2T-ViT is at least 1 point more "
    "accurate than a CNN.",
    topic="t2t-vit",
    arms=dict(
        t2t=trial(digit_accuracy, network="t2t", train_samples=590, steps=150, lr=2e-3),
        cnn=trial(digit_accuracy, network="cnn", train_samples=590, steps=150, lr=2e-3),
    ),
    measure="test accuracy",
    decider=Paired(min_effect=1, unit="points"),
    expected="does_not_hold",
    source="Yuan et al., Tokens-to-token ViT (2021), tables 2 and 3",
    note="The paper claims to outperform ResNets of similar size on ImageNet, not CNNs in general.",
)


def attention_time(seed: int, *, windows: bool, tokens: int) -> float:
    """Return log10 of the CPU seconds of attention between tokens of 32 features, the least of 7.

    Args:
        seed: The seed of the tokens.
        windows: Whether tokens attend within windows of 64; otherwise to all.
        tokens: Number of tokens.
    """
    import time

    import torch
    import torch.nn.functional as F

    torch.manual_seed(seed)
    x = torch.randn(1, tokens // 64, 64, 32) if windows else torch.randn(1, 1, tokens, 32)
    times = []
    for _ in range(7):
        start = time.process_time()
        F.scaled_dot_product_attention(x, x, x)
        times.append(time.process_time() - start)
    return log10(min(times))


WINDOW_ATTENTION_IS_FASTER = Empirical(
    id="window-attention-faster",
    statement="With 4,096 tokens, attention in windows of 64 takes at most a tenth of the time of global attention.",
    topic="swin",
    arms=dict(
        everywhere=trial(attention_time, windows=False, tokens=4096),
        windows=trial(attention_time, windows=True, tokens=4096),
    ),
    control=dict(tokens=64),
    measure="log10 of the seconds",
    decider=Paired(min_effect=1, unit="in log10 of the seconds"),
    expected="holds",
    is_timed=True,
    source="Liu et al., Swin Transformer (2021), section 3.2",
    note="It has 64 times fewer pairs. With 64 tokens (the control) there is one window, which is global attention.",
)


def attention_memory(seed: int) -> Iterator[Evidence]:
    import torch

    torch.manual_seed(seed)
    for tokens in (256, 1024):
        x = torch.randn(1, 1, tokens, 32)
        scores = x @ x.transpose(2, 3)
        split = x.view(1, tokens // 64, 64, 32)
        windowed = split @ split.transpose(2, 3)
        yield near(f"bytes of the scores of {tokens} tokens, and 4 N^2", scores.nbytes, 4 * tokens**2, 0)
        yield near(f"bytes in windows of 64, and 4 * 64 N, for {tokens} tokens", windowed.nbytes, 256 * tokens, 0)


WINDOW_ATTENTION_MEMORY = Exact(
    id="window-attention-memory",
    statement="The scores of global attention take memory in proportion to the square of the number of tokens, those "
    "of windows of fixed size in proportion to the number.",
    topic="swin",
    evidence=attention_memory,
    expected="holds",
    source="Liu et al., Swin Transformer (2021), section 3.2",
    note="Fused operators such as FlashAttention never store all scores, so only the time remains as a reason for "
    "windows.",
)


def probe_accuracy(seed: int, *, mask_ratio: float, steps: int) -> float:
    """Return the accuracy, in points, of logistic regression on the features of a pre-trained MAE.

    It is pre-trained on 597 digits of 8x8 pixels in 64 patches of one pixel, without labels. The probe has 100 labels.

    Args:
        seed: The seed of the split, the weights and the masks.
        mask_ratio: The share of masked patches.
        steps: Number of updates of the pre-training; 0 for an encoder with fresh weights.
    """
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    import models

    splits = digits(seed)
    torch.manual_seed(seed)
    sizes = dict(embed_dim=32, depth=2, num_heads=2, decoder_embed_dim=32, decoder_depth=1, decoder_num_heads=2)
    network: Any = models.build("mae", "mini", image_size=8, patch_size=1, mask_ratio=mask_ratio, **sizes)
    optimizer = torch.optim.Adam([weight for weight in network.parameters() if weight.requires_grad], 3e-3)
    images = splits.training.images
    for _ in range(steps):
        batch = images[torch.randint(len(images), (32,))]
        optimizer.zero_grad()
        network.loss(network(batch), batch).backward()
        optimizer.step()
    with torch.no_grad():
        features = [network.encode(split.images)[:, 1:].mean(dim=1).numpy() for split in (splits.training, splits.test)]
    scaler = StandardScaler().fit(features[0])
    probe = LogisticRegression(max_iter=2000).fit(scaler.transform(features[0][:100]), splits.training.labels[:100])
    return 100 * float(probe.score(scaler.transform(features[1]), splits.test.labels))


MAE_HIGH_MASKING_SEMANTIC = Empirical(
    id="mae-high-masking-semantic",
    statement="Masking 75% of 64 patches gives features that a linear probe reads at least 1 point better than masking "
    "25%.",
    topic="mae",
    arms=dict(
        high=trial(probe_accuracy, mask_ratio=0.75, steps=300),
        low=trial(probe_accuracy, mask_ratio=0.25, steps=300),
    ),
    control=dict(steps=0),
    measure="accuracy of a linear probe",
    decider=Paired(min_effect=1, unit="points"),
    expected="does_not_hold",
    source="He et al., Masked autoencoders are scalable vision learners (2021), figure 5",
    note="Without pre-training (the control) the ratio changes nothing. The paper found 75% best for 196 "
    "patches of photographs, where a patch follows from its neighbors; on digits of 8x8 pixels a quarter of the pixels "
    "tells too little.",
)


def mask_tokens(seed: int) -> Iterator[Evidence]:
    import torch

    import models

    torch.manual_seed(seed)
    network: Any = models.build("mae", "mini").eval()
    yield near("mask tokens of the network", network.mask_token.shape[1], 1, 0)
    with torch.no_grad():
        images, noise = torch.rand(1, 1, 28, 28), torch.rand(1, network.num_patches)
        outputs = network(images, noise)
        predicted = outputs["patches"][0, outputs["mask"][0] > 0]
        spread = float(predicted.std(dim=0).max())
        yield true("predictions of masked patches differ", spread > 1e-4, f"standard deviation {spread:.3g}")
        network.decoder_pos_embed.zero_()
        predicted = network(images, noise)["patches"][0, outputs["mask"][0] > 0]
        yield near("their deviation without positions in the decoder, and 0", predicted.std(dim=0).max(), 0, 1e-5)


MAE_MASK_TOKEN_SHARED = Exact(
    id="mae-mask-token-shared",
    statement="MAE's decoder reads the same learned token for every masked patch; only its position tells them apart.",
    topic="mae",
    evidence=mask_tokens,
    is_structural=True,
    expected="holds",
    source="He et al., Masked autoencoders are scalable vision learners (2021), section 3",
)
