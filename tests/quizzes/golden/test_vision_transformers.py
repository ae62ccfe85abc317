"""DETR, ViT, T2T-ViT, Swin and MAE: published counts, values computed by hand, and torchvision."""

import pytest

from quizzes.content.vision_transformers.mae.drills import masking
from quizzes.content.vision_transformers.mae.drills import reasoning as mae_reasoning
from quizzes.content.vision_transformers.swin.drills import reasoning as swin_reasoning
from quizzes.content.vision_transformers.t2t_vit import drills as t2t
from quizzes.content.vision_transformers.vit.drills import reasoning as vit_reasoning
from quizzes.content.vision_transformers.vit.drills import sizes
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

VIT_B = dict(image=224, patch=16, width=768, layers=12)
SWIN_T = dict(depths=[2, 2, 6, 2], heads=[3, 6, 12, 24])
MINI = dict(n=32, P=8, d=48, heads=3, L=2, m=2, K=10)
PATCHES = dict(n=224, d=384, L=12, budget=20, p1=8, p2=14, p3=16, p4=32)
CROSSOVER = dict(C=96, M=7, N=3136, r=10)
RATIO = dict(N=196, d=768, L=12, d_dec=256, L_dec=4, budget=6)

GOLDEN = [
    ("detr-shapes", dict(H=800, W=1216, N=100, K=91), {"T": 950, "logits": [100, 92], "boxes": [100, 4]}),
    ("detr-shapes", dict(H=800, W=1066), {"h": 25, "w": 34, "T": 850}),
    ("detr-heads", dict(N=100, d=256, K=91), {"queries": 25600, "classes": 23644, "boxes": 132612}),
    ("detr-no-object", dict(N=100, m=5, e=0.1), {"share_1": 0.95, "share_e": 0.6552, "q": 0.3448, "dominant": 1}),
    ("hungarian-assign", dict(cost=[[1, 2, 4], [1, 5, 6], [3, 3, 4]]), {"match": ["B", "A", "C"], "total": 7}),
    ("hungarian-assign", dict(cost=[[0.1, 0.2, 0.4], [0.1, 0.5, 0.6], [0.3, 0.3, 0.4]]), {"total": 0.7}),
    ("hungarian-assign", dict(cost=[[0.2, 0.3], [0.1, 0.9]]), {"match": ["B", "A"], "total": 0.4}),
    ("hungarian-assign", dict(cost=[[4, 1, 3], [2, 0, 5], [3, 2, 2]]), {"total": 5}),
    ("matching-count", dict(N=100, m=2), {"A": 9900, "B": 10000}),
    ("vit-tokens", dict(H=224, W=224, P=16), {"N": 196, "T": 197, "D": 768}),
    ("vit-params", VIT_B, {"embedding": 590592, "block": 7087872, "P": 86567656}),
    ("vit-params", dict(VIT_B, width=192), {"P": 5717416}),
    ("vit-params", dict(VIT_B, width=384), {"P": 22050664}),
    ("vit-macs", VIT_B, {"M": 17563828224}),
    ("vit-macs", dict(VIT_B, width=192), {"M": 1253683200}),
    ("vit-macs", dict(VIT_B, width=384), {"M": 4598882304}),
    ("vit-patch-size", PATCHES, {"best": 2, "cost": 6.0398, "M1": 22.3119}),
    ("vit-mini", MINI, {"T": 17, "params": 48634, "A": 867, "A_2": 12675, "growth": 2304}),
    ("vit-positions-shape", dict(n=32, P=8, d=64, line=6), {"raised": 9, "a": 17, "b": 16}),
    ("vit-positions-shape", dict(n=32, P=8, d=64, line=8), {"raised": 9, "a": 64, "b": 16}),
    ("t2t-module", dict(n=224), {"o1": 56, "o2": 28, "o3": 14, "T": 197, "D1": 147, "D3": 576}),
    ("t2t-soft-split", dict(n=224, k=7, s=4, p=2), {"o": 56, "T": 3136, "D": 147}),
    ("t2t-vit-params", dict(layers=14), {"module": 391526, "P": 21545550, "trained": 21465806}),
    (
        "t2t-reshape",
        dict(s=2, c=3, line=3),
        {"printed": [[0, 0], [0, 1]], "shape": [1, 12, 9], "fixed": [[0, 1], [2, 3]]},
    ),
    ("t2t-reshape", dict(s=2, c=3, line=5), {"shape": [1, 12, 4], "fixed_shape": [1, 12, 9]}),
    ("swin-complexity", dict(h=56, w=56, C=96), {"msa": 2003828736, "wmsa": 145108992, "ratio": 13.8091}),
    ("swin-windows", dict(h=56, w=56), {"n": 64, "pad": 0}),
    ("swin-crossover", CROSSOVER, {"ratio": 13.8091, "N_r": 2218}),
    ("swin-params", SWIN_T, {"P": 28288354}),
    ("swin-macs", dict(depths=[2, 2, 6, 2]), {"M_all": 4490566656}),
    ("mae-tokens", dict(image=224, patch=16, r=0.75), {"v": 49, "m": 147, "enc": 50, "dec": 197}),
    ("mae-params", VIT_B, {"encoder": 85798656, "decoder": 26109184, "P": 111907840, "trained": 111655680}),
    ("mae-macs", VIT_B, {"M": 9781133312}),
    ("mae-ratio", RATIO, {"best": 3, "cost": 4.9013, "speedup": 3.5410, "M1": 13.5789, "M2": 9.1959}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        (vit_reasoning.chain_vit_mini, "one-channel", dict(MINI, task="image"), {"params": 42490}),
        (vit_reasoning.chain_vit_mini, "one-head", dict(MINI, task="image"), {"A": 289, "A_2": 4225}),
        (vit_reasoning.chain_vit_mini, "linear-growth", dict(MINI, task="image"), {"A_2": 3468}),
        (vit_reasoning.decide_patch_size, "quadratic-part-ignored", PATCHES, {"best": 1}),
        (vit_reasoning.decide_patch_size, "flops", PATCHES, {"cost": 12.0796}),
        (vit_reasoning.debug_pos_embed, "class-token-twice", dict(n=32, P=8, d=64, line=6), {"a": 18}),
        (sizes.vit_embedding, "channels-left-out", dict(image=224, patch=16, width=768), {"E": 197376}),
        (t2t.debug_t2t_reshape, "columns-first", dict(s=2, c=3, line=3), {"fixed": [[0, 2], [1, 3]]}),
        (t2t.debug_t2t_reshape, "width-left-out", dict(s=2, c=3, line=3), {"shape": [1, 4, 9]}),
        (t2t.debug_t2t_reshape, "padding-left-out", dict(s=2, c=3, line=5), {"fixed_shape": [1, 12, 1]}),
        (swin_reasoning.swin_crossover, "projections-ignored", CROSSOVER, {"N_r": 490}),
        (swin_reasoning.swin_crossover, "factor-4", CROSSOVER, {"N_r": 3946}),
        (masking.mae_visible, "loss-on-all", dict(image=224, patch=16, r=0.75), {"m": 196}),
        (mae_reasoning.decide_mae_ratio, "decoder-left-out", RATIO, {"cost": 4.2061}),
        (mae_reasoning.decide_mae_ratio, "decoder-on-visible", RATIO, {"cost": 4.3651}),
        (mae_reasoning.decide_mae_ratio, "masked-for-visible", RATIO, {"best": 1}),
    ],
)
def test_mistakes_give_their_answers(drill, mistake, inputs, expected):
    answers = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: answers[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(("image", "patch", "width", "layers", "mlp"), [(64, 16, 48, 2, 2), (96, 8, 60, 3, 4)])
def test_parameters_of_a_vit_are_those_of_torchvision(image, patch, width, layers, mlp):
    torch = pytest.importorskip("torch")
    from torchvision.models import VisionTransformer

    with torch.device("meta"):
        network = VisionTransformer(image, patch, layers, 4, width, mlp * width, num_classes=7)
    values = get("vit-params").solve(image=image, patch=patch, width=width, layers=layers, mlp=mlp, classes=7)
    assert values["P"] == sum(weights.numel() for weights in network.parameters())


@pytest.mark.parametrize(
    ("width", "depths", "heads", "window"), [(24, [1, 2], [3, 6], 7), (32, [2, 1, 1], [2, 4, 8], 4)]
)
def test_parameters_of_a_swin_are_those_of_torchvision(width, depths, heads, window):
    torch = pytest.importorskip("torch")
    from torchvision.models import SwinTransformer

    with torch.device("meta"):
        network = SwinTransformer([4, 4], width, depths, heads, [window, window], num_classes=7)
    values = get("swin-params").solve(width=width, depths=depths, heads=heads, M=window, classes=7)
    assert values["P"] == sum(weights.numel() for weights in network.parameters())


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("vit-params", dict(VIT_B, image=225), "image/patch must be an integer in vit-params"),
        ("mae-tokens", dict(image=224, patch=16, r=1), "The mask ratio r must be between 0 and 1"),
        ("mae-tokens", dict(image=224, patch=16, r=0), "The mask ratio r must be between 0 and 1"),
        ("mae-shuffle", dict(noise=[0.1, 0.2], k=2), "k must be from 1 to 1"),
        ("swin-params", dict(depths=[2, 2], heads=[3]), "Give one of each per stage"),
        ("swin-shift", dict(h=6, M=4), "don't divide a grid of 6x4"),
        ("swin-macs", dict(depths=[2, 2], image=200), "must be an integer"),
    ],
)
def test_unusable_inputs_are_one_sentence(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        get(name).solve(**inputs)
    assert "\n" not in str(error.value)
