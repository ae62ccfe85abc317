"""Claims about vision transformers and DETR: patches, windows, matching, masking."""

from collections.abc import Iterator
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims.claim import Exact, Scaling
from workbench.claims.deciders import Slope
from workbench.claims.evidence import Evidence, equal, near, true

if TYPE_CHECKING:
    from torch import Tensor, nn

WINDOW = 4  # tokens per side of a window in the claims about attention's reach


def matching(seed: int) -> Iterator[Evidence]:
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    for n in (2, 4, 6):
        costs = rng.normal(size=(n, n))
        rows, columns = linear_sum_assignment(costs)
        best = min(sum(costs[k, column] for k, column in enumerate(order)) for order in permutations(range(n)))
        yield near(
            f"cost of SciPy's assignment, and the smallest of all {n}! permutations",
            costs[rows, columns].sum(),
            best,
            1e-12,
        )
        order = rng.permutation(n)
        rows, columns = linear_sum_assignment(costs[:, order])
        yield near(
            f"cost of the assignment after the objects are permuted, n = {n}",
            costs[:, order][rows, columns].sum(),
            best,
            1e-12,
        )
        yield equal(f"each object has one query, n = {n}", sorted(columns.tolist()), list(range(n)))


HUNGARIAN_MATCHING = Exact(
    id="hungarian-matching",
    statement=(
        "DETR's matching gives each object one query, with the smallest total cost, whatever the order of the objects."
    ),
    topic="detr",
    evidence=matching,
    expected="holds",
    source="Carion et al., End-to-end object detection with transformers (2020), section 3.1",
    note="So a second box for the same object is trained to be 'no object', and DETR needs no NMS.",
)


