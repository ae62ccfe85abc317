"""Encoder, z, decoder: formulas."""

from collections import Counter
from typing import Any

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.content.seq2seq.seq2seq.beams import Table as WordTable
from quizzes.content.seq2seq.seq2seq.beams import beam_steps, read_table, search
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Labels, Matrix, Real, Shape, Table, Text, Texts, Vector
from workbench.errors import UserError

BEAM_SOURCE = "Sutskever, Vinyals & Le, Sequence to Sequence Learning, 2014 (arXiv:1409.3215), section 3.2"

PENALTY_SOURCE = "Papineni et al., BLEU, ACL 2002: BP = 1 if c > r, else exp(1 - r/c)"


def run_beam_search(
    words: list[str], start: list[Value], P: list[list[Value]], k: int, steps: int, alpha: Value, end: str | None = None
) -> dict[str, Any]:
    """Return the outputs of greedy and beam search, and the hypotheses of every step.

    Raises:
        UserError: If the table can't be used.
    """
    table = read_table(words, start, P, end)
    greedy, best = search(table, 1, steps), search(table, k, steps, alpha)
    rows = [
        {"step": step, "hypothesis": table.text(one), "p": float(one.p)}
        for step, (_, beam) in enumerate(beam_steps(table, k, steps, alpha), 1)
        for one in beam
    ]
    return {
        "greedy": [words[word] for word in greedy.words],
        "p_greedy": greedy.p,
        "beam": [words[word] for word in best.words],
        "p_beam": best.p,
        "n": len(best.words),
        "table": rows,
    }


BEAM_SEARCH = Formula(
    "beam-search",
    """
    lnp = ln(p_beam)
    score = lnp/n^alpha
    """,
    title="Greedy and beam search over a table of probabilities",
    source=BEAM_SOURCE,
    conventions="""
Each step extends every hypothesis by every word, and keeps the k best by ln
p/length^alpha. A hypothesis that ends with the word `end` is complete and stays
among the candidates. Equal scores are ordered as in the table.
""",
    procedure=run_beam_search,
    procedure_outputs="greedy p_greedy beam p_beam n table",
    words=Texts(meaning="vocabulary"),
    start=Vector(0, 1, "probability of each word at the first step"),
    P=Matrix(0, 1, "probability of each next word, a row per previous word"),
    k=Int(1, 100, "beam width", default=2),
    steps=Int(1, 50, "number of steps", default=2),
    alpha=Real(0, 5, "exponent of the length normalization, 0 for none", default=0),
    end=Text(meaning="word that ends an output", optional=True),
    greedy=Labels(meaning="output of greedy search"),
    p_greedy=Real(meaning="probability of the greedy output"),
    beam=Labels(meaning="output of beam search"),
    p_beam=Real(meaning="probability of the output of beam search"),
    n=Int(meaning="length of the output of beam search"),
    table=Table(meaning="hypotheses that are kept at each step"),
    lnp=Real(meaning="log-probability of the output of beam search"),
    score=Real(meaning="score of the output of beam search"),
)


def best_extensions(l1: Value, l2: Value, N: list[list[Value]]) -> dict[str, list[str]]:
    """Return the two best extensions of two hypotheses, best first, such as `1b` for word b after hypothesis 1."""
    from math import log

    scores = {
        f"{row}{chr(97 + j)}": float(prefix) + log(p)
        for row, prefix, probabilities in ((1, l1, N[0]), (2, l2, N[1]))
        for j, p in enumerate(probabilities)
    }
    return {"keep": sorted(scores, key=lambda name: -scores[name])[:2]}


BEAM_STEP = Formula(
    "beam-step",
    "S[i, j] = l1*[i = 1] + l2*[i = 2] + ln(N[i, j])",
    title="One step of a beam search with width 2",
    source=BEAM_SOURCE,
    shapes="N[2, 3]",
    procedure=best_extensions,
    procedure_outputs="keep",
    l1=Real(meaning="log-probability of hypothesis 1"),
    l2=Real(meaning="log-probability of hypothesis 2"),
    N=Matrix(0, 1, "probability of each next word, a row per hypothesis"),
    S=Matrix(meaning="log-probability of each extension, a row per hypothesis"),
    keep=Labels(meaning="extensions that are kept, best first"),
)


