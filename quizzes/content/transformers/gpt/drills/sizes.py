"""GPT: drills about parameters, memory and compute."""

from random import Random

from quizzes.content.transformers.gpt.formulas import (
    CHINCHILLA_OPTIMUM,
    COMPUTE_CHOICE,
    GPT_BUDGET,
    GPT_MINI,
    GPT_SIZE,
    GPT_TYING,
    SWIGLU_GPT,
    SWIGLU_WIDTH,
    TRAIN_COMPUTE,
    TRAIN_MEMORY,
    TRAIN_TIME,
    TRANSFORMER_RULE,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue

HEAD_AGAIN = "You counted the output layer again. It is tied to the token embedding."

POSITIONS_FORGOTTEN = "You left out the learned positions, one vector per position of the context."

LAST_NORM_FORGOTTEN = "You left out the LayerNorm after the last layer."

FORWARD_ONLY = (
    "You counted the forward pass alone. The backward pass takes twice as many FLOPs, so training takes 6 N D."
)


def _gpt(rng: Random) -> dict[str, int]:
    return dict(
        V=rng.choice([256, 1000, 5000, 8000, 16000, 32000, 50257]),
        C=rng.choice([64, 128, 256, 512, 1024, 2048]),
        d=rng.choice([64, 128, 192, 256, 384, 512, 768, 1024]),
        L=rng.choice([2, 3, 4, 6, 8, 12, 24]),
    )


@drill(
    GPT_SIZE,
    id="gpt2-small-params",
    tier=2,
    asks=("E", "B", "P"),
    prompt="A GPT like GPT-2 has a vocabulary of V = {V} tokens, a context of C = {C} learned positions, width d = {d} "
    "and L = {L} layers. A layer has attention, a feed-forward network of hidden width 4d and two LayerNorms; one "
    "LayerNorm follows the last layer. All linear layers have biases, but the output layer has none and is tied to the "
    "token embedding.\n"
    "How many parameters do both embeddings together (E), a layer (B), and the network (P) have?",
    hint="Which tables turn ids and positions into vectors? What comes after the last layer?",
    mistakes=[
        Mistake("head-again", "P = E + L*B + 2*d + V*d", HEAD_AGAIN),
        Mistake("positions-forgotten", "E = V*d", POSITIONS_FORGOTTEN),
        Mistake("no-biases", "B = 12*d^2 + 4*d", "You left out the biases. The linear layers of a layer have 9d."),
        Mistake("layer-norms-forgotten", "B = 12*d^2 + 9*d", "You left out the LayerNorms, 2d parameters each."),
        Mistake("last-norm-forgotten", "P = E + L*B", LAST_NORM_FORGOTTEN),
        Mistake("weights-only", "B = 12*d^2", "That is the approximation. Add 9d biases and 4d of the LayerNorms."),
    ],
)
def gpt2_small_params(rng: Random) -> Inputs:
    """Parameters of a GPT"""
    return _gpt(rng)


@drill(
    GPT_BUDGET,
    id="gpt2-small-params:budget",
    tier=2,
    asks=("L", "P"),
    prompt="A GPT like GPT-2 (vocabulary V = {V}, C = {C} learned positions, width d = {d}, feed-forward networks of "
    "hidden width 4d, biases, LayerNorms in the layers and after the last one, tied output layer) may have at most "
    "{M} parameters.\n"
    "What is the largest number of layers L? How many parameters P does the network have then?",
    hint="Subtract what is outside of the layers. How many parameters does each layer add?",
    mistakes=[
        Mistake(
            "embeddings-forgotten",
            "L = floor(M/B)",
            "You left out the embeddings. They are a large part of a small GPT.",
        ),
        Mistake(
            "head-again",
            "L = floor((M - R - V*d)/B)",
            HEAD_AGAIN,
        ),
        Mistake(
            "attention-only",
            "L = floor((M - R)/(4*d^2 + 4*d))",
            "You counted the attention alone. The feed-forward network has twice as many weights.",
        ),
        Mistake(
            "budget-for-count",
            "P = M + 0*L",
            "That is the budget. Count the parameters for the number of layers you chose.",
        ),
        Mistake("layers-only", "P = L*B", "You left out the embeddings and the last LayerNorm."),
    ],
)
def gpt_budget(rng: Random) -> Inputs:
    """Layers of a GPT for a parameter budget"""
    values = _gpt(rng)
    V, C, d, L = (values[name] for name in ("V", "C", "d", "L"))
    if 50 * d < V:
        raise UndefinedValue("hardly any parameters in the layers")
    total = (V + C) * d + (L + rng.randint(2, 8) / 10) * 12 * d * d
    return dict(V=V, C=C, d=d, M=round(total, -4 if total < 10_000_000 else -5))


@drill(
    GPT_TYING,
    id="gpt2-small-params:tying",
    tier=2,
    asks=("P", "U", "r"),
    prompt="A GPT like GPT-2 has a vocabulary of V = {V} tokens, C = {C} learned positions, width d = {d} and L = {L} "
    "layers, each with 12d^2 + 13d parameters, and a LayerNorm after the last layer.\n"
    "How many parameters does it have with the output layer tied to the token embedding (P), and with an output "
    "layer of its "
    "own, without biases (U)? Which share r of the tied network is the token embedding, in %?",
    hint="Which matrix do both networks have, and which one only the second?",
    mistakes=[
        Mistake("head-in-both", "P = 2*V*d + C*d + L*(12*d^2 + 13*d) + 2*d", HEAD_AGAIN),
        Mistake("positions-forgotten", "P = V*d + L*(12*d^2 + 13*d) + 2*d", POSITIONS_FORGOTTEN),
        Mistake("last-norm-forgotten", "P = (V + C)*d + L*(12*d^2 + 13*d)", LAST_NORM_FORGOTTEN),
        Mistake("same-count", "U = P", "An output layer of its own has V d further weights."),
        Mistake(
            "share-of-untied", "r = 100*V*d/U", "That is the share in the untied network. The tied one is smaller."
        ),
        Mistake("fraction", "r = V*d/P", "That is a fraction. Give the share in %."),
    ],
)
def gpt_tying(rng: Random) -> Inputs:
    """Tied and untied output layer"""
    return _gpt(rng)


@drill(
    SWIGLU_GPT,
    id="gpt2-small-params:swiglu",
    tier=3,
    asks=("A", "F", "P"),
    prompt="A language model of the Llama kind has a vocabulary of V = {V} tokens, width d = {d}, L = {L} layers, h = "
    "{h} query heads of size e = {e}, and g = {g} key-value heads. Its feed-forward networks use SwiGLU with hidden "
    "width f = {f}. There is an RMSNorm before each sublayer and one after the last layer. No layer has biases, "
    "positions are rotary, and the output layer is not tied to the embedding.\n"
    "How many parameters do the attention (A) and the feed-forward network (F) of a layer, and the network (P) have?",
    hints=(
        "How many matrices does SwiGLU have? How many vectors does an RMSNorm have?",
        "SwiGLU has a gate, an up and a down projection; RMSNorm has a weight per feature and no bias. Only keys and "
        "values have g heads.",
        "First step: the queries and the output projection have d h e weights each, keys and values d g e each.",
    ),
    mistakes=[
        Mistake("keys-not-shared", "A = 4*d*h*e", "You gave every query head keys and values of its own."),
        Mistake(
            "output-reduced", "A = d*h*e + 3*d*g*e", "You reduced the output projection. It reads all query heads."
        ),
        Mistake("two-matrices", "F = 2*d*f", "SwiGLU has three matrices: gate, up and down."),
        Mistake("layer-norms", "P = 2*V*d + L*(A + F + 4*d) + 2*d", "RMSNorm has no bias, so it has d parameters."),
        Mistake("tied", "P = V*d + L*(A + F + 2*d) + d", "The output layer is not tied, so it has V d weights too."),
        Mistake("last-norm-forgotten", "P = 2*V*d + L*(A + F + 2*d)", "You left out the RMSNorm after the last layer."),
    ],
)
def gpt_swiglu(rng: Random) -> Inputs:
    """Parameters of a GPT of the Llama kind"""
    e, g = rng.choice([64, 128]), rng.choice([1, 2, 4, 8])
    h = g * rng.choice([2, 4, 8])
    if h > 32 or h < 4:
        raise UndefinedValue("too many or too few heads")
    f = rng.choice([2, 3]) * h * e
    return dict(
        V=1000 * rng.choice([8, 16, 32, 64, 128]), d=h * e, L=rng.choice([4, 8, 16, 24, 32]), h=h, g=g, e=e, f=f
    )


@drill(
    TRANSFORMER_RULE,
    id="transformer-12Ld2",
    tier=1,
    asks=one_of("N", "d"),
    prompt="By the rule of thumb for weights in attention and in feed-forward networks of hidden width 4d, a GPT of "
    "{L} "
    "layers of width d = {d} has {N} million parameters without embeddings.\n"
    "Conventions: biases and normalizations are not counted.",
    hint="How many d x d matrices are as large as all weights of one layer?",
    mistakes=[
        Mistake(
            "attention-only", "N = 4*L*d^2/10^6", "You counted the attention. Add 8d^2 of the feed-forward network."
        ),
        Mistake("ffn-only", "N = 8*L*d^2/10^6", "You counted the feed-forward network. Add 4d^2 of the attention."),
        Mistake("output-forgotten", "N = 11*L*d^2/10^6", "You left out the output projection of the attention."),
        Mistake(
            "encoder-decoder",
            "N = 28*L*d^2/10^6",
            "You counted an encoder and a decoder. A GPT has one stack, without cross-attention.",
        ),
    ],
)
def transformer_rule(rng: Random) -> Inputs:
    """Parameters by the rule 12 L d^2"""
    return dict(L=rng.choice([6, 8, 12, 16, 24, 32, 36, 48, 96]), d=rng.choice([256, 512, 768, 1024, 1280, 1600, 2048]))


@drill(
    SWIGLU_WIDTH,
    id="transformer-12Ld2:swiglu",
    tier=3,
    asks=derive("f"),
    prompt="A layer of width d has attention with {h} heads and a feed-forward network with two matrices and hidden "
    "width {m}*d. A new layer has {h} query heads of the same size, {g} key-value heads, and SwiGLU with three "
    "matrices. Derive the hidden width f with which the new layer has as many weights. Answer in terms of d.\n"
    "Conventions: no biases, and the head size times {h} is d.",
    hints=(
        "Write the weights of both layers in terms of d. Which part of the attention becomes smaller?",
        "The old layer has 4d^2 weights in the attention, and twice d times the hidden width. In the new attention, "
        "W_K "
        "and W_V have the columns of the key-value heads only.",
        "First step: the new layer has 3d f weights in SwiGLU. Set both sums equal.",
    ),
    mistakes=[
        Mistake(
            "attention-unchanged",
            "f = 2*m*d/3",
            "You left the attention as it was. Fewer key-value heads save weights, which SwiGLU may use.",
        ),
        Mistake(
            "two-matrices",
            "f = (2*m + 2 - 2*g/h)*d/2",
            "SwiGLU has three matrices.",
        ),
        Mistake(
            "all-projections",
            "f = (2*m + 4 - 4*g/h)*d/3",
            "You reduced all four projections. W_Q and W_O keep their size.",
        ),
        Mistake(
            "keys-only",
            "f = (2*m + 1 - g/h)*d/3",
            "You reduced the keys alone. Values are shared too.",
        ),
        Mistake(
            "saving-subtracted",
            "f = (2*m - 2 + 2*g/h)*d/3",
            "The sign is reversed. What the attention saves is added to SwiGLU.",
        ),
    ],
)
def swiglu_width(rng: Random) -> Inputs:
    """Hidden width of SwiGLU"""
    g = rng.choice([1, 2, 4, 8])
    return dict(m=rng.choice([2, 3, 4, 4, 6, 8]), h=g * rng.choice([2, 4, 8]), g=g, variables={"d": [64, 4096]})


@drill(
    TRAIN_COMPUTE,
    tier=1,
    asks=one_of("C", "N", "D"),
    prompt="A Transformer with {N} billion parameters is trained on {D} billion tokens, which takes {C} EFLOPs (1 "
    "EFLOP "
    "= 10^18 FLOPs).\n"
    "Conventions: Kaplan's approximation, for forward and backward pass.",
    hint="How many FLOPs does a parameter need per token in the forward pass, and how many in the backward pass?",
    mistakes=[
        Mistake("forward-only", "C = 2*N*D", FORWARD_ONLY),
        Mistake("backward-only", "C = 4*N*D", "You counted the backward pass alone. Add 2 N D of the forward pass."),
        Mistake("macs", "C = 3*N*D", "You counted MACs. Each is two FLOPs."),
        Mistake("one-flop", "C = N*D", "A parameter needs 6 FLOPs per token in training, not 1."),
    ],
)
def train_compute(rng: Random) -> Inputs:
    """Compute of training"""
    return dict(
        N=rng.choice([0.1, 0.124, 0.35, 0.5, 0.8, 1, 1.5, 2.7, 6.7, 7, 13, 70]),
        D=rng.choice([2, 5, 10, 20, 30, 50, 100, 300, 1400]),
    )


@drill(
    CHINCHILLA_OPTIMUM,
    id="train-compute:chinchilla",
    tier=2,
    asks=("N", "D"),
    prompt="A training run may use {C} EFLOPs (1 EFLOP = 10^18 FLOPs). By C = 6 N D and Chinchilla's rule of 20 tokens "
    "per parameter, how many parameters N (in billions) and how many tokens D (in billions) use this compute best?",
    hint="Write the compute in terms of N alone, then solve for it.",
    mistakes=[
        Mistake("forward-only", "N = sqrt(C/40)", FORWARD_ONLY),
        Mistake("square-root-forgotten", "N = C/120", "The compute grows with N^2, so take the square root."),
        Mistake(
            "tokens-equal-parameters",
            "N = sqrt(C/6)",
            "You used as many tokens as parameters. The rule is 20 tokens per parameter.",
        ),
        Mistake("tokens-for-parameters", "N = sqrt(20*C/6)", "That is the number of tokens, 20 times as many."),
        Mistake("inverted", "D = N/20", "You inverted the rule: 20 tokens per parameter."),
    ],
)
def train_chinchilla(rng: Random) -> Inputs:
    """Parameters and tokens for a compute budget"""
    return dict(C=rng.choice([1, 2, 3, 5, 8]) * rng.choice([10, 100, 1000, 10_000]) + rng.choice([0, 0.5, 1, 7]))


@drill(
    TRAIN_TIME,
    id="train-compute:time",
    tier=2,
    asks=one_of("t", "n", "u"),
    prompt="A Transformer with {N} billion parameters is trained on {D} billion tokens with {n} devices that have a "
    "peak of {F} TFLOP/s each and achieve {u} % of it. Training takes {t} days.\n"
    "Conventions: C = 6 N D; a day has 86,400 s; 1 TFLOP/s = 10^12 FLOP/s.",
    hint="How many FLOPs does training take, and how many do all devices achieve per day?",
    mistakes=[
        Mistake("forward-only", "t = 2*N*D*10^6/(n*F*u/100*86400)", FORWARD_ONLY),
        Mistake("hours", "t = 6*N*D*10^6/(n*F*u/100*3600)", "You computed hours. A day has 86,400 s."),
        Mistake("macs", "t = 3*N*D*10^6/(n*F*u/100*86400)", "You counted MACs. Each is two FLOPs."),
        Mistake(
            "backward-only",
            "t = 4*N*D*10^6/(n*F*u/100*86400)",
            "You counted the backward pass alone. Add 2 N D of the forward pass.",
        ),
    ],
)
def train_time(rng: Random) -> Inputs:
    """Time of training"""
    return dict(
        N=rng.choice([0.124, 0.35, 1, 1.5, 2.7, 7]),
        D=rng.choice([10, 20, 50, 100, 140, 300]),
        n=rng.choice([1, 4, 8, 16, 32, 64, 128]),
        F=rng.choice([125, 312, 400, 989]),
        u=rng.choice([20, 25, 30, 35, 40, 45, 50]),
    )


@drill(
    TRAIN_MEMORY,
    id="train-compute:memory",
    tier=1,
    asks=one_of("M", "N"),
    prompt="A Transformer with {N} billion parameters is trained with Adam in mixed precision: weights and gradients "
    "in "
    "16 bits, and a copy of the weights and both moments in 32 bits. Without activations, this takes {M} GB.\n"
    "Conventions: 1 GB = 10^9 bytes.",
    hint="How many bytes does one parameter need for its weight, its gradient, its copy and its two moments?",
    mistakes=[
        Mistake("weights-only", "M = 2*N", "You counted the weights in 16 bits alone."),
        Mistake("no-moments", "M = 8*N", "You left out the two moments of Adam, 4 bytes each."),
        Mistake("no-copy", "M = 12*N", "You left out the copy of the weights in 32 bits, or one of the moments."),
        Mistake("no-gradients", "M = 14*N", "You left out the gradients, 2 bytes each."),
    ],
)
def train_memory(rng: Random) -> Inputs:
    """Memory of training"""
    return dict(
        N=rng.choice([0.1, 0.124, 0.35, 0.355, 0.5, 0.774, 1, 1.3, 1.5, 1.56, 2.7, 3, 6.7, 7, 8, 13, 30, 65, 70, 175])
    )


@drill(
    COMPUTE_CHOICE,
    id="decide-compute-optimal",
    tier=2,
    asks=("D", "r", "best"),
    prompt="A training run may use {C} EFLOPs (1 EFLOP = 10^18 FLOPs). Three model sizes are possible, with N = {N} "
    "billion parameters.\n"
    "On how many billion tokens D can each be trained? How many tokens per parameter r are these? Which model is "
    "closest to Chinchilla's 20 tokens per parameter?\n"
    "Conventions: C = 6 N D; closeness is compared by ratios.",
    hint="Solve C = 6 N D for D. A smaller model sees more tokens: how does r depend on N?",
    mistakes=[
        Mistake("forward-only", "D[i] = C/(2*N[i])", FORWARD_ONLY),
        Mistake("same-tokens", "D[i] = 20*N[i]", "Those are the tokens by the rule. Divide the compute by 6 N."),
        Mistake("inverted", "r[i] = N[i]/D[i]", "You inverted the ratio: tokens per parameter is D/N."),
        Mistake("largest", "best = 3 + 0*C", "A larger model is not better if the budget leaves it few tokens."),
        Mistake("smallest", "best = 1 + 0*C", "The smallest model sees the most tokens, but it is too small for them."),
    ],
)
def decide_compute_optimal(rng: Random) -> Inputs:
    """Model size for a compute budget"""
    best = rng.choice([0.4, 0.8, 1.5, 3, 7, 13])
    at = rng.randrange(3)
    factors = [(1, 3, 8), (1 / 3, 1, 3), (1 / 8, 1 / 3, 1)][at]
    N = [round(best * factor, 2) for factor in factors]
    return dict(C=round(120 * best * best * rng.choice([0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4]), 1), N=N)


@drill(
    GPT_MINI,
    id="chain-gpt-mini",
    tier=3,
    asks=("logits", "P", "N", "H", "M", "K"),
    prompt="A small GPT has a context of T = {T} learned positions, a vocabulary of V = {V} tokens, width d = {d}, {h} "
    "heads, L = {L} layers and feed-forward networks of hidden width f = {f}. All linear layers have biases, each "
    "layer "
    "has two LayerNorms, and one follows the last layer; the output layer is tied to the embedding, without biases.\n"
    "What is the shape of the logits for a batch of {B} full sequences (BxTxV)? How many parameters P are there? How "
    "many query-key pairs N does the mask allow per head? What is the loss H at uniform logits? How many bytes M "
    "does the key-value cache take (float16, one sequence of {T} tokens), and how many bytes K does training take at "
    "16 bytes "
    "per parameter?\n"
    "Conventions: natural logarithm.",
    hints=(
        "Go through the network: embeddings, layers, the last LayerNorm. What do the layers store of each token for "
        "generation?",
        "A layer has 4d^2 + 4d + (2df + f + d) + 4d parameters. The cache has a key and a value of d numbers per layer "
        "and token.",
        "First step: the embeddings have (V + T) d parameters.",
    ),
    mistakes=[
        Mistake(
            "head-again",
            "P = (2*V + T)*d + L*(4*d^2 + 4*d + 2*d*f + f + d + 4*d) + 2*d",
            HEAD_AGAIN,
        ),
        Mistake(
            "norms-forgotten",
            "P = (V + T)*d + L*(4*d^2 + 4*d + 2*d*f + f + d)",
            "You left out the LayerNorms, two per layer and one after the last layer.",
        ),
        Mistake("all-pairs", "N = T^2", "You counted all pairs. The mask hides later keys."),
        Mistake("base-2", "H = ln(V)/ln(2)", "You used the base-2 logarithm. Use the natural one."),
        Mistake("per-head", "M = 2*L*T*d*2*h", "The width d has the heads in it already."),
        Mistake("values-forgotten", "M = L*T*d*2", "You counted keys only. Values are stored too."),
        Mistake("weights-only", "K = 4*P", "You counted the weights. Training stores gradients and moments too."),
    ],
)
def chain_gpt_mini(rng: Random) -> Inputs:
    """A small GPT"""
    h = rng.choice([2, 4, 8])
    d = h * rng.choice([4, 8, 16])
    T, V = rng.choice([8, 16, 20, 32, 64]), rng.choice([26, 50, 65, 96, 128, 200])
    return dict(
        B=rng.choice([2, 4, 8, 16]), T=T, V=V, d=d, h=h, L=rng.choice([1, 2, 3, 4]), f=rng.choice([2, 4, 4]) * d
    )
