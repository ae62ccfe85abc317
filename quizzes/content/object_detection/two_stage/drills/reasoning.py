"""R-CNN, Fast R-CNN, Faster R-CNN: drills that decide and join."""

from random import Random
from typing import Any

from quizzes.content.object_detection.two_stage.formulas import DETECTOR_LATENCY, DETECTORS, RPN_CHAIN
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step


def _latency_steps(budget: Value, times: list[Value], best: str, ap: list[Value], **values: Any) -> list[Step]:
    N, search, fast, each = (float(values[name]) for name in ("N", "search", "fast", "each"))
    backbone, rpn, most = float(values["backbone"]), float(values["rpn"]), values["most"]
    names = list(DETECTORS.values())
    fitting = [f"{name} ({float(value):g})" for name, value, t in zip(names, ap, times, strict=True) if t <= budget]
    return [
        Step(
            "Two-stage detectors run their head once per proposal; Fast R-CNN also waits for selective search.",
            [
                f"t_fast = {search:g} + {fast:g} + {each:g}*{N:g}",
                f"t_fast = {float(times[0]):g}",
                f"t_faster = {backbone:g} + {rpn:g} + {each:g}*{N:g}",
                f"t_faster = {float(times[1]):g}",
            ],
        ),
        Step(
            f"Within {float(budget):g} ms are, with their AP: {', '.join(fitting)}. The best is {DETECTORS[best]}.",
            [f"latency = {float(values['latency']):g}"],
        ),
        Step(
            "Faster R-CNN may use the rest of the budget for proposals.",
            [f"most = floor(({float(budget):g} - {backbone:g} - {rpn:g})/{each:g})", f"most = {int(most)}"],
        ),
    ]


def _fastest(**values: Any) -> str:
    times: list[Value] = DETECTOR_LATENCY.evaluate(values)["times"]
    return list(DETECTORS)[times.index(min(times))]


def _best_ap(ap: list[Value], **_: Any) -> str:
    return list(DETECTORS)[ap.index(max(ap))]


def _without_search(search: Value, **values: Any) -> Value:
    result = DETECTOR_LATENCY.evaluate(dict(values, search=search))
    return result["latency"] - search if result["best"] == "fast" else result["latency"]


def _without_head(N: int, each: Value, **values: Any) -> Value:
    times = DETECTOR_LATENCY.evaluate(dict(values, N=N, each=each))
    return times["latency"] - each * N if times["best"] in ("fast", "faster") else times["latency"] + each * N


