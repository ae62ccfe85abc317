"""Self-attention and positional encoding: drills about parameters, shapes and costs."""

from random import Random
from typing import Any

from quizzes.content.transformers.self_attention.formulas import (
    ATTENTION_COST,
    ATTENTION_MEMORY,
    ATTENTION_OR_RECURRENCE,
    ATTENTION_SHARE,
    DECODER_LAYER,
    ENCODER_LAYER,
    GROUPED_PARAMS,
    HEAD_SHAPES,
    LAYER_BUDGET,
    LAYER_COST,
    MHA_BUDGET,
    MHA_PARAMS,
    TRANSFORMER_SIZE,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

HEADS_MULTIPLY = "You multiplied by the number of heads. The heads share the columns of the four matrices."

OUTPUT_FORGOTTEN = "You left out the output projection. There are four matrices: W_Q, W_K, W_V and W_O."

NO_BIASES = "You left out the biases. Every linear layer has one bias per output."


def _width(rng: Random) -> dict[str, int]:
    h = rng.choice([2, 4, 6, 8, 12, 16])
    return dict(d=h * rng.choice([16, 32, 48, 64, 80, 128]), h=h)


@drill(
    MHA_PARAMS,
    tier=1,
    asks=("P", "d_k"),
    prompt="Multi-head attention has the model width d = {d} and h = {h} heads. Its four linear layers have biases.\n"
    "How many parameters P does it have, and what is the head size d_k?",
    hint="Which four matrices are there, and what is the size of each? Does it depend on the number of heads?",
    mistakes=[
        Mistake("times-heads", "P = 4*d*(d + 1)*h", HEADS_MULTIPLY),
        Mistake(
            "one-head",
            "P = 4*d/h*(d/h + 1)",
            "You used the head size for the width. All heads together have d columns.",
        ),
        Mistake("output-forgotten", "P = 3*d*(d + 1)", OUTPUT_FORGOTTEN),
        Mistake("no-biases", "P = 4*d^2", NO_BIASES),
        Mistake("not-divided", "d_k = d", "You gave each head the whole width. The heads share it."),
    ],
)
def mha_params(rng: Random) -> Inputs:
    """Parameters of multi-head attention"""
    return _width(rng)


@drill(
    MHA_BUDGET,
    id="mha-params:budget",
    tier=2,
    asks=("d", "P"),
    prompt="Multi-head attention with h = {h} heads and biases may have at most {M} parameters. What is its largest "
    "width d that is a multiple of {h}? How many parameters P does it have then?",
    hint="Write the number of parameters in terms of the width, and solve for it. Then round down to a multiple.",
    mistakes=[
        Mistake(
            "output-forgotten",
            "d = h*floor((sqrt(4*M/3 + 1) - 1)/(2*h))",
            OUTPUT_FORGOTTEN,
        ),
        Mistake(
            "not-a-multiple",
            "d = floor((sqrt(M + 1) - 1)/2)",
            "That width can't be split into heads of equal size. Round down to a multiple of the number of heads.",
        ),
        Mistake(
            "rounded-up",
            "d = h*ceil((sqrt(M + 1) - 1)/(2*h))",
            "You rounded up. That attention has more parameters than the budget allows.",
        ),
        Mistake(
            "times-heads",
            "d = h*floor((sqrt(M/h + 1) - 1)/(2*h))",
            HEADS_MULTIPLY,
        ),
        Mistake("no-biases", "P = 4*d^2", NO_BIASES),
        Mistake("budget-for-count", "P = M + 0*d", "That is the budget. Count the parameters for the width you chose."),
    ],
)
def mha_budget(rng: Random) -> Inputs:
    """Largest width of multi-head attention"""
    return dict(h=rng.choice([4, 6, 8, 12, 16]), M=1000 * rng.choice([20, 50, 80, 100, 150, 200, 300, 500, 800, 1000]))


@drill(
    GROUPED_PARAMS,
    id="mha-params:grouped",
    tier=2,
    asks=("w", "P", "r"),
    prompt="An attention layer of width d = {d} has h = {h} query heads of size e = {e} and g = {g} key-value heads, "
    "which groups of queries share. It has no biases.\n"
    "How many columns w does W_K have? How many weights P do the four projections have? What is the ratio r to the "
    "weights with "
    "{h} key-value heads?",
    hint="Which of the four projections become smaller if queries share keys and values?",
    mistakes=[
        Mistake(
            "keys-not-shared",
            "w = h*e",
            "You gave every query head a key head of its own. There are g key-value heads.",
        ),
        Mistake(
            "group-size",
            "w = h/g*e",
            "You used the number of queries per group. W_K has the columns of g key-value heads.",
        ),
        Mistake(
            "keys-only",
            "P = 3*d*h*e + d*w",
            "You reduced W_K alone. Values are shared too.",
        ),
        Mistake(
            "output-reduced",
            "P = d*h*e + 3*d*w",
            "You reduced W_O too. Every query head has an output, so W_O keeps its size.",
        ),
        Mistake(
            "output-forgotten",
            "P = d*h*e + 2*d*w",
            OUTPUT_FORGOTTEN,
        ),
        Mistake("ratio-of-heads", "r = g/h", "Only W_K and W_V shrink by g/h. W_Q and W_O keep their size."),
    ],
)
def mha_grouped(rng: Random) -> Inputs:
    """Parameters with grouped queries"""
    g = rng.choice([1, 2, 4, 8])
    h, e = g * rng.choice([2, 4, 8]), rng.choice([32, 64, 80, 96, 128])
    if h > 64 or g == h // g:
        raise UndefinedValue("too many heads, or as many groups as queries per group")
    return dict(d=h * e, h=h, g=g, e=e)


def _shape_steps(B: int, T: int, d: int, h: int, q: list[int], S: list[int], O: list[int], **_: Any) -> list[Step]:
    return [
        Step(
            f"The width is split into heads, which move before the tokens: {'x'.join(map(str, q))}.", [f"d_k = {d}/{h}"]
        ),
        Step(f"Each head has a score for each query and each key: {'x'.join(map(str, S))}."),
        Step(f"The outputs of the heads are concatenated: {'x'.join(map(str, O))}."),
    ]


@drill(
    HEAD_SHAPES,
    id="mha-params:shapes",
    tier=1,
    asks=("q", "S", "O"),
    steps=_shape_steps,
    prompt="A batch of {B} sequences of {T} tokens with width {d} enters self-attention with {h} heads.\n"
    "What are the shapes of the queries split into heads (q), of the scores (S), and of the output after the heads are "
    "merged (O)? Give q and S as batch x heads x queries x last dimension.",
    hints=(
        "Which dimension is split into heads? Between which tokens are there scores?",
        "Each head has d/h features. There is a score for each head and each pair of a query and a key.",
        "First step: divide the width by the number of heads.",
    ),
    mistakes=[
        Mistake(
            "heads-after-tokens",
            {"q": lambda B, T, d, h: [B, T, h, d // h]},
            "That is the shape before the transposition. The heads come before the tokens, so that each head is "
            "multiplied on its own.",
        ),
        Mistake(
            "width-per-head",
            {"q": lambda B, T, d, h: [B, h, T, d]},
            "You gave each head the whole width. The heads share it.",
        ),
        Mistake(
            "one-score-matrix",
            {"S": lambda B, T, d, h: [B, 1, T, T]},
            "Every head has scores of its own.",
        ),
        Mistake(
            "scores-over-features",
            {"S": lambda B, T, d, h: [B, h, T, d // h]},
            "You used the head size. There is a score for each query and each key.",
        ),
        Mistake(
            "not-merged",
            {"O": lambda B, T, d, h: [B, T, d // h]},
            "That is one head. The outputs of all heads are concatenated.",
        ),
    ],
)
def mha_shapes(rng: Random) -> Inputs:
    """Shapes in multi-head attention"""
    return dict(_width(rng), B=rng.choice([2, 3, 4, 8, 16, 32]), T=rng.choice([10, 20, 50, 100, 128, 197, 256, 512]))


def _layer(rng: Random) -> dict[str, int]:
    values = _width(rng)
    factor = rng.choice([1, 2, 3, 4, 4])
    return dict(values, f=factor * values["d"])


ONE_NORM = "You counted one normalization too few. Every sublayer has a LayerNorm of its own."


@drill(
    ENCODER_LAYER,
    tier=2,
    asks=("A", "F", "P"),
    prompt="A Transformer encoder layer has the width d = {d}, {h} heads, and a feed-forward network with hidden width "
    "f = {f}. All linear layers have biases, and there are two LayerNorms with weight and bias.\n"
    "How many parameters do the attention (A), the feed-forward network (F), and the layer (P) have?",
    hint="Add up four square matrices, two layers of the feed-forward network, and the normalizations. Don't forget "
    "the biases.",
    mistakes=[
        Mistake("one-norm", "P = A + F + N/2", ONE_NORM),
        Mistake("norms-forgotten", "P = A + F", "You left out the LayerNorms. Each has 2d parameters."),
        Mistake("no-biases", "A = 4*d^2; F = 2*d*f", NO_BIASES),
        Mistake(
            "other-ffn-width",
            "F = 2*d*5*d + 5*d + d",
            "Use the hidden width that is given. It need not be a multiple of d that you know.",
        ),
        Mistake("heads-multiply", "A = 4*d*(d + 1)*h", HEADS_MULTIPLY),
        Mistake("output-forgotten", "A = 3*d*(d + 1)", OUTPUT_FORGOTTEN),
    ],
)
def encoder_layer_params(rng: Random) -> Inputs:
    """Parameters of an encoder layer"""
    return _layer(rng)


@drill(
    LAYER_BUDGET,
    id="encoder-layer-params:budget",
    tier=2,
    asks=("f", "P"),
    prompt="A Transformer encoder layer has the width d = {d}, self-attention with biases, a feed-forward network with "
    "biases, and 2 LayerNorms with weight and bias. It may have at most {M} parameters.\n"
    "What is the largest hidden width f of the feed-forward network? How many parameters P does the layer have then?\n"
    "Conventions: n = {n} counts the attentions of the layer.",
    hint="Subtract what does not depend on f. How many parameters does each hidden unit add?",
    mistakes=[
        Mistake(
            "norms-forgotten",
            "f = floor((M - 4*n*d*(d + 1) - d)/(2*d + 1))",
            "You left out the LayerNorms. Each has 2d parameters.",
        ),
        Mistake(
            "no-hidden-biases",
            "f = floor((M - R - d)/(2*d))",
            "You left out the bias of the hidden units. Each adds 2d weights and one bias.",
        ),
        Mistake(
            "one-layer",
            "f = floor((M - R - d)/(d + 1))",
            "A hidden unit has d incoming and d outgoing weights.",
        ),
        Mistake(
            "output-projection-forgotten",
            "f = floor((M - R + n*d*(d + 1) - d)/(2*d + 1))",
            OUTPUT_FORGOTTEN,
        ),
        Mistake("budget-for-count", "P = M + 0*f", "That is the budget. Count the parameters for the width you chose."),
    ],
)
def encoder_budget(rng: Random) -> Inputs:
    """Largest hidden width of an encoder layer"""
    d = rng.choice([64, 96, 128, 192, 256, 384, 512, 768])
    M = 1000 * round(4 * d * d * rng.choice([1.1, 1.4, 1.8, 2, 2.5, 3]) / 1000)
    return dict(d=d, n=1, M=M)


@drill(
    DECODER_LAYER,
    tier=2,
    asks=("A", "F", "P"),
    prompt="A Transformer decoder layer for translation has the width d = {d}, {h} heads, and a feed-forward network "
    "with hidden width f = {f}. All linear layers have biases, and every sublayer has a LayerNorm with weight and "
    "bias.\n"
    "How many parameters do its attentions together (A), the feed-forward network (F), and the layer (P) have?",
    hint="How many attentions does a decoder layer have, and how many sublayers in all?",
    mistakes=[
        Mistake(
            "one-attention",
            "A = 4*d*(d + 1)",
            "You counted one attention. A decoder layer has self-attention and cross-attention.",
        ),
        Mistake("two-norms", "P = A + F + 4*d", ONE_NORM),
        Mistake("norms-forgotten", "P = A + F", "You left out the LayerNorms. Each has 2d parameters."),
        Mistake("no-biases", "A = 8*d^2; F = 2*d*f", NO_BIASES),
        Mistake("heads-multiply", "A = 8*d*(d + 1)*h", HEADS_MULTIPLY),
    ],
)
def decoder_layer_params(rng: Random) -> Inputs:
    """Parameters of a decoder layer"""
    return _layer(rng)


@drill(
    LAYER_BUDGET,
    id="decoder-layer-params:budget",
    tier=2,
    asks=("f", "P"),
    prompt="A Transformer decoder layer has the width d = {d}, self-attention and cross-attention with biases, a "
    "feed-forward network with "
    "biases, and 3 LayerNorms with weight and bias. It may have at most {M} parameters.\n"
    "What is the largest hidden width f of the feed-forward network? How many parameters P does the layer have then?\n"
    "Conventions: n = {n} counts the attentions of the layer.",
    hint="Subtract what does not depend on f. How many parameters does each hidden unit add?",
    mistakes=[
        Mistake(
            "norms-forgotten",
            "f = floor((M - 4*n*d*(d + 1) - d)/(2*d + 1))",
            "You left out the LayerNorms. Each has 2d parameters.",
        ),
        Mistake(
            "no-hidden-biases",
            "f = floor((M - R - d)/(2*d))",
            "You left out the bias of the hidden units. Each adds 2d weights and one bias.",
        ),
        Mistake(
            "one-layer",
            "f = floor((M - R - d)/(d + 1))",
            "A hidden unit has d incoming and d outgoing weights.",
        ),
        Mistake(
            "output-projection-forgotten",
            "f = floor((M - R + n*d*(d + 1) - d)/(2*d + 1))",
            OUTPUT_FORGOTTEN,
        ),
        Mistake("budget-for-count", "P = M + 0*f", "That is the budget. Count the parameters for the width you chose."),
    ],
)
def decoder_budget(rng: Random) -> Inputs:
    """Largest hidden width of a decoder layer"""
    d = rng.choice([64, 96, 128, 192, 256, 384, 512, 768])
    M = 1000 * round(8 * d * d * rng.choice([1.1, 1.4, 1.8, 2, 2.5, 3]) / 1000)
    return dict(d=d, n=2, M=M)


@drill(
    TRANSFORMER_SIZE,
    id="decoder-layer-params:transformer",
    tier=3,
    asks=("E", "D", "P"),
    prompt="The Transformer (2017) for translation has L = {L} encoder layers and {L} decoder layers of width d = "
    "{d}, "
    "with feed-forward networks of hidden width f = {f}. One matrix serves as embedding of both languages and as "
    "output layer, for a shared vocabulary of {V} tokens. The attention has no biases, the feed-forward networks have "
    "them; every sublayer has a LayerNorm with weight and bias, and there is none after the stacks. Positions are "
    "sinusoidal.\n"
    "How many parameters do an encoder layer (E), a decoder layer (D), and the network (P) have?",
    hints=(
        "Which parameters does a sinusoidal encoding have? How often is the shared matrix counted?",
        "An encoder layer has 4d^2 + (2df + f + d) + 2*2d parameters. A decoder layer has a second attention and a "
        "third LayerNorm.",
        "First step: compute the feed-forward network, 2df weights and f + d biases.",
    ),
    mistakes=[
        Mistake(
            "attention-biases",
            "E = 4*d^2 + 4*d + 2*d*f + f + d + 4*d; D = 8*d^2 + 8*d + 2*d*f + f + d + 6*d",
            "You counted biases in the attention. Here it has none.",
        ),
        Mistake(
            "no-cross-attention",
            "D = 4*d^2 + 2*d*f + f + d + 4*d",
            "You left out cross-attention and its LayerNorm. A decoder layer has three sublayers.",
        ),
        Mistake(
            "two-norms",
            "D = 8*d^2 + 2*d*f + f + d + 4*d",
            ONE_NORM,
        ),
        Mistake(
            "three-matrices",
            "P = L*(E + D) + 3*V*d",
            "You counted the shared matrix three times. Both embeddings and the output layer use the same one.",
        ),
        Mistake(
            "embedding-forgotten",
            "P = L*(E + D)",
            "You left out the shared embedding.",
        ),
        Mistake(
            "one-stack",
            "P = L*D + V*d",
            "You left out the encoder.",
        ),
    ],
)
def transformer_size(rng: Random) -> Inputs:
    """Parameters of the Transformer for translation"""
    d = rng.choice([128, 256, 384, 512, 768, 1024])
    return dict(
        d=d, f=rng.choice([2, 4, 4]) * d, L=rng.choice([2, 3, 4, 6, 8]), V=1000 * rng.choice([8, 10, 16, 32, 37, 40])
    )


@drill(
    ATTENTION_COST,
    tier=2,
    asks=("M", "S"),
    prompt="A self-attention layer of width d = {d} with h = {h} heads reads one sequence of T = {T} tokens.\n"
    "How many MACs M does the layer take, with the four projections and without a feed-forward network? How many "
    "scores S "
    "does it compute, over all heads?\n"
    "Conventions: biases and the softmax are not counted; masked pairs are computed too.",
    hint="Count the four projections, then Q K^T and A V. What do h heads of size d/h cost together?",
    mistakes=[
        Mistake("projections-only", "M = 4*T*d^2", "You counted the projections. Add Q K^T and A V."),
        Mistake("no-projections", "M = 2*T^2*d", "You left out the four projections, T d^2 MACs each."),
        Mistake("values-forgotten", "M = 4*T*d^2 + T^2*d", "You left out A V, which costs as much as Q K^T."),
        Mistake(
            "times-heads",
            "M = 4*T*d^2 + 2*h*T^2*d",
            "You counted the width in each head. A head has the size d/h, so all heads together cost T^2 d per "
            "product.",
        ),
        Mistake("flops", "M = 2*(4*T*d^2 + 2*T^2*d)", "Those are the FLOPs. A MAC is two of them."),
        Mistake("one-head", "S = T^2", "Those are the scores of one head."),
        Mistake("scores-per-token", "S = h*T", "Each of the T queries has a score for each of the T keys."),
    ],
)
def attention_cost(rng: Random) -> Inputs:
    """Cost of a self-attention layer"""
    return dict(_width(rng), T=rng.choice([64, 100, 128, 196, 256, 400, 512, 1024, 2048]))


@drill(
    ATTENTION_MEMORY,
    id="attention-cost:memory",
    tier=1,
    asks=one_of("M", "B", "h"),
    prompt="A training step stores the attention weights of a layer, {b} bytes per number, for a batch of {B} "
    "sequences of {T} tokens and {h} heads. They take {M} MiB.",
    hint="How many weights does one head have for one sequence? 1 MiB is 2^20 bytes.",
    mistakes=[
        Mistake(
            "linear",
            "M = B*h*T*b/2^20",
            "You counted one weight per token. There is one for each query and each key.",
        ),
        Mistake(
            "megabytes",
            "M = B*h*T^2*b/10^6",
            "You divided by 10^6, which gives MB. 1 MiB is 2^20 = 1,048,576 bytes.",
        ),
        Mistake(
            "bytes-forgotten",
            "M = B*h*T^2/2^20",
            "You left out the bytes per number.",
        ),
        Mistake(
            "causal-half",
            "M = B*h*T^2*b/2/2^20",
            "You counted half of the matrix. The whole matrix is stored, with zeros where a mask hides keys.",
        ),
    ],
)
def attention_memory(rng: Random) -> Inputs:
    """Memory of attention weights"""
    B, h, b = rng.choice([1, 2, 4, 8, 16, 32]), rng.choice([2, 4, 6, 8, 12, 16]), rng.choice([2, 4])
    return dict(B=B, h=h, T=rng.choice([256, 512, 1024, 2048]), b=b)


@drill(
    ATTENTION_SHARE,
    id="attention-cost:share",
    tier=3,
    asks=derive("T"),
    prompt="A Transformer layer of width d has four projections, the products Q K^T and A V, and a feed-forward "
    "network of hidden width {m}*d. Derive the number of tokens T at which Q K^T and A V together make up the share q "
    "= "
    "{q} of the MACs of the layer. Answer in terms of d.\n"
    "Conventions: biases, softmax and normalizations are not counted.",
    hints=(
        "Which parts of the cost grow with T, and which with T^2?",
        "The projections cost 4T d^2 MACs, the feed-forward network 2 T d * hidden width, and Q K^T and A V cost 2T^2 "
        "d.",
        "First step: divide all parts by 2T d. The share is T/((m + 2) d + T).",
    ),
    mistakes=[
        Mistake(
            "ffn-forgotten",
            "T = 2*d*q/(1 - q)",
            "You left out the feed-forward network.",
        ),
        Mistake(
            "ratio-for-share",
            "T = (m + 2)*d*q",
            "You set the ratio to the other parts to q. The share is taken of the sum.",
        ),
        Mistake(
            "values-forgotten",
            "T = 2*(m + 2)*d*q/(1 - q)",
            "You left out A V, which costs as much as Q K^T.",
        ),
        Mistake(
            "shares-swapped",
            "T = (m + 2)*d*(1 - q)/q",
            "You swapped the shares: that is where the other parts have the share q.",
        ),
        Mistake(
            "one-ffn-layer",
            "T = (m/2 + 2)*d*q/(1 - q)",
            "You counted one layer of the feed-forward network. It has two.",
        ),
    ],
)
def attention_share(rng: Random) -> Inputs:
    """Length at which attention dominates"""
    q = rng.choice([10, 20, 25, 30, 40, 60, 70, 75, 80, 90]) / 100
    return dict(m=rng.choice([1, 2, 3, 4, 6, 8]), q=q, variables={"d": [16, 4096]})


@drill(
    LAYER_COST,
    id="attention-cost:layer",
    tier=2,
    asks=("A", "F", "C", "g"),
    prompt="An encoder layer of width d = {d} with a feed-forward network of hidden width f = {f} reads T = {T} "
    "tokens.\n"
    "How many MACs do its attention with the four projections (A) and its feed-forward network (F) take? How many "
    "FLOPs C does the layer take? By which factor g does its cost grow for twice as many tokens?\n"
    "Conventions: 1 MAC = 2 FLOPs; biases, softmax and normalizations are not counted.",
    hint="Which parts of the cost double with T, and which part grows fourfold?",
    mistakes=[
        Mistake("projections-only", "A = 4*T*d^2", "You counted the projections. Add Q K^T and A V."),
        Mistake("values-forgotten", "A = 4*T*d^2 + T^2*d", "You left out A V, which costs as much as Q K^T."),
        Mistake("one-ffn-layer", "F = T*d*f", "The feed-forward network has two layers, d to f to d."),
        Mistake("macs-for-flops", "C = A + F", "Those are MACs. Each is two FLOPs."),
        Mistake("all-quadratic", "g = 4 + 0*A", "Only Q K^T and A V grow fourfold. The other parts double."),
        Mistake("all-linear", "g = 2 + 0*A", "Q K^T and A V grow fourfold. Only the other parts double."),
    ],
)
def layer_cost(rng: Random) -> Inputs:
    """Cost of an encoder layer"""
    d = rng.choice([64, 128, 256, 384, 512, 768])
    return dict(d=d, f=rng.choice([2, 4]) * d, T=rng.choice([64, 128, 200, 256, 400, 512, 1024, 2048]))


@drill(
    ATTENTION_OR_RECURRENCE,
    id="decide-attention-or-recurrence",
    tier=2,
    asks=("M", "R", "s", "cheaper"),
    prompt="A layer of width d = {d} reads T = {T} tokens. Count the MACs M of Q K^T and A V in self-attention "
    "(without projections), and the MACs R of a recurrent layer that multiplies each input and each state by a {d}x{d} "
    "matrix. How many steps s must the recurrent layer compute one after the other? Which of the two layers needs "
    "fewer MACs?",
    hint="One of the costs grows with the square of the length, and the other one with the square of the width.",
    mistakes=[
        Mistake("values-forgotten", "M = T^2*d", "You left out A V, which costs as much as Q K^T."),
        Mistake("projections", "M = 4*T*d^2 + 2*T^2*d", "You counted the projections, which this question leaves out."),
        Mistake("one-matrix", "R = T*d^2", "You counted one matrix. The input and the state have one each."),
        Mistake(
            "one-step",
            "s = 1 + 0*T",
            "Each state needs the one before it, so the steps can't run at the same time. That is self-attention.",
        ),
        Mistake(
            "other-layer",
            "cheaper = where(M < R, 2, 1)",
            "Compare the two numbers: self-attention is cheaper if the sequence is shorter than the width.",
        ),
    ],
)
def decide_attention_or_recurrence(rng: Random) -> Inputs:
    """Self-attention or recurrence"""
    d, T = rng.choice([64, 128, 256, 512, 768, 1024]), rng.choice([20, 50, 100, 200, 400, 1000, 2000, 5000])
    return dict(d=d, T=T)