SEARCH_COST = Formula(
    "search-cost",
    """
    n_greedy = T*V
    n_beam = V + (T - 1)*k*V
    n_all = V^T
    """,
    title="Number of candidates that a search scores",
    source="derivation: each step scores V continuations of each hypothesis that is kept, and there is one hypothesis "
    "(the empty one) before the first step",
    V=Int(2, 1000000, "vocabulary size"),
    k=Int(1, 1000, "beam width"),
    T=Int(1, 1000, "number of steps"),
    n_greedy=Int(meaning="continuations scored by greedy search"),
    n_beam=Int(meaning="continuations scored by beam search"),
    n_all=Int(meaning="complete sequences of an exhaustive search"),
)


HYPOTHESES = dict(A="hypothesis A", B="hypothesis B")

LENGTH_PENALTY = Formula(
    "length-penalty",
    """
    tie = ln(l_B/l_A)/ln(n_B/n_A)
    w1 = where(l_A/n_A^a1 > l_B/n_B^a1, 1, 2)
    w2 = where(l_A/n_A^a2 > l_B/n_B^a2, 1, 2)
    """,
    title="Length normalization of two hypotheses",
    source="Wu et al., Google's Neural Machine Translation System, 2016 (arXiv:1609.08144), section 7, without the "
    "constant 5; derivation of the tie: l_A/n_A^alpha = l_B/n_B^alpha",
    n_A=Int(1, 1000, "length of hypothesis A"),
    l_A=Real(-1000, 0, "log-probability of hypothesis A"),
    n_B=Int(1, 1000, "length of hypothesis B"),
    l_B=Real(-1000, 0, "log-probability of hypothesis B"),
    a1=Real(0, 5, "first alpha"),
    a2=Real(0, 5, "second alpha"),
    tie=Real(meaning="alpha for which both scores are equal"),
    w1=Choice(meaning="winner with the first alpha", options=HYPOTHESES, supported_by="tie"),
    w2=Choice(meaning="winner with the second alpha", options=HYPOTHESES, supported_by="tie"),
)


BLEU_OF_TWO_SETS = Formula(
    "bleu-of-two-sets",
    """
    BP1 = where(c1 > r1, 1, exp(1 - r1/c1))
    B1 = BP1*prod(n, p[n])^(1/4)
    BP2 = where(c2 > r2, 1, exp(1 - r2/c2))
    B2 = BP2*prod(n, q[n])^(1/4)
    problem = where(c2 > r2, 3, where(c2 < 9/10*r2, 1, 2))
    """,
    title="BLEU of short and long sentences",
    source=PENALTY_SOURCE,
    shapes="p[4]; q[4]",
    p=Vector(0, 1, "precisions p1 to p4 on the short sentences"),
    c1=Int(1, 100000, "words of all outputs for the short sentences"),
    r1=Int(1, 100000, "words of all their references"),
    q=Vector(0, 1, "precisions p1 to p4 on the long sentences"),
    c2=Int(1, 100000, "words of all outputs for the long sentences"),
    r2=Int(1, 100000, "words of all their references"),
    BP1=Real(meaning="brevity penalty of the short sentences"),
    B1=Real(meaning="BLEU of the short sentences"),
    BP2=Real(meaning="brevity penalty of the long sentences"),
    B2=Real(meaning="BLEU of the long sentences"),
    problem=Choice(
        meaning="problem on the long sentences",
        options=dict(
            early="the outputs end too early; their words are as good as before",
            order="the word order is wrong; the words and the lengths fit",
            repeated="the outputs are too long: they repeat words",
        ),
        supported_by="B2",
    ),
)


TEACHER_FORCING = Formula(
    "teacher-forcing",
    """
    printed = ln(1 + (V - 1)*exp(-g))
    count = sum(i, [ids[i] > 0])
    fixed = ln(exp(g) + V - 1)
    fixed_count = sum(i, [ids[i] > 0]) - 1
    """,
    title="Cross-entropy of a decoder that copies its input",
    source="derivation: a softmax over V tokens with the logit g for one of them and 0 for the others gives that token "
    "exp(g)/(exp(g) + V - 1), and every other one 1/(exp(g) + V - 1)",
    conventions="No two neighbors among the ids are equal. The id 0 is padding, at the end only.",
    ids=Vector(0, meaning="token ids of the target, from the start to the padding"),
    V=Int(2, 1000, "vocabulary size"),
    g=Real(0, 100, "logit of the token that is copied"),
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Real(meaning="loss that is printed"),
    count=Int(meaning="number of tokens that is printed"),
    fixed=Real(meaning="loss after the correction"),
    fixed_count=Int(meaning="number of tokens after the correction"),
)


