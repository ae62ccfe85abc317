"""ViT: drills that derive, diagnose, debug, decide and join."""

from random import Random
from typing import Any

from quizzes.content.vision_transformers.vit.formulas import (
    LIMIT,
    POSITIONS_LINE,
    POSITIONS_SHAPE,
    SUM_LINE,
    TOKENS_LINE,
    VIT_CROSSOVER,
    VIT_LOG,
    VIT_MINI,
    VIT_PATCH_SIZE,
)
from quizzes.drill import Inputs, Mistake, derive, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    VIT_CROSSOVER,
    id="derive-vit-crossover",
    tier=2,
    asks=derive("N"),
    prompt="Per block, N tokens of width d cost (4 + 2m) N d^2 MACs in the projections and in an MLP of ratio m, and "
    "2 N^2 d in the attention scores and weighted sums. {numbers}\n"
    "Derive the number of tokens N at which both costs are equal. Answer in terms of {terms}.",
    hints=(
        "Set both costs equal. Which factors do they share?",
        "(4 + 2m) N d^2 = 2 N^2 d; divide both sides by 2Nd.",
        "First step: set the two costs equal.",
    ),
    mistakes=[
        Mistake(
            "projections-left-out", "N = m*d", "You left out the four projections of attention. They cost 4 N d^2 too."
        ),
        Mistake("mlp-left-out", "N = 2*d", "You left out the MLP. It costs 2m N d^2."),
        Mistake(
            "scores-only",
            "N = (4 + 2*m)*d",
            "You counted N^2 d once. The scores and the weighted sum of the values take N^2 d each.",
        ),
        Mistake("width-squared", "N = (2 + m)*d^2", "You lost a factor: after dividing by N d, one d is left."),
    ],
)
def derive_vit_crossover(rng: Random) -> Inputs:
    """Number of tokens at which attention dominates"""
    if rng.random() < 0.2:
        return dict(variables={"d": [16, 2000], "m": [1, 8]}, numbers="", terms="d and m")
    if rng.random() < 0.5:
        m = rng.randint(1, 16)
        return dict(m=m, variables={"d": [16, 2000]}, numbers=f"Here m = {m}.", terms="d")
    d = rng.choice([48, 64, 96, 128, 192, 256, 384, 512, 768, 1024])
    return dict(d=d, variables={"m": [1, 8]}, numbers=f"Here d = {d}.", terms="m")


@drill(
    VIT_LOG,
    id="diagnose-vit-log",
    tier=2,
    asks=("gap", "drop", "problem"),
    prompt="A ViT was trained from scratch. Its accuracy is {train}% on the training set and {val}% on the validation "
    "set. If the patches of each validation image are shuffled, it is {shuffled}%.\n"
    "By how many points is validation below training accuracy (gap)? How many points does shuffling cost (drop)? What "
    "is the most likely problem?",
    hint="Which part of a ViT knows where a patch is? What would shuffling change without it?",
    mistakes=[
        Mistake("from-training", "drop = train - shuffled", "Compare with the validation accuracy of the same images."),
        Mistake("sign-reversed", "gap = val - train", "The gap is training minus validation accuracy."),
        Mistake(
            "relative", "drop = 100*(val - shuffled)/val", "That is a percentage of the accuracy. Subtract the two."
        ),
        Mistake(
            "another-problem",
            f"problem = where(drop <= {LIMIT}, 2, where(gap > 2*{LIMIT}, 3, 2))",
            "Look at both numbers: shuffling costs nothing only if the order is lost; a large gap means too few "
            "images; a small gap with a low training accuracy means underfitting.",
        ),
    ],
)
def diagnose_vit_log(rng: Random) -> Inputs:
    """Diagnosis of a ViT"""
    case = rng.choice(["order", "data", "fit"])
    if case == "order":
        train = rng.randint(600, 900) / 10
        val = train - rng.randint(20, 90) / 10
        shuffled = val - rng.choice([-2, -1, 1, 2, 3]) / 10
    elif case == "data":
        train = rng.randint(900, 999) / 10
        val = train - rng.randint(200, 450) / 10
        shuffled = val - rng.randint(100, 300) / 10
    else:
        train = rng.randint(350, 550) / 10
        val = train - rng.randint(5, 40) / 10
        shuffled = val - rng.randint(80, 200) / 10
    return dict(train=train, val=round(val, 1), shuffled=round(shuffled, 1))