def patches(seed: int) -> Iterator[Evidence]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.manual_seed(seed)
    size, features = int(np.random.default_rng(seed).choice([4, 8])), 12
    conv, images = nn.Conv2d(3, features, size, stride=size).double(), torch.randn(2, 3, 32, 32, dtype=torch.double)
    dense = nn.Linear(3 * size * size, features).double()
    with torch.no_grad():
        dense.weight.copy_(conv.weight.flatten(1))
        dense.bias.copy_(conv.get_parameter("bias"))
        flat = F.unfold(images, size, stride=size).transpose(1, 2)
        yield near(
            "patches through a dense layer, and a convolution with stride P",
            dense(flat),
            conv(images).flatten(2).transpose(1, 2),
            1e-10,
        )
    yield equal("tokens, and (H/P)²", flat.shape[1], (32 // size) ** 2)


VIT_PATCH_EMBEDDING = Exact(
    id="vit-patch-embedding",
    statement="ViT's patch embedding, a dense layer on flattened PxP patches, equals a PxP convolution with stride P.",
    topic="vit",
    evidence=patches,
    expected="holds",
    source="Dosovitskiy et al., An image is worth 16x16 words (2020), section 3.1",
)


def attention_macs(tokens: int) -> float:
    """Return the MACs of attention between tokens of 64 features, without the projections."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    from models.cost import trace

    class Attention(nn.Module):
        def forward(self, x: "Tensor") -> "Tensor":
            return F.scaled_dot_product_attention(x, x, x)

    return float(trace(Attention(), torch.empty(1, 1, tokens, 64, device="meta")).total_macs)


def global_attention(seed: int) -> list[tuple[float, float]]:
    """Return image sizes, with patches of 16, and MACs of global attention."""
    start = int(np.random.default_rng(seed).integers(6, 11))
    return [(16.0 * size, attention_macs(size * size)) for size in (start, 2 * start, 4 * start, 8 * start)]


VIT_QUADRATIC = Scaling(
    id="vit-quadratic",
    statement=(
        "The cost of ViT's attention grows with the square of the number of tokens, so with the fourth power of the "
        "height of the image if the patches stay the same."
    ),
    topic="vit",
    points=global_attention,
    decider=Slope(3.95, 4.05),
    expected="holds",
    source="Dosovitskiy et al., An image is worth 16x16 words (2020), section 2",
    note=(
        "Counted in MACs of Q K^T and of the weighted sum. Projections and dense layers grow in proportion to the "
        "tokens, so at 224 pixels they cost more."
    ),
)


def window_attention(seed: int) -> list[tuple[float, float]]:
    """Return numbers of tokens and MACs of torchvision's attention in windows of 7x7."""
    import torch
    from torchvision.models.swin_transformer import ShiftedWindowAttention

    from models.cost import trace

    start = int(np.random.default_rng(seed).integers(2, 5))
    points = []
    for windows in (start, 2 * start, 4 * start):
        size = 7 * windows
        layer = ShiftedWindowAttention(24, [7, 7], [0, 0], 3)
        points.append((float(size * size), float(trace(layer, torch.zeros(1, size, size, 24)).total_macs)))
    return points


SWIN_LINEAR = Scaling(
    id="swin-linear",
    statement="The cost of Swin's attention in windows of a fixed size grows in proportion to the number of tokens.",
    topic="swin",
    points=window_attention,
    decider=Slope(0.98, 1.02),
    expected="holds",
    source="Liu et al., Swin Transformer (2021), section 3.2, equation 2",
)


def reach(layers: "list[nn.Module]", size: int, place: int) -> np.ndarray:
    """Return which tokens of a size x size map the token in row and column `place` depends on, by its gradient."""
    import torch

    x = torch.randn(1, size, size, 8, requires_grad=True)
    output = x
    for layer in layers:
        output = output + layer(output)
    output[0, place, place].sum().backward()
    assert x.grad is not None
    return (x.grad[0] != 0).any(dim=-1).numpy()


def windows(shift: int) -> Any:
    """Return torchvision's attention of 8 features in windows of 4x4 tokens."""
    from torchvision.models.swin_transformer import ShiftedWindowAttention

    return ShiftedWindowAttention(8, [WINDOW, WINDOW], [shift, shift], 2)


def shifted_windows(seed: int) -> Iterator[Evidence]:
    import torch

    torch.manual_seed(seed)
    size = 4 * WINDOW
    place = int(np.random.default_rng(seed).integers(WINDOW, 2 * WINDOW))
    own = np.zeros((size, size), dtype=bool)
    own[WINDOW : 2 * WINDOW, WINDOW : 2 * WINDOW] = True
    yield true("one layer: its own window", bool((reach([windows(0)], size, place) == own).all()))
    yield true(
        "two layers without a shift: its own window", bool((reach([windows(0), windows(0)], size, place) == own).all())
    )
    both = reach([windows(0), windows(WINDOW // 2)], size, place)
    yield true(
        "a second layer with a shift: tokens of other windows, too",
        bool((both & ~own).any() and both[own].all()),
        f"{both.sum()} of {size * size} tokens",
    )


SWIN_SHIFT_CROSSES_WINDOWS = Exact(
    id="swin-shift-crosses-windows",
    statement=(
        "In Swin, a token depends only on its own window, however many layers there are, unless every second layer "
        "shifts the windows."
    ),
    topic="swin",
    evidence=shifted_windows,
    expected="holds",
    source="Liu et al., Swin Transformer (2021), section 3.2",
)


def context_by_depth(seed: int) -> Iterator[Evidence]:
    import torch

    torch.manual_seed(seed)
    size = 6 * WINDOW
    place = int(np.random.default_rng(seed).integers(0, WINDOW))
    shares = {}
    for blocks in (1, 2, 4, 8):
        layers = [windows(shift) for _ in range(blocks) for shift in (0, WINDOW // 2)]
        shares[blocks] = float(reach(layers, size, place).mean())
    yield true("the reach grows with every pair of layers", shares[1] < shares[2] < shares[4], f"{shares}")
    yield true("a pair of layers sees the whole map", shares[1] == 1, f"{shares[1]:.0%} of the tokens")


SWIN_GLOBAL_CONTEXT = Exact(
    id="swin-global-context",
    statement="A pair of Swin layers, one with shifted windows, gives each token the context of the whole image.",
    topic="swin",
    evidence=context_by_depth,
    is_structural=True,
    expected="does_not_hold",
    source="Liu et al., Swin Transformer (2021), section 3.2",
    note=(
        "The context grows with depth and by patch merging. In the last stage, at 224 pixels, the map is a single "
        "window of 7x7, so attention there is global."
    ),
)


def merged_patches(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn
    from torchvision.models.swin_transformer import PatchMerging

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    channels, size = int(rng.integers(2, 12)), 2 * int(rng.integers(2, 7))
    layer, x = PatchMerging(channels), torch.randn(1, size, size, channels)
    output = layer(x).detach()
    yield equal("tokens, and a quarter of those before", output[..., 0].numel(), size * size // 4)
    yield equal("channels, and twice those before", output.shape[-1], 2 * channels)
    yield equal("weights of its dense layer, and 4C * 2C", layer.reduction.weight.numel(), 8 * channels**2)
    # Each output token reads the four tokens of its 2x2 patch.
    norm = nn.LayerNorm(4 * channels)
    patch = torch.cat([x[0, row, column] for column in (0, 1) for row in (0, 1)])
    expected = layer.reduction.weight @ norm(patch)
    yield near("first token, and the dense layer on its 2x2 patch", output[0, 0, 0], expected.detach(), 1e-4)


PATCH_MERGING = Exact(
    id="patch-merging",
    statement=(
        "Patch merging concatenates the tokens of each 2x2 patch and maps their 4C values to 2C: a quarter of the "
        "tokens, twice the channels."
    ),
    topic="swin",
    evidence=merged_patches,
    expected="holds",
    source="Liu et al., Swin Transformer (2021), section 3.1",
)


def visible_tokens(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    from models.cost import trace

    ratio = float(np.random.default_rng(seed).choice([0.5, 0.75, 0.875]))
    layers = [nn.TransformerEncoderLayer(64, 4, 256, batch_first=True) for _ in range(2)]
    encoder = nn.Sequential(*layers)
    tokens = 256
    visible = round((1 - ratio) * tokens)
    full, masked = (trace(encoder, torch.zeros(1, count, 64)).total_macs for count in (tokens, visible))
    # Per layer and token, 4 projections of 64x64 and two dense layers of 64x256; between tokens, two products of 64.
    formula = [2 * (count * (4 * 64 * 64 + 2 * 64 * 256) + 2 * count * count * 64) for count in (tokens, visible)]
    yield equal("MACs of the encoder for all tokens, and for the visible ones", [full, masked], formula)
    yield true(
        "the share is below the share of visible tokens",
        masked / full < 1 - ratio,
        f"{masked / full:.3f} and {1 - ratio}",
    )


MAE_ENCODER_VISIBLE_ONLY = Exact(
    id="mae-encoder-visible-only",
    statement="MAE's encoder reads only visible patches, so masking a share r leaves less than 1 - r of its MACs.",
    topic="mae",
    evidence=visible_tokens,
    expected="holds",
    source="He et al., Masked autoencoders are scalable vision learners (2021), section 3",
    note=(
        "Dense layers keep exactly 1 - r, attention (1 - r)². In small networks the time saved is less, because "
        "starting each operation takes time, too."
    ),
)


def moved_maps(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for in_channels, out_channels in ((1, 8), (8, 8)):
        conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="circular", dtype=torch.double)
        layers += [conv, nn.ReLU()]
    network, image = nn.Sequential(*layers), torch.randn(1, 1, 16, 16, dtype=torch.double)
    shift = int(np.random.default_rng(seed).integers(1, 8))
    with torch.no_grad():
        maps, shifted = network(image), network(image.roll(shift, dims=3))
    yield near("maps of the shifted image, and shifted maps", shifted, maps.roll(shift, dims=3), 1e-10)
    yield near("means of the maps after a shift, and before", shifted.mean(dim=(2, 3)), maps.mean(dim=(2, 3)), 1e-10)
    yield near("maps of the shifted image, and of the image", shifted, maps, 1e-10)


CNN_TRANSLATION_INVARIANCE = Exact(
    id="cnn-translation-invariance",
    statement="Convolutions are invariant to translation: their maps don't change when the image shifts.",
    topic="vit",
    evidence=moved_maps,
    expected="does_not_hold",
    source="Goodfellow, Bengio, Courville, Deep Learning (2016), section 9.2",
    note=(
        "They are equivariant: the maps shift with the image, exactly for stride 1 and circular padding. Global "
        "pooling after them is invariant."
    ),
)