def _target_shapes(B: int, T: int, V: int, line: int | None = None) -> dict[str, list[int]]:
    return {"expects": [B, V], "gets": [B, T - 1]}


CLASS_DIMENSION = Formula(
    "class-dimension",
    "",
    title="Logits of a sequence in the cross-entropy of PyTorch",
    source="PyTorch documentation, torch.nn.functional.cross_entropy: for an input (N, C, d1, ...), dimension 1 has "
    "the classes, and the target has the shape (N, d1, ...)",
    procedure=_target_shapes,
    procedure_outputs="expects gets",
    B=Int(1, 1000, "batch size"),
    T=Int(2, 1000, "length of the target"),
    V=Int(2, 100000, "vocabulary size"),
    line=LineNumber(meaning="number of the line that raises"),
    expects=Shape(meaning="shape of the target that the call expects"),
    gets=Shape(meaning="shape of the target that it gets"),
)


SENTENCES = 2  # hypotheses that the beam keeps


def bleu2(candidate: list[str], reference: list[str]) -> tuple[int, int]:
    """Return the clipped matches of 1-grams and 2-grams of two sentences."""
    matches = []
    for n in (1, 2):
        grams, others = (
            Counter(tuple(words[k : k + n]) for k in range(len(words) - n + 1)) for words in (candidate, reference)
        )
        matches.append(sum(min(count, others[gram]) for gram, count in grams.items()))
    return matches[0], matches[1]


def chain_table(a: list[Value], N: list[list[Value]], U: list[list[Value]]) -> WordTable:
    """Return a table of two first words (0, 1), two second ones (2, 3) and two third ones (4, 5)."""
    P = [[0, 0, *row, 0, 0] for row in N] + [[0, 0, 0, 0, *row] for row in U] + [[0] * 6, [0] * 6]
    return WordTable(list("012345"), [*a, 0, 0, 0, 0], P)


def _search_and_compare(
    words: list[str], a: list[Value], N: list[list[Value]], U: list[list[Value]], ref: str
) -> dict[str, Any]:
    reference = ref.split()
    if len(words) != 6 or len(reference) != 3:
        raise UserError("words must have two first, two second and two third words, and ref three words.")
    table = chain_table(a, N, U)
    greedy, best = search(table, 1, 3), search(table, SENTENCES, 3)
    _, beam = list(beam_steps(table, SENTENCES, 2))[1]
    (g1, g2), (b1, b2) = (bleu2([words[k] for k in one.words], reference) for one in (greedy, best))
    return {
        "p_greedy": greedy.p,
        "hyps": [chr(65 + 2 * one.words[0] + one.words[1] - 2) for one in beam],
        "p_beam": best.p,
        "g1": g1,
        "g2": g2,
        "b1": b1,
        "b2": b2,
    }


BEAM_BLEU = Formula(
    "beam-bleu",
    """
    B_greedy = sqrt(g1/3*g2/2)
    B_beam = sqrt(b1/3*b2/2)
    PP = (1/p_beam)^(1/3)
    """,
    title="Greedy search, beam search, BLEU-2 and perplexity of three words",
    source=f"{BEAM_SOURCE}; {PENALTY_SOURCE}; derivation: the perplexity per token is the exponential of -ln p/3",
    conventions="Outputs and reference have three words, so the brevity penalty is 1.",
    shapes="a[2]; N[2, 2]; U[2, 2]",
    procedure=_search_and_compare,
    procedure_outputs="p_greedy hyps p_beam g1 g2 b1 b2",
    words=Texts(meaning="two first words, two second ones and two third ones"),
    a=Vector(0, 1, "probabilities of the first words"),
    N=Matrix(0, 1, "probabilities of the second words, a row per first word"),
    U=Matrix(0, 1, "probabilities of the third words, a row per second word"),
    ref=Text(meaning="reference, three words"),
    p_greedy=Real(meaning="probability of the greedy output"),
    hyps=Labels(meaning="hypotheses of beam width 2 after step 2, best first"),
    p_beam=Real(meaning="probability of the output of beam search"),
    g1=Int(meaning="1-grams of the greedy output that match"),
    g2=Int(meaning="2-grams of the greedy output that match"),
    b1=Int(meaning="1-grams of the output of beam search that match"),
    b2=Int(meaning="2-grams of the output of beam search that match"),
    B_greedy=Real(meaning="BLEU-2 of the greedy output"),
    B_beam=Real(meaning="BLEU-2 of the output of beam search"),
    PP=Real(meaning="perplexity per token of the output of beam search"),
)
