"""Mean average precision: procedures."""

from collections.abc import Iterator

from quizzes.content.object_detection.map.formulas import AP
from quizzes.content.object_detection.map.ranking import (
    COCO_RECALLS,
    VOC_RECALLS,
    Number,
    check_hits,
    envelope,
    interpolate,
    precisions,
    recalls,
)
from quizzes.procedure import State, list_text, number_text, procedure
from quizzes.question import Params, Visualization


@procedure(
    "ap",
    AP,
    title="Average precision of a ranked list, rank by rank",
    example=dict(hits=[1, 0, 1, 1, 0, 1], n=5),
)
def average_precision(hits: list[Number], n: Number) -> Iterator[State]:
    """Find precision and recall at each rank, the envelope, and its mean in three conventions."""
    check_hits(hits, n)
    P, R, E = precisions(hits), recalls(hits, n), envelope(hits)
    values: Params = {}

    def state(caption: str, ranks: int, best: bool, **new: object) -> State:
        values.update(new)
        data = dict(hits=hits[:ranks], n=n, envelope=E if best else [])
        return State(caption, dict(values), Visualization("precision-recall", data))

    for rank, hit in enumerate(hits, 1):
        count = sum(hits[:rank])
        kind = "correct" if hit else "a false positive"
        yield state(
            f"Rank {rank} is {kind}. Precision is {number_text(count)}/{rank} = {number_text(P[rank - 1])}, and recall "
            f"is {number_text(count)}/{number_text(n)} = {number_text(R[rank - 1])}.",
            rank,
            best=False,
            rank=rank,
            TP=count,
            P=P[:rank],
            R=R[:rank],
        )
    yield state(
        "Take the best precision at each rank or below, because a lower score threshold that reaches more recall with "
        f"more precision can be used instead: {list_text(E)}.",
        len(hits),
        best=True,
        E=E,
    )
    steps = [e for e, hit in zip(E, hits, strict=True) if hit]
    area = sum(steps) / n
    yield state(
        f"Each correct detection adds a step of 1/{number_text(n)} in recall. The area under the envelope, with every "
        f"recall, is ({' + '.join(map(number_text, steps)) or '0'})/{number_text(n)} = {number_text(area)}.",
        len(hits),
        best=True,
        AP=area,
    )
    p, coco = interpolate(hits, n, VOC_RECALLS), interpolate(hits, n, COCO_RECALLS)
    eleven, all_recalls = sum(p) / len(p), sum(coco) / len(coco)
    yield state(
        f"At the recalls 0, 0.1, ..., 1, the envelope is {list_text(p)}. Its mean over {len(p)} recalls is "
        f"{number_text(eleven)}.",
        len(hits),
        best=True,
        recalls=VOC_RECALLS,
        p=p,
        count=len(p),
        AP11=eleven,
    )
    yield state(
        f"At the {len(coco)} recalls 0, 0.01, ..., 1, as in COCO, its mean is {number_text(all_recalls)}.",
        len(hits),
        best=True,
        count=len(coco),
        step=COCO_RECALLS[1],
        AP101=all_recalls,
    )