@drill(
    DETECTOR_LATENCY,
    id="decide-detector-latency",
    tier=2,
    asks=("best", "latency", "most"),
    steps=_latency_steps,
    prompt="Times per image, for N = {N} proposals, with AP in brackets:\n"
    "  Fast R-CNN [{ap_fast}]: {search} ms for selective search, {fast} ms for the backbone, {each} ms per proposal\n"
    "  Faster R-CNN [{ap_faster}]: {backbone} ms for the backbone, {rpn} ms for the RPN, {each} ms per proposal\n"
    "  SSD [{ap_ssd}]: {ssd} ms\n"
    "  YOLO [{ap_yolo}]: {yolo} ms\n"
    "Which detector has the best AP within {budget} ms (best), and how many ms does it take (latency)? How many "
    "proposals could Faster R-CNN use within the budget (most)?",
    hint="Which detectors are fast enough? Add up all parts of the two-stage detectors before you compare APs.",
    mistakes=[
        Mistake("fastest", {"best": _fastest}, "That is the fastest one. Take the best AP within the budget."),
        Mistake(
            "over-budget",
            {"best": _best_ap},
            "That detector has the best AP of all, but with all its parts it is over the budget.",
        ),
        Mistake(
            "search-forgotten",
            {"latency": _without_search},
            "You left out selective search, which Fast R-CNN waits for.",
        ),
        Mistake(
            "head-confused",
            {"latency": _without_head},
            "Only two-stage detectors run a head per proposal: add that time for them, and for no others.",
        ),
        Mistake(
            "backbone-forgotten",
            "most = floor((budget - rpn)/each)",
            "You left out the backbone, which needs its time before any proposal.",
        ),
        Mistake(
            "rpn-forgotten",
            "most = floor((budget - backbone)/each)",
            "You left out the region proposal network.",
        ),
        Mistake("all-for-proposals", "most = floor(budget/each)", "Subtract the backbone and the RPN first."),
    ],
)
def decide_detector_latency(rng: Random) -> Inputs:
    """Detector within a time budget"""
    # Weights that make each of them the best one for about as many seeds, since some values are drawn again.
    target = rng.choices(list(DETECTORS), (2, 4, 4, 3))[0]
    search, fast, each = rng.choice([1500, 1800, 2000]), rng.choice([50, 60, 80]), rng.choice([0.1, 0.2, 0.25])
    N, backbone, rpn = rng.choice([100, 200, 300, 500]), rng.choice([50, 60, 70, 80]), rng.choice([8, 10, 12])
    ssd, yolo = rng.choice([40, 46, 52, 58]), rng.choice([18, 22, 25, 30])
    ap = [rng.randint(66, 74), rng.randint(69, 77), rng.randint(66, 75), rng.randint(58, 68)]
    low, high = {"fast": (search + 200, search + 400), "faster": (90, 250), "ssd": (70, 130), "yolo": (84, 110)}[target]
    budget = 5 * rng.randint(low // 5, high // 5)
    if target == "fast":
        ap[0] = max(ap[1:]) + rng.randint(1, 3)
    if target == "yolo":  # SSD is too slow here, and the RPN still fits
        ssd, ap[2] = rng.choice([115, 120, 130]), rng.randint(70, 76)
        N = rng.choice([300, 500])
    if target == "ssd":
        N = rng.choice([300, 500])
    values = dict(
        N=N, budget=budget, search=search, fast=fast, each=each, backbone=backbone, rpn=rpn, ssd=ssd, yolo=yolo, ap=ap
    )
    result = DETECTOR_LATENCY.evaluate(values)
    if result["best"] != target or len(set(ap)) < len(ap) or budget in result["times"]:
        raise UndefinedValue("another detector is the best one, or there is a tie")
    return values | dict(zip(("ap_fast", "ap_faster", "ap_ssd", "ap_yolo"), ap, strict=True))


@drill(
    RPN_CHAIN,
    id="chain-rpn-roi",
    tier=3,
    joins=("instance-and-promptable",),
    asks=("n", "P", "bin", "center", "P_fc", "M_fc", "masks"),
    prompt="An image is {W} px wide and {H} px high. Its feature map has stride {s} and {C} channels. The region "
    "proposal network has {k} anchors per position: a 3x3 convolution from {C} to {C} channels, then two 1x1 "
    "convolutions with one logit and 4 offsets per anchor, all with biases.\n"
    "How many anchors (n) and how many parameters (P) does it have? The region of interest roi = {roi} (corners in px) "
    "is pooled by RoIAlign to {g}x{g} bins: how wide is a bin on the map (bin), and what is x of the center of the "
    "first bin (center)? The pooled features are fed to a dense layer with {F} outputs: how many parameters does it "
    "have (P_fc), and how many MACs for {n_rois} regions (M_fc)? Which shape do the mask logits of {D} boxes and {K} "
    "classes have, at 28x28 each (masks)?\n"
    "Conventions: RoIAlign rounds nothing and does not shift by half a cell (aligned=False).",
    hints=(
        "What is the size of the feature map? Which part of the image does one cell stand for?",
        "Divide coordinates by the stride. A dense layer reads all values of the pooled map, and a mask head outputs a "
        "mask per class.",
    ),
    mistakes=[
        Mistake("image-for-map", "n = W*H*k", "Anchors are at the positions of the feature map, not of the image."),
        Mistake("two-logits", "P = (9*C + 1)*C + (C + 1)*6*k", "There is one logit per anchor here."),
        Mistake("outputs-left-out", "P = (9*C + 1)*C", "You left out the two 1x1 convolutions."),
        Mistake("bin-rounded", "bin = floor((roi[3] - roi[1])/(s*g))", "RoIAlign doesn't round."),
        Mistake("bin-in-pixels", "bin = (roi[3] - roi[1])/g", "That is the width in the image. Divide by the stride."),
        Mistake("left-edge", "center = roi[1]/s", "That is the left edge of the bin. Add half of its width."),
        Mistake("map-forgotten", "P_fc = (C + 1)*F", "The layer reads all bins, not one value per channel."),
        Mistake("one-region", "M_fc = g^2*C*F", "That is the cost of one region."),
        Mistake(
            "one-mask",
            {"masks": lambda D, **_: [D, 1, 28, 28]},
            "The mask head outputs a mask for every class.",
        ),
    ],
)
def chain_rpn_roi(rng: Random) -> Inputs:
    """From anchors to masks"""
    W, H = rng.choice([(640, 480), (800, 608), (512, 384), (1024, 768), (960, 640)])
    s, g = rng.choice([16, 32]), rng.choice([7, 7, 6, 9])
    x1, y1 = 16 * rng.randint(1, 12), 16 * rng.randint(1, 8)
    width, height = 16 * rng.randint(5, 16), 16 * rng.randint(4, 10)
    if width % (s * g) == 0 or width < s * g / 2:
        raise UndefinedValue("the bins must not fall on cells")
    return dict(
        W=W, H=H, s=s, C=rng.choice([64, 128, 256, 512]), k=rng.choice([3, 9, 12, 15]),
        roi=[x1, y1, x1 + width, y1 + height], g=g, F=rng.choice([256, 512, 1024]),
        n_rois=rng.choice([100, 200, 300, 500]), D=rng.choice([20, 50, 100]), K=rng.choice([20, 80, 91]),
    )  # fmt: skip
