"""Checks of the drills about the tasks of sequential data."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


def bio_tags(sentence: str, entities: list[str]) -> dict[str, list[str]]:
    import re

    bio, io, text = "", "", sentence
    # Replace each entity in the text by its tags; what remains are words outside of any entity.
    for entity in entities:
        type, _, name = entity.partition(" ")
        before, text = re.split(rf"(?<!\S){re.escape(name)}(?!\S)", text, maxsplit=1)
        count = len(name.split())
        bio += " O" * len(before.split()) + f" B-{type}" + f" I-{type}" * (count - 1)
        io += " O" * len(before.split()) + f" {type}" * count
    rest = " O" * len(text.split())
    return dict(bio=(bio + rest).split(), io=(io + rest).split())


def bio_entities(tags: str) -> dict[str, Any]:
    from itertools import groupby

    io = [tag[2:] or tag for tag in tags.split()]
    runs = [type for type, _ in groupby(io) if type != "O"]
    return dict(n=sum(tag.startswith("B-") for tag in tags.split()), io=io, m=len(runs))


def bio_tag_count(K: int, h: int) -> dict[str, int]:
    types = [f"T{k}" for k in range(K)]
    io, bio = {"O", *types}, {"O", *(f"{prefix}-{type}" for type in types for prefix in "BI")}
    head = nn.Linear(h, len(bio), device="meta")
    return dict(n_io=len(io), n_bio=len(bio), P=sum(p.numel() for p in head.parameters()))


def chain_ner_bilstm(V: int, d: int, h: int, K: int, gold: str, pred: str) -> dict[str, Any]:
    import re

    tags = ["O", *(f"{prefix}-{k}" for k in range(K) for prefix in "BI")]
    layers = nn.ModuleList(
        [
            nn.Embedding(V, d, device="meta"),
            nn.LSTM(d, h, bidirectional=True, device="meta"),
            nn.Linear(2 * h, len(tags), device="meta"),
        ]
    )
    loss = F.cross_entropy(torch.zeros(1, len(tags)), torch.tensor([0]))
    pairs = list(zip(gold.split(), pred.split(), strict=True))

    def entities(text: str) -> set[tuple[int, str]]:
        # Each entity by its place in the text and by its tags.
        return {(len(text[: m.start()].split()), m[0]) for m in re.finditer(r"B-(\w+)(?: I-\1)*(?!\S)", text)}

    true, predicted = entities(gold), entities(pred)
    return dict(
        n=len(tags),
        P=sum(p.numel() for p in layers.parameters()),
        L=loss,
        acc=sum(a == b for a, b in pairs) / len(pairs),
        F1=2 * len(true & predicted) / (len(true) + len(predicted)),
    )
