"""Translation: a text into another one, by any network that encodes a source and decodes a target token by token.

In training, the network reads the true target, shifted by one (teacher forcing). Of a translation, it reads its own
outputs: after an error, it continues from a text that it has never read in training. This is exposure bias (Ranzato et
al. 2016). `forced_accuracy` is the accuracy of the next token after the true ones, `token_accuracy` the accuracy at the
same position of a translation of its own; the first is higher by what errors cost later tokens.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.tokens import END, PAD, START, UNKNOWN
from workbench import data
from workbench.data import pairs
from workbench.data.sources import Batch, Merged, Ragged, Source
from workbench.errors import UserError
from workbench.tasks import nearest_text, text_attention
from workbench.tasks.base import (
    VISUALIZED_SAMPLES,
    Baseline,
    Metrics,
    StepContext,
    Task,
    Visualization,
    evaluation_mode,
)
from workbench.tasks.beam_search import beam_search, decode
from workbench.tasks.sampling import SampleRequest, choose
from workbench.tasks.translation_scores import TranslationMeter, correct_tokens, score, texts_of
from workbench.tasks.translator import Outputs, Translator, allowed, check_network, read_as_translator

TRANSLATED, MATRICES = 400, 3  # validation samples that are translated, and drawn with their attention
GROUPS = 8  # of lengths
MAX_SOURCE, MAX_ALPHA = 1000, 10.0  # of a question


class Translation(Task):
    """Cross-entropy per token of the target, BLEU, exact match and accuracy.

    A batch holds `source` and `target` (N, length), which end with `END`, and `target_in`, the target shifted by one;
    shorter texts are padded with `PAD`, which has no part in losses and metrics.
    """

    @property
    def max_length(self) -> int:
        """The largest number of tokens of a translation: that of the longest target, its end included."""
        return self.dataset.sizes["longest_target"]

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        check_network(network)
        sources: dict[str, Source] = {}
        for split, (source, target) in data.load(self.data, seed).items():
            start = np.full((len(target), 1), START)
            # The token before each token of the target: START, then the target itself.
            before = np.where(target != PAD, np.concatenate([start, target[:, :-1]], axis=1), PAD)
            columns = dict(source=source, target_in=before, target=target)
            sources[split] = Merged(*(_ragged(name, column) for name, column in columns.items()))
        return sources

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Outputs:
        return Outputs(cast(Translator, network), network(batch["source"], batch["target_in"]), self.max_length)

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        logits, target = outputs.logits.flatten(0, 1), batch["target"].flatten()
        smoothing = self.label_smoothing if context.is_training else 0.0
        return {"loss": F.cross_entropy(logits, target, ignore_index=PAD, label_smoothing=smoothing)}

    def weight(self, batch: Batch) -> int:
        return int((batch["target"] != PAD).sum())

    def meter(self) -> TranslationMeter:
        return TranslationMeter()

    def training_metrics(self, outputs: Outputs, batch: Batch) -> Metrics:
        """Return the accuracy under teacher forcing: nothing is translated in a training step."""
        return {"forced_accuracy": float(correct_tokens(outputs.logits, batch["target"])) / self.weight(batch)}

    def check(self, network: nn.Module, source: Source) -> list[str]:
        sizes = self.dataset.sizes
        batch = {
            "source": torch.tensor([[sizes["source_vocabulary"] - 1]]),
            "target_in": torch.tensor([[sizes["target_vocabulary"] - 1]]),
        }
        try:
            is_large_enough = self.predict(network, batch).logits.shape[2] >= sizes["target_vocabulary"]
        except IndexError:
            is_large_enough = False
        if not is_large_enough:
            raise UserError(
                f"This network has too few tokens: set its source_vocab_size to {sizes['source_vocabulary']} and its "
                f"target_vocab_size to {sizes['target_vocabulary']}, or leave both out."
            )
        return super().check(network, source)

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the BLEU of the targets of those training sources that are closest by edit distance."""
        splits = data.load(self.data, seed)
        rows, nearest = nearest_text.find(splits["train"][0], splits["test"][0])
        predicted, references = (
            texts_of(torch.from_numpy(column)) for column in (splits["train"][1][nearest], splits["test"][1][rows])
        )
        return Baseline(
            "the target of the nearest source by edit distance", "bleu", score(predicted, references)["bleu"]
        )

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return translations next to their references, some with their attention, and the scores by length."""
        batch = source.batch(slice(0, min(TRANSLATED, len(source))))
        outputs = self.predict(network, batch)
        device = outputs.logits.device
        with evaluation_mode(network), torch.inference_mode():
            predicted = texts_of(outputs.translate(batch["source"].to(device)))
        sources, references = texts_of(batch["source"]), texts_of(batch["target"])
        rows = list(zip(sources, references, predicted, strict=True))
        visualizations = [self._describe(*row) for row in rows[:VISUALIZED_SAMPLES]]
        if hasattr(network, "attend"):
            visualizations += [
                {"kind": "attention", **self._attention(network, text, translation)}
                for text, _, translation in rows[:MATRICES]
            ]
        return [*visualizations, {"kind": "lengths", "rows": by_length(sources, references, predicted)}]

    def _describe(self, source: list[int], reference: list[int], predicted: list[int]) -> Visualization:
        characters = data.vocabularies(self.data)
        return {
            "kind": "translation",
            "source": pairs.decode(source, characters.source),
            "target": pairs.decode(reference, characters.target),
            "predicted": pairs.decode(predicted, characters.target),
        }

    @torch.inference_mode()
    def _attention(
        self, network: Any, source: list[int], target: list[int], question: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Return the weights of each token of a translation (row) for each token of its source (column).

        They are those that the network chooses, or those of the layer and the head of a question.

        Raises:
            UserError: If the network has no such layer or head.
        """
        characters = data.vocabularies(self.data)
        device = next(network.parameters()).device
        tokens = [torch.tensor([text], device=device) for text in ([*source, END], [START, *target])]
        with evaluation_mode(network):
            if question and text_attention.is_requested(question):
                weights = text_attention.select(network, lambda: network(*tokens), question, "multihead_attn")
            else:
                weights = network.attend(*tokens)[1][0]
        return {
            "columns": [_label(token, characters.source) for token in (*source, END)],
            "rows": [_label(token, characters.target) for token in (*target, END)],
            "weights": weights.double().cpu().numpy().round(4).tolist(),
        }

    @property
    def questions(self) -> Mapping[str, str]:
        return {
            "source": "the text to translate",
            "beams": "1 (greedy) to 64: the number of beams of a beam search; default: 1",
            "alpha": f"0 to {MAX_ALPHA:g}: scores are divided by length^alpha; default: 0, no normalization",
            **text_attention.QUESTIONS,
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the translation of a text, with the texts of the beams and the attention."""
        self.check_question(question)
        request = SampleRequest(question.get("source", ""), beams=int(_number(question, "beams", 1, int)))
        alpha = _number(question, "alpha", 0.0, float)
        if not 0 <= alpha <= MAX_ALPHA:
            raise UserError(f"alpha must be a number from 0 to {MAX_ALPHA:g}, not {alpha:g}.")
        return self._search(network, request, seed, alpha, question)

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        """Return translations of a text, or without one, of random sources of the validation set.

        They are drawn at random, or are those of a beam search.
        """
        generator, count = request.generator(), request.count
        if request.prompt and request.beams == 1:
            return self._draw(network, request, seed, count, generator)
        texts = [request.prompt] if request.prompt else self._validation_sources(seed, count, generator)
        if request.beams > 1:
            return [self._search(network, replace(request, prompt=text), seed, alpha=0.0) for text in texts]
        return [
            translation
            for text in texts
            for translation in self._draw(network, replace(request, prompt=text), seed, 1, generator)
        ]

    def _validation_sources(self, seed: int, count: int, generator: torch.Generator) -> list[str]:
        source, _ = data.load(self.data, seed)["validation"]
        rows = torch.randint(len(source), (count,), generator=generator)
        characters = data.vocabularies(self.data).source
        return [pairs.decode(text, characters) for text in source[rows.numpy()].tolist()]

    def _draw(
        self, network: nn.Module, request: SampleRequest, seed: int, count: int, generator: torch.Generator
    ) -> list[Visualization]:
        """Return translations of the prompt, drawn at random."""
        source, note = self._read(request.prompt, seed)
        translator = read_as_translator(network)
        with evaluation_mode(network), torch.inference_mode():
            state = translator.encode(torch.tensor([[*source, END]]).expand(count, -1))
            step = allowed(translator.step, self.dataset.sizes["target_vocabulary"])
            length = request.length or self.max_length
            tokens = decode(step, state, START, END, length, lambda logits: choose(logits, request, generator))
        characters = data.vocabularies(self.data)
        translations = [pairs.decode(text, characters.target) for text in texts_of(tokens)]
        return [{"kind": "translation", "source": request.prompt, "predicted": text, **note} for text in translations]

    def _search(
        self,
        network: nn.Module,
        request: SampleRequest,
        seed: int,
        alpha: float,
        question: Mapping[str, str] | None = None,
    ) -> Visualization:
        source, note = self._read(request.prompt, seed)
        translator = read_as_translator(network)
        with evaluation_mode(network), torch.inference_mode():
            state = translator.encode(torch.tensor([[*source, END]]))
            step = allowed(translator.step, self.dataset.sizes["target_vocabulary"])
            length = request.length or self.max_length
            hypotheses = beam_search(step, state, START, END, length, request.beams, alpha)
        characters = data.vocabularies(self.data)
        best = [token for token in hypotheses[0].tokens if token != END]
        answer = {
            "kind": "translation",
            "source": request.prompt,
            "predicted": pairs.decode(best, characters.target),
            "alpha": alpha,
            "hypotheses": [
                {**asdict(hypothesis), "text": pairs.decode(hypothesis.tokens, characters.target)}
                for hypothesis in hypotheses
            ],
            **note,
        }
        if hasattr(network, "attend"):
            # The labels are what was typed, unseen characters included.
            matrix = self._attention(network, source, best, question)
            answer["attention"] = matrix | {"columns": [*request.prompt, "end"]}
        return answer

    def _read(self, text: str, seed: int) -> tuple[list[int], dict[str, str]]:
        """Return the tokens of a text to translate, and a note of its characters that the training set lacks.

        Raises:
            UserError: If it is empty or too long.
        """
        if not text:
            raise UserError("There is nothing to translate. Give a text: source=TEXT, or a prompt.")
        if len(text) > MAX_SOURCE:
            raise UserError(
                f"The source has {len(text):,} characters, and at most {MAX_SOURCE:,} are read. Shorten it."
            )
        in_training = set(np.unique(data.load(self.data, seed)["train"][0]).tolist())
        tokens = pairs.encode(text, data.vocabularies(self.data).source)[:-1]
        tokens = [token if token in in_training else UNKNOWN for token in tokens]
        unseen = [character for character, token in zip(text, tokens, strict=True) if token == UNKNOWN]
        listed = " ".join(dict.fromkeys(unseen))
        return tokens, {"note": f"characters that the training set lacks: {listed}"} if unseen else {}

    def encode(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return all that the decoder's first state knows of each source (N, features)."""
        return read_as_translator(network).sentence_vector(batch["source"])


def by_length(
    sources: list[list[int]], references: list[list[int]], predicted: list[list[int]]
) -> list[dict[str, Any]]:
    """Return the scores of translations by the length of their source, in at most `GROUPS` groups of equal width."""
    lengths = np.array([len(source) for source in sources])
    shortest, longest = int(lengths.min()), int(lengths.max())
    width = -(-(longest - shortest + 1) // GROUPS)
    rows = []
    for low in range(shortest, longest + 1, width):
        high = min(low + width - 1, longest)
        members = np.flatnonzero((lengths >= low) & (lengths <= high)).tolist()
        if members:
            scores = score([predicted[k] for k in members], [references[k] for k in members])
            rows.append({"length": [low, high], "samples": len(members), **scores})
    return rows


def _ragged(name: str, tokens: np.ndarray) -> Ragged:
    mask = tokens != PAD
    offsets = np.concatenate([[0], mask.sum(axis=1).cumsum()])
    return Ragged(name, torch.from_numpy(tokens[mask]), torch.from_numpy(offsets))


def _label(token: int, characters: str) -> str:
    return "end" if token == END else pairs.decode([token], characters)


def _number(question: Mapping[str, str], name: str, default: float, kind: type[int] | type[float]) -> float:
    """Return a number of a question.

    Raises:
        UserError: If it is not one.
    """
    typed = question.get(name, "").strip()
    try:
        return kind(typed) if typed else default
    except ValueError:
        noun = "an integer" if kind is int else "a number"
        raise UserError(f"{name} must be {noun}, not {typed[:40]!r}.") from None