def _position_steps(n: int, P: int, d: int, line: int, raised: int, a: int, b: int, **_: Any) -> list[Step]:
    count = n // P
    first = Step(
        f"There are {count}*{count} = {count * count} patches and the class token, so {count * count + 1} tokens of "
        f"width {d}."
    )
    if line == POSITIONS_LINE:
        return [
            first,
            Step(
                f"Line {line} makes a position for each patch only: {count * count}. It needs one more for the class "
                f"token."
            ),
            Step(f"The addition in line {raised} has {a} tokens and {b} positions."),
        ]
    return [
        first,
        Step(f"Line {line} doesn't transpose: t is (images, {d}, {count * count}), with the patches last."),
        Step(f"torch.cat in line {raised} joins along dimension 1, so the last sizes must agree: {a} and {b}."),
    ]


@drill(
    POSITIONS_SHAPE,
    id="debug-pos-embed",
    tier=2,
    asks=("line", "raised", "a", "b"),
    visualization="code program",
    prompt="This module should make the tokens of a ViT, a class token included, and add a position to each. It stops "
    "with an error.\n"
    "Which line is incorrect (line)? Which line raises the error (raised)? Which two sizes don't fit there (a is the "
    "larger, b the smaller)?",
    hints=(
        "How many tokens are there, the class token included? Which dimension has the tokens?",
        "torch.cat along dimension 1 needs equal sizes in all other dimensions. An addition needs equal sizes, or 1.",
        "First step: write the shape after each operation: of the convolution, flatten, transpose and cat.",
    ),
    steps=_position_steps,
    mistakes=[
        Mistake(
            "raising-line",
            {"line": SUM_LINE},
            "That line raises the error, but it is correct. Find the line that gives it the unsuitable size.",
        ),
        Mistake(
            "other-line",
            {"line": lambda line, **_: TOKENS_LINE if line == POSITIONS_LINE else POSITIONS_LINE},
            "That line is correct. Write the shapes of the tokens and of the positions.",
        ),
        Mistake(
            "raised-at-the-cause",
            {"raised": lambda line, **_: line},
            "Nothing is compared there yet. The error is raised where the two sizes are used together.",
        ),
        Mistake(
            "class-token-twice",
            {"a": lambda n, P, d, line: (n // P) ** 2 + 2 if line == POSITIONS_LINE else d + 1},
            "You counted the class token twice.",
        ),
        Mistake(
            "not-squared",
            {"b": lambda n, P, d, line: n // P},
            "You counted the patches along one side. There are rows and columns of patches.",
        ),
    ],
)
def debug_pos_embed(rng: Random) -> Inputs:
    """Positions of tokens"""
    P = rng.choice([4, 8, 16])
    n, d = P * rng.choice([2, 3, 4, 5, 6, 7]), rng.choice([24, 32, 48, 64, 96])
    line = rng.choice([POSITIONS_LINE, TOKENS_LINE])
    count = "(side // P) ** 2" + (" + 1" if line == TOKENS_LINE else "")
    transpose = "" if line == TOKENS_LINE else ".transpose(1, 2)"
    program = f"""
class Tokens(nn.Module):
    def __init__(self, side={n}, P={P}, d={d}):
        super().__init__()
        self.proj = nn.Conv2d(3, d, P, stride=P)
        self.cls = nn.Parameter(torch.zeros(1, 1, d))
        self.pos = nn.Parameter(torch.zeros(1, {count}, d))
    def forward(self, x):
        t = self.proj(x).flatten(2){transpose}
        return torch.cat([self.cls.expand(len(x), -1, -1), t], 1) + self.pos
print(Tokens()(torch.randn(2, 3, {n}, {n})).shape)
""".strip()
    return dict(n=n, P=P, d=d, line=line, program=program)


PATCH_SETS = [
    (224, (7, 8, 14, 16)),
    (224, (8, 14, 16, 32)),
    (224, (8, 16, 28, 32)),
    (384, (8, 12, 16, 24)),
    (384, (12, 16, 24, 32)),
    (256, (8, 16, 32, 64)),
    (240, (8, 10, 16, 24)),
]


def _patch_steps(n: int, d: int, L: int, budget: float, best: int, cost: float, **values: Any) -> list[Step]:
    steps = []
    for k in range(1, 5):
        p, value = values[f"p{k}"], float(values[f"M{k}"])
        N = (n // p) ** 2
        fits = "fits" if value <= budget else "is too expensive"
        text = f"Patch size {p} has ({n}/{p})^2 = {N} patches, and {fits}."
        steps.append(Step(text, [f"M{k} = {L}*(12*{N}*{d}^2 + 2*{N}^2*{d})/10^9", f"M{k} = {value:.4f}"]))
    return [
        *steps,
        Step(f"The smallest patch size that fits is {values[f'p{int(best)}']}.", [f"cost = {float(cost):.4f}"]),
    ]


@drill(
    VIT_PATCH_SIZE,
    id="decide-patch-size",
    tier=3,
    asks=("best", "cost"),
    prompt="A ViT with {L} blocks of width {d} (no class token) reads images of size {n}x{n}. Per block, N tokens cost "
    "12 N d^2 + 2 N^2 d MACs. The possible patch sizes are {p1}, {p2}, {p3} and {p4}.\n"
    "Which is the smallest patch size that stays within {budget} GMACs (best), and how many GMACs does it cost (cost)?",
    hint="Small patches keep more detail. How many tokens does each patch size give?",
    steps=_patch_steps,
    mistakes=[
        Mistake(
            "quadratic-part-ignored",
            "best = where(L*12*(n/p1)^2*d^2/10^9 <= budget, 1, where(L*12*(n/p2)^2*d^2/10^9 <= budget, 2, "
            "where(L*12*(n/p3)^2*d^2/10^9 <= budget, 3, 4))); "
            "cost = where(M1 <= budget, L*12*(n/p1)^2*d^2, where(M2 <= budget, L*12*(n/p2)^2*d^2, "
            "where(M3 <= budget, L*12*(n/p3)^2*d^2, L*12*(n/p4)^2*d^2)))/10^9",
            "You left out the part that grows with N^2. For small patches it is large.",
        ),
        Mistake(
            "flops",
            "cost = 2*where(M1 <= budget, M1, where(M2 <= budget, M2, where(M3 <= budget, M3, M4)))",
            "Those are GFLOPs. The cost is counted in MACs.",
        ),
        Mistake(
            "too-cautious",
            "best = where(M1 <= budget, 2, where(M2 <= budget, 3, 4))",
            "A smaller patch size fits as well. Compute its cost.",
        ),
        Mistake(
            "side-for-tokens",
            "cost = where(M1 <= budget, L*(12*n/p1*d^2 + 2*(n/p1)^2*d), where(M2 <= budget, L*(12*n/p2*d^2 + "
            "2*(n/p2)^2*d), where(M3 <= budget, L*(12*n/p3*d^2 + 2*(n/p3)^2*d), L*(12*n/p4*d^2 + 2*(n/p4)^2*d))))/10^9",
            "You used the patches along one side. N is their number in the whole image, (n/p)^2.",
        ),
    ],
)
def decide_patch_size(rng: Random) -> Inputs:
    """Patch size within a budget"""
    n, sizes = rng.choice(PATCH_SETS)
    d, L, best = rng.choice([192, 256, 384]), rng.choice([6, 8, 12]), rng.choice([1, 2, 2, 3])

    def costs(p: int) -> tuple[float, float]:
        N = (n // p) ** 2
        return 12 * L * N * d * d / 1e9, L * (12 * N * d * d + 2 * N * N * d) / 1e9

    low = max(costs(sizes[best])[1], costs(sizes[best - 1])[0] if best > 1 else 0)
    linear, total = costs(sizes[best - 1])
    if best > 1:  # between the true cost of the smaller patches and what they seem to cost without the quadratic part
        linear, total = costs(sizes[best - 2])
        low = max(linear, costs(sizes[best - 1])[1])
    else:
        low, total = total, total * 1.5
    budget = round(low + (total - low) * rng.uniform(0.1, 0.9), 1)
    if not low * 1.01 < budget < total * 0.99:
        raise UndefinedValue("the budget must be apart from the costs")
    return dict(n=n, d=d, L=L, budget=budget, **{f"p{k}": p for k, p in enumerate(sizes, 1)})


TASKS = {
    "image": "on images of size {twice}x{twice}, with the same patch size",
    "classes": "with {other} classes",
    "gray": "on gray images, with one channel",
}


@drill(
    VIT_MINI,
    id="chain-vit-mini",
    tier=3,
    asks=("T", "params", "A", "A_2", "growth", "task"),
    prompt="A ViT has images of size {n}x{n} with 3 channels, patches of size {P}x{P}, width d = {d}, {heads} heads, "
    "{L} blocks with MLP ratio {m}, {K} classes, a class token, learned positions, biases, and a layer normalization "
    "before the head.\n"
    "What are the number of tokens T, the number of parameters (params), the number of attention weights per block "
    "over all heads (A), and that number for images of size {twice}x{twice} (A_2)? By how many parameters does the "
    "network grow if positions are learned from scratch at that size (growth)?\n"
    "The trained network is then used {use}. Which weights don't fit (task)?",
    hints=(
        "Which parameters depend on the image size, and which on the number of heads?",
        "A block has (4 + 2m) d^2 + (9 + m) d parameters; each head has T^2 attention weights.",
        "First step: count the patches, then the tokens, for both image sizes.",
    ),
    mistakes=[
        Mistake("class-token-left-out", "T = N", "You left out the class token."),
        Mistake(
            "one-channel",
            "params = P^2*d + d + d + T*d + L*((4 + 2*m)*d^2 + (9 + m)*d) + 2*d + K*(d + 1)",
            "You left out the 3 channels in the patch embedding.",
        ),
        Mistake(
            "weights-times-heads",
            "params = P^2*3*d + d + d + T*d + L*(heads*4*d^2 + 2*m*d^2 + (9 + m)*d) + 2*d + K*(d + 1)",
            "The heads share the width: together their projections have d^2 weights each, for any number of heads.",
        ),
        Mistake("one-head", "A = T^2; A_2 = (4*N + 1)^2", "Each head has T^2 attention weights of its own."),
        Mistake("linear-growth", "A_2 = 4*heads*T^2", "Four times as many patches have about 16 times as many pairs."),
        Mistake("all-positions", "growth = 4*N*d", "Those are all new positions. The old ones are no longer needed."),
        Mistake(
            "other-weights",
            {"task": lambda task, **_: "image" if task != "image" else "gray"},
            "Positions belong to tokens, the patch embedding to the values of a patch, and the head to the classes.",
        ),
    ],
)
def chain_vit_mini(rng: Random) -> Inputs:
    """A small ViT"""
    P = rng.choice([4, 8, 8, 16])
    n, task = P * rng.choice([2, 3, 4, 5, 6]), rng.choice(list(TASKS))
    K = rng.choice([5, 10, 20])
    return dict(
        n=n,
        P=P,
        d=rng.choice([48, 60, 96, 120]),
        heads=rng.choice([2, 3, 4, 6]),
        L=rng.choice([2, 3, 4]),
        m=rng.choice([2, 3, 4]),
        K=K,
        task=task,
        twice=2 * n,
        use=TASKS[task].format(twice=2 * n, other=2 * K),
    )
