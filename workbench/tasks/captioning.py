"""Captioning: a sentence about an image, word by word."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data.picture_file import square
from workbench.data.scaling import z_score
from workbench.data.scene_captions import END, START
from workbench.data.sources import Batch, Resident, Source, StandardizedBytes
from workbench.data.words import PAD_TOKEN
from workbench.errors import UserError
from workbench.tasks.base import Baseline, Metrics, StepContext, Task, Visualization, device_of, evaluation_mode
from workbench.tasks.sampling import SampleRequest, choose

MAX_LENGTH = 20  # words of a caption
VISUALIZED_IMAGES = 6
GREEDY = SampleRequest(temperature=0)


class Captioning(Task):
    """Cross-entropy per word; for captions by greedy search: exact matches, BLEU, and the words for colors and shapes.

    A batch holds `image` (N, 3, height, width), standardized, and `captions` (N, references, length): tokens from the
    start to the end, padded with 0. A network returns the logits of the word after each; it also has methods
    `start` and `step`, with which captions are generated.

    - `exact`: the share of captions that are equal to one of the sentences of their image
    - `bleu`: sacrebleu's BLEU of the corpus, 0 to 100, with all sentences of an image as references
    - `names`: the share of an image's words for colors and shapes that its caption has
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        if not (hasattr(network, "start") and hasattr(network, "step")):
            raise UserError("This network writes no captions. Choose captioner: see 'workbench models list'.")
        splits = data.load(self.data, seed)
        scaler = z_score(splits["train"][0], axis=None)
        return {
            split: Resident(
                image=StandardizedBytes(torch.from_numpy(images), float(scaler.shift), float(scaler.spread)),
                captions=torch.from_numpy(captions),
            )
            for split, (images, captions) in splits.items()
        }

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Tensor:
        logits: Tensor = network(batch["image"], batch["captions"][:, :, :-1])
        return logits

    def losses(self, outputs: Tensor, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        targets = batch["captions"][:, :, 1:].flatten()
        return {"loss": F.cross_entropy(outputs.flatten(0, 2), targets, ignore_index=PAD_TOKEN)}

    def weight(self, batch: Batch) -> int:
        return int((batch["captions"][:, :, 1:] != PAD_TOKEN).sum())

    @torch.inference_mode()
    def evaluate(self, network: nn.Module, source: Source, limit: int | None = None) -> Metrics:
        metrics = super().evaluate(network, source, limit)
        count, size = min(len(source), limit or len(source)), self.evaluation_batch(network)
        captions: list[list[str]] = []
        references: list[list[list[str]]] = []
        for start in range(0, count, size):
            batch = source.batch(slice(start, min(start + size, count)))
            captions += self.write(network, batch["image"].to(device_of(network)))
            references += [[self._words(row) for row in rows] for rows in batch["captions"].tolist()]
        return metrics | caption_scores(captions, references)

    def write(self, network: Any, image: Tensor, request: SampleRequest = GREEDY) -> list[list[str]]:
        """Return the words of a caption for each image (N, 3, height, width)."""
        generator = request.generator()
        vocabulary = data.word_vocabulary(self.data)
        end = vocabulary.index(END)
        with evaluation_mode(network), torch.inference_mode():
            if request.beams > 1:
                return [self._words(beam_search(network, one[None], vocabulary, request.beams)) for one in image]
            state = network.start(image)
            token = torch.full((len(image),), vocabulary.index(START), device=image.device)
            tokens: list[Tensor] = []
            is_done = torch.zeros(len(image), dtype=torch.bool)
            while len(tokens) < (request.length or MAX_LENGTH) and not is_done.all():
                logits, state = network.step(token, state)
                selected = choose(_allowed(logits.float().cpu(), vocabulary), request, generator)
                tokens.append(torch.where(is_done, end, selected))
                is_done |= selected == end
                token = tokens[-1].to(image.device)
        return [self._words(row) for row in torch.stack(tokens, dim=1).tolist()]

    def _words(self, tokens: Iterable[int]) -> list[str]:
        """Return the words of a caption, up to its end."""
        names = [data.word_vocabulary(self.data)[token] for token in tokens if token != PAD_TOKEN]
        names = names[: names.index(END)] if END in names else names
        return [name for name in names if name != START]

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the BLEU of the most frequent sentence of the training set."""
        splits = data.load(self.data, seed)
        counts = Counter(tuple(row) for rows in splits["train"][1].tolist() for row in rows)
        caption = self._words(counts.most_common(1)[0][0])
        references = [[self._words(row) for row in rows] for rows in splits["test"][1].tolist()]
        return Baseline(
            "the most frequent sentence", "bleu", caption_scores([caption] * len(references), references)["bleu"]
        )

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return images with their captions by greedy search."""
        return [self._describe(network, source.batch(slice(0, VISUALIZED_IMAGES)), GREEDY)]

    def _describe(self, network: nn.Module, batch: Batch, request: SampleRequest) -> Visualization:
        image = batch["image"]
        captions = self.write(network, image.to(device_of(network)), request)
        low, high = image.amin(), image.amax()
        pixels = ((image - low) / (high - low).clamp(min=1e-6)).permute(0, 2, 3, 1).double().round(decimals=2)
        references = batch["captions"].tolist() if "captions" in batch else [[]] * len(image)
        return {
            "kind": "captions",
            "images": [
                {"pixels": rows, "caption": caption, "references": [self._words(row) for row in true]}
                for rows, caption, true in zip(pixels.tolist(), captions, references, strict=True)
            ],
        }

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        """Return captions of the first test images, or of the image file that the prompt names."""
        if request.prompt:
            return [self._describe(network, self._read(request.prompt, seed), request)]
        batch = self.sources(network, seed)["test"].batch(slice(0, request.count))
        return [self._describe(network, batch, request)]

    def encode(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the vector of each image (N, features)."""
        encoding: Tensor = network.encode(batch["image"])  # type: ignore[operator]
        return encoding

    @property
    def questions(self) -> Mapping[str, str]:
        return {"image": "an image file", "scene": "the number of a test image, from 0", "beams": "1 to 64; default: 1"}

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the caption of an image file or of a test image."""
        self.check_question(question)
        if ("image" in question) == ("scene" in question):
            raise UserError("Ask about one image: image=FILE, or scene=NUMBER for a test image.")
        request = SampleRequest(temperature=0, beams=_integer(question, "beams", 1))
        if "image" in question:
            return self._describe(network, self._read(question["image"], seed), request)
        source, number = self.sources(network, seed)["test"], _integer(question, "scene", 0)
        if not 0 <= number < len(source):
            raise UserError(f"scene must be an integer from 0 to {len(source) - 1}, not {number}.")
        return self._describe(network, source.batch(slice(number, number + 1)), request)

    def _read(self, path: str, seed: int) -> Batch:
        channels, size, _ = self.dataset.shape
        scaler = z_score(data.load(self.data, seed)["train"][0], axis=None)
        return {"image": torch.from_numpy(scaler(square(Path(path), size, channels)[None].astype(np.float32)))}


def _integer(question: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(question.get(name, "").strip() or default)
    except ValueError:
        raise UserError(f"{name} must be an integer, not {question[name][:40]!r}.") from None


def _allowed(logits: Tensor, vocabulary: Sequence[str]) -> Tensor:
    """Return logits that are -infinity for tokens that no caption has."""
    logits[:, : vocabulary.index(END)] = -torch.inf  # <pad>, <unk>, <start>
    return logits


def beam_search(network: Any, image: Tensor, vocabulary: Sequence[str], beams: int) -> list[int]:
    """Return the tokens of the caption with the largest mean log-probability per token among those that are finished.

    At each step, the `beams` most probable unfinished captions remain; the search ends once that many are finished.

    Args:
        network: A captioner.
        image: One image (1, 3, height, width).
        vocabulary: The word of each token.
        beams: The number of captions that remain.
    """
    end = vocabulary.index(END)
    state = network.start(image)
    sequences, scores, finished = [[vocabulary.index(START)]], torch.zeros(1), []
    for _ in range(MAX_LENGTH):
        logits, state = network.step(torch.tensor([row[-1] for row in sequences], device=image.device), state)
        totals = scores[:, None] + _allowed(logits.float().cpu(), vocabulary).log_softmax(dim=1)
        best = totals.flatten().topk(min(2 * beams, int(totals.isfinite().sum())))
        parents, tokens = best.indices // totals.shape[1], best.indices % totals.shape[1]
        extended = [
            ([*sequences[parent], token], score, parent)
            for parent, token, score in zip(parents.tolist(), tokens.tolist(), best.values.tolist(), strict=True)
        ]
        finished += [(score / (len(row) - 1), row) for row, score, _ in extended if row[-1] == end]
        unfinished = [item for item in extended if item[0][-1] != end][:beams]
        if len(finished) >= beams or not unfinished:
            break
        sequences, scores = [row for row, _, _ in unfinished], torch.tensor([score for _, score, _ in unfinished])
        rows = torch.tensor([parent for _, _, parent in unfinished], device=image.device)
        state = tuple(part.index_select(1, rows) for part in state)
    return max(finished)[1] if finished else sequences[0]


def caption_scores(captions: Sequence[list[str]], references: Sequence[Sequence[list[str]]]) -> dict[str, float]:
    """Return the share of exact matches, the BLEU of the corpus, and the share of names of colors and shapes.

    Args:
        captions: The words of a caption for each image.
        references: The words of the sentences about each image, as many for each.
    """
    from sacrebleu import corpus_bleu

    lines = [" ".join(caption) for caption in captions]
    columns = [[" ".join(sentence) for sentence in column] for column in zip(*references, strict=True)]
    bleu = corpus_bleu(lines, columns, tokenize="none", force=True).score
    exact = sum(caption in true for caption, true in zip(captions, references, strict=True))
    hits = total = 0
    for caption, (first, *_) in zip(captions, references, strict=True):
        names = Counter(word for word in first if word not in FUNCTION_WORDS)
        hits += (names & Counter(caption)).total()
        total += names.total()
    return {"bleu": bleu, "exact": exact / max(1, len(captions)), "names": hits / max(1, total)}


FUNCTION_WORDS = ("a", "left", "right", "of", "above", "below")
