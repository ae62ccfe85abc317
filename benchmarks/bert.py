"""Time of BERT over that of transformers' own with the same weights, forward and backward, on one CPU core.

    python benchmarks/bert.py [ROUNDS] [--dry]

BERT base without dropout reads 2 texts of 128 words, one of them with padding; a dry run has a small network. Each
value is the median over rounds; in each, both are measured one after the other, so that a busy machine slows both.
"""

from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import _options
import torch
from torch import Tensor
from transformers import BertConfig, BertModel

import models

BATCH, LENGTH, PADDING = 2, 128, 28
SMALL = dict(hidden_size=48, num_layers=2, num_heads=4, intermediate_size=96)  # of a dry run


def seconds(run: Callable[[], Tensor], is_training: bool) -> float:
    """Return the CPU time of a forward pass, and of a backward pass in training, in seconds."""
    start = process_time()
    if is_training:
        run().sum().backward()
    else:
        with torch.inference_mode():
            run()
    return process_time() - start


def main(rounds: int, is_dry: bool) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    options: dict[str, Any] = dict(SMALL) if is_dry else {}
    network: Any = models.build("bert", dropout=0.0, **options)
    names = {"num_layers": "num_hidden_layers", "num_heads": "num_attention_heads"}
    config: Any = {names.get(name, name): value for name, value in options.items()}
    theirs: Any = BertModel(BertConfig(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **config))
    network.load_reference(theirs.state_dict())
    words = torch.randint(1000, 30_000, (BATCH, LENGTH))
    words[1, -PADDING:] = 0
    segments, mask = torch.zeros_like(words), (words != 0).long()

    def ours() -> Tensor:
        hidden: Tensor = network(words, segments)["hidden"]
        return hidden

    def reference() -> Tensor:
        hidden: Tensor = theirs(words, token_type_ids=segments, attention_mask=mask).last_hidden_state
        return hidden

    with torch.inference_mode():
        difference = ((ours() - reference()) * mask[:, :, None]).abs().max().item()
    print(f"largest difference of the outputs: {difference:.1e}")
    for title, is_training in (("forward", False), ("forward and backward", True)):
        network.train(is_training)
        theirs.train(is_training)
        pairs = [(seconds(ours, is_training), seconds(reference, is_training)) for _ in range(rounds + 1)][1:]
        times = median(own / other for own, other in pairs)
        own, other = (1000 * median(values) for values in zip(*pairs, strict=True))
        print(f"{title:20}: {times:.3f} times  ({own:.1f} ms, transformers' {other:.1f} ms)")


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 15, dry=2)
    main(options.count, options.dry)
