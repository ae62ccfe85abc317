"""Speed of GPT: training against a plain loop in nanoGPT's manner, and GPT-2 small against transformers' network.

    python benchmarks/gpt.py [ROUNDS] [NAME...] [--dry]

    training   tokens per second of CPU time over those of a plain loop: 4 layers, 4 heads, width 128, context 64, batch
               12, AdamW. The plain loop draws random windows and computes nothing but the loss; ours reports, too.
               Target: at least 0.97.
    forward    time of a forward pass over transformers' GPT2LMHeadModel with the same weights, batch 1, 128 tokens
    backward   the same, forward and backward. Target: at most 1.05.

One thread. Both take turns, so that a busy machine slows both equally; the result is the median of the ratios.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import process_time

import _options
import torch
import torch.nn.functional as F
from torch import nn

import models
from workbench import data
from workbench.engine import RunSpec, events
from workbench.engine.training.trainer import SeedRun, Trainer

PARTS = ("training", "forward", "backward")
LAYERS, HEADS, WIDTH, CONTEXT, BATCH = 4, 4, 128, 64, 12
STEPS = 10  # of a turn
LR = 1e-3


class PlainBlock(nn.Module):
    """A block as nanoGPT has it."""

    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.c_attn, self.c_proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU("tanh"), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, length, width = x.shape
        heads = [
            part.view(n, length, HEADS, width // HEADS).transpose(1, 2)
            for part in self.c_attn(self.ln_1(x)).split(width, dim=2)
        ]
        y = F.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).contiguous().view(n, length, width))
        return x + self.mlp(self.ln_2(x))


class PlainGPT(nn.Module):
    """A network as nanoGPT has it."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab_size, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.h, self.ln_f = nn.Sequential(*(PlainBlock() for _ in range(LAYERS))), nn.LayerNorm(WIDTH)
        self.lm_head = nn.Linear(WIDTH, vocab_size, bias=False)
        self.wte.weight = self.lm_head.weight
        nn.init.normal_(self.wte.weight, std=0.02)

    def forward(self, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        logits = self.lm_head(self.ln_f(self.h(x)))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def plain_loop() -> Iterator[None]:
    """Train with a plain loop, and yield after each turn."""
    stream = torch.from_numpy(data.load("help-topics", 0)["train"][0])
    network = PlainGPT(data.info("help-topics").sizes["vocabulary"])
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, betas=(0.9, 0.99), fused=True)
    while True:
        for _ in range(STEPS):
            starts = torch.randint(len(stream) - CONTEXT, (BATCH,)).tolist()
            tokens = torch.stack([stream[k : k + CONTEXT] for k in starts])
            targets = torch.stack([stream[k + 1 : k + 1 + CONTEXT] for k in starts])
            loss = network(tokens, targets)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        yield


def our_loop(turns: int, writer: events.Writer) -> Iterator[None]:
    """Train with our loop, and yield after each turn."""
    spec = RunSpec.create(
        "gpt",
        steps=turns * STEPS + 1,
        evaluate_every=10**9,
        **dict(batch_size=BATCH, lr=LR, optimizer="adamw", beta2=0.99, schedule="constant", clip_norm=1.0),
        device="cpu",
        options=dict(num_layers=LAYERS, num_heads=HEADS, embedding_size=WIDTH, max_length=CONTEXT),
    )
    run = SeedRun(spec)
    run._report_every = STEPS  # a turn ends with a report
    next_turn = STEPS
    for event in Trainer([run]).run():
        writer.write(event)
        if event["event"] == "metric" and event["step"] == next_turn:
            yield
            next_turn += STEPS


def race_training(rounds: int) -> None:
    turns = rounds + 2  # the first turns are warmup, and ours computes the baseline in them
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        writer = events.Writer(Path(folder) / "events.jsonl", run="gpt", seed=0)
        loops = [our_loop(turns, writer), plain_loop()]
        for turn in range(turns):
            row = [0.0, 0.0]
            for k in (0, 1) if turn % 2 else (1, 0):
                row[k] = STEPS * BATCH * CONTEXT / _seconds(lambda k=k: next(loops[k]))
            rates.append(row)
        writer.close()
    ratio = median(ours / plain for ours, plain in rates[2:])
    ours, plain = (median(row[k] for row in rates[2:]) for k in (0, 1))
    print(f"training: {ratio:.3f} of the plain loop's tokens per second  ({ours:,.0f}, the plain loop's {plain:,.0f})")


def race_network(part: str, rounds: int, length: int) -> None:
    import transformers

    torch.manual_seed(0)
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0))
    ours = models.build("gpt")
    ours.load_reference(theirs.state_dict())
    tokens = torch.randint(50_257, (1, length))

    def run(network: Callable[[torch.Tensor], torch.Tensor]) -> None:
        if part == "forward":
            with torch.inference_mode():
                network(tokens)
        else:
            network(tokens).square().mean().backward()

    pairs = []
    for turn in range(rounds + 1):
        row = [0.0, 0.0]
        networks = (ours, lambda x: theirs(x, use_cache=False).logits)
        for k in (0, 1) if turn % 2 else (1, 0):
            row[k] = _seconds(lambda network=networks[k]: run(network))
        pairs.append(row)
    ratio = median(own / other for own, other in pairs[1:])
    own, other = (1000 * median(row[k] for row in pairs[1:]) for k in (0, 1))
    print(f"{part}: {ratio:.3f} times transformers', {length} tokens  ({own:.0f} ms, transformers' {other:.0f} ms)")


def _seconds(function: Callable[[], object]) -> float:
    """Return the CPU time of a call."""
    start = process_time()
    function()
    return process_time() - start


def main(rounds: int, names: list[str], is_dry: bool) -> None:
    torch.set_num_threads(1)
    for name in names:
        if name == "training":
            race_training(rounds)
        else:
            race_network(name, rounds, 4 if is_dry else 128)


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 15, dry=2, names=PARTS, dry_names=["training", "forward"])
    main(options.count, options.names, options.dry)
