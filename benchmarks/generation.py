"""Time of generating a text without the cache of keys and values over that with it, and the share of equal tokens.

    python benchmarks/generation.py [ROUNDS] [NAME...] [--dry]

One text is generated greedily from a prompt of one token, on one thread. Without the cache, the network reads all
tokens so far for each token. Both take turns, so that a busy machine slows both; the figure is the median over rounds.
Target: at least 5 for GPT-2 small and 256 tokens.
"""

from statistics import median
from time import process_time

import _options
import torch
from torch import Tensor

import models

LENGTHS = {"gpt": 256, "mini": 64}


def generate(network: torch.nn.Module, length: int, is_cached: bool) -> tuple[Tensor, float]:
    """Return tokens, and the CPU time in seconds."""
    tokens, cache = torch.zeros(1, 1, dtype=torch.int64), None
    start = process_time()
    for _ in range(length):
        if is_cached:
            logits, cache = network.step(tokens[:, -1], cache)
        else:
            logits = network(tokens[:, -network.max_length :])[:, -1]
        tokens = torch.cat([tokens, logits.argmax(dim=1, keepdim=True)], dim=1)
    return tokens, process_time() - start


def main(rounds: int, names: list[str], is_dry: bool) -> None:
    torch.set_num_threads(1)
    for name in names:
        torch.manual_seed(0)
        network = models.build("gpt", "mini" if name == "mini" else "paper").eval()
        length = 8 if is_dry else LENGTHS[name]
        with torch.inference_mode():
            generate(network, 4, is_cached=True)
            pairs = [[generate(network, length, is_cached) for is_cached in (True, False)] for _ in range(rounds)]
        faster = median(without[1] / cached[1] for cached, without in pairs)
        same = float((pairs[0][0][0] == pairs[0][1][0]).double().mean())
        seconds = [median(pair[k][1] for pair in pairs) for k in (0, 1)]
        print(
            f"{name:5}  {length} tokens: {faster:.1f} times faster with the cache  "
            f"({seconds[0]:.2f} s, without {seconds[1]:.2f} s; {same:.0%} of the tokens are equal)"
        )


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 3, dry=1, names=list(LENGTHS), dry_names=["mini"])
    main(options.count, options.names, options.dry)
