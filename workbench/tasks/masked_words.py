"""BERT's pre-training: the words that are masked, and whether a sentence follows another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.tokens import PAD
from models.transformers.bert import Bert
from workbench import data
from workbench.data import words
from workbench.data.sources import Batch, Merged, Ragged, Resident, Source
from workbench.errors import UserError
from workbench.tasks import neighbors_baseline, text_attention
from workbench.tasks.base import Baseline, Metrics, StepContext, Task, Visualization
from workbench.tasks.masking import MaskedPairs, SpecialTokens, make_pairs
from workbench.tasks.sentence_classification import read_sentence
from workbench.tasks.text_attention import CLS, MASK, SEP

EVALUATED_AT_ONCE = 256  # pairs
VISUALIZED, LISTED = 6, 5  # pairs, and words for each that is masked
MASKED_PLACE = re.compile(re.escape(MASK), re.IGNORECASE)


@dataclass
class Outputs:
    """The outputs of a network for a batch.

    Attributes:
        pairs: What it read, and what it has to predict.
        logits: Of the words that have to be predicted (chosen tokens, vocabulary), in order.
        relation: Logits of whether the second sentence follows the first (N, 2); 0 stands for yes, as in the paper.
    """

    pairs: MaskedPairs
    logits: Tensor
    relation: Tensor

    @property
    def targets(self) -> Tensor:
        """The words that have to be predicted (chosen tokens,)."""
        return self.pairs.targets[self.pairs.is_chosen]

    @property
    def relation_target(self) -> Tensor:
        """0 where the second sentence follows the first (N,), 1 elsewhere."""
        return (~self.pairs.is_next).long()


class MaskedWords(Task):
    """The sum of two cross-entropies, of the masked words and of the relation of the sentences; accuracies, perplexity.

    A batch holds `first` and `second` (N, length), consecutive sentences, padded with 0, and `passage`
    (N,). Other second sentences and masks are drawn again in every training step; in an evaluation, they are always the
    same.
    """

    is_stackable = False

    @property
    def vocabulary(self) -> int:
        """The number of words, `<pad>` and `<unk>` included."""
        return self.dataset.sizes["vocabulary"]

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        read_as_bert(network, self.vocabulary)
        return self._sources(seed)

    def _sources(self, seed: int) -> dict[str, Source]:
        sources: dict[str, Source] = {}
        for split, (passages,) in data.load(self.data, seed).items():
            numbers, places = np.nonzero(passages[:, 1:].any(axis=2))
            columns = {"first": passages[numbers, places], "second": passages[numbers, places + 1]}
            sentences = [
                Ragged.from_padded(name, torch.from_numpy(tokens), torch.from_numpy(tokens != words.PAD_TOKEN))
                for name, tokens in columns.items()
            ]
            sources[split] = Merged(*sentences, Resident(passage=torch.from_numpy(numbers)))
        return sources

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Outputs:
        pairs = make_pairs(batch, special_tokens(network), self.vocabulary, context.generator)
        outputs = network(pairs.words, pairs.segments)
        return Outputs(pairs, outputs["words"][pairs.is_chosen], outputs["relation"])

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        masked = F.cross_entropy(outputs.logits, outputs.targets)
        relation = F.cross_entropy(outputs.relation, outputs.relation_target)
        return {"loss": masked + relation, "mlm_loss": masked, "nsp_loss": relation}

    def weight(self, batch: Batch) -> int:
        return len(batch["passage"])

    def meter(self) -> "PretrainingMeter":
        return PretrainingMeter()

    def evaluation_batch(self, network: nn.Module) -> int:
        return EVALUATED_AT_ONCE

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the accuracy of the word that fits best between its two neighbors."""
        sources = self._sources(seed)
        model = neighbors_baseline.Neighbors(sources["train"].batch(slice(None)), self.vocabulary)
        special, generator = model.special, StepContext().generator
        hits, count, follows = 0, 0, 0
        test = sources["test"]
        for start in range(0, len(test), EVALUATED_AT_ONCE):
            batch = test.batch(slice(start, min(start + EVALUATED_AT_ONCE, len(test))))
            pairs = make_pairs(batch, special, self.vocabulary, generator)
            predicted = model.predict(pairs.words, pairs.is_chosen)
            hits += int((predicted == pairs.targets[pairs.is_chosen]).sum())
            count += len(predicted)
            follows += int(pairs.is_next.sum())
        larger = max(follows, len(test) - follows) / len(test)
        method = f"the best word between its neighbors by bigrams (NSP: the larger class, {larger:.3f})"
        return Baseline(method, "mlm_accuracy", hits / count)

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return pairs of sentences with the most probable words where some are masked."""
        batch = source.batch(slice(0, min(EVALUATED_AT_ONCE, len(source))))
        outputs = self.predict(network, batch)
        pairs, names = outputs.pairs, self._names(network)
        rows = pairs.is_chosen.nonzero()
        probabilities = outputs.logits.cpu()[:, : self.vocabulary].softmax(dim=1)
        visualizations: list[Visualization] = []
        for k in range(min(VISUALIZED, len(pairs.words))):
            blanks = [
                {
                    "position": int(position),
                    "target": names[int(pairs.targets[k, position])],
                    **self._best(probabilities[row]),
                }
                for row, (sample, position) in enumerate(rows.tolist())
                if sample == k
            ]
            sentence = [names[token] for token in pairs.words[k].tolist() if token != PAD]
            relation = {
                "probability": float(outputs.relation[k].softmax(dim=0)[0]),
                "target": bool(pairs.is_next[k]),
            }
            visualizations.append({"kind": "masked-words", "sentence": sentence, "blanks": blanks, "next": relation})
        return visualizations

    def _names(self, network: nn.Module) -> dict[int, str]:
        special = special_tokens(network)
        names = dict(enumerate(data.word_vocabulary(self.data)))
        return names | {special.cls: CLS, special.sep: SEP, special.mask: MASK}

    def _best(self, probabilities: Tensor) -> dict[str, Any]:
        """Return the most probable words and their probabilities, without `<pad>` and `<unk>`."""
        vocabulary = data.word_vocabulary(self.data)
        values, tokens = probabilities[words.UNKNOWN_TOKEN + 1 :].topk(min(LISTED, self.vocabulary - 2))
        return {
            "words": [vocabulary[token + words.UNKNOWN_TOKEN + 1] for token in tokens.tolist()],
            "probabilities": values.double().numpy().round(4).tolist(),
        }

    @property
    def questions(self) -> Mapping[str, str]:
        """A sentence with masked words, another one, and which attention is shown."""
        return {
            "text": f"a sentence with {MASK} for each word to fill in",
            "next": "another sentence: whether it follows the first",
            **text_attention.QUESTIONS,
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the most probable words where a sentence is masked, and whether another one follows it.

        With a layer or a head, the answer is the attention.
        """
        self.check_question(question)
        first, about = self._read(network, question.get("text", ""), seed)
        second, unknown, labels = None, about["unknown"], text_attention.label(about["sentence"], about["unknown"])
        if question.get("next", "").strip():
            second, other = self._read(network, question["next"], seed)
            unknown = [*unknown, *other["unknown"]]
            labels += text_attention.label(other["sentence"], other["unknown"])[1:]
        tokens, segments = read_as_bert(network, self.vocabulary).join(first, second)
        batch = {"words": tokens, "segments": segments}
        if text_attention.is_requested(question):
            run = lambda: network(tokens, segments)  # noqa: E731
            return text_attention.visualize(network, run, labels, question) | {"unknown": unknown}
        places = (tokens[0] == special_tokens(network).mask).nonzero()[:, 0].tolist()
        if not places and second is None:
            raise UserError(
                f"Write {MASK} for a word to fill in, such as text='the {MASK} was good', or give a second sentence: "
                "next=TEXT."
            )
        with torch.inference_mode():
            outputs = network(batch["words"], batch["segments"])
        probabilities = outputs["words"][0, places, : self.vocabulary].softmax(dim=1)
        answer: Visualization = {
            "kind": "masked-words",
            "sentence": labels,
            "blanks": [
                {"position": place, **self._best(row)} for place, row in zip(places, probabilities, strict=True)
            ],
            "unknown": unknown,
        }
        if second is not None:
            answer["next"] = {"probability": float(outputs["relation"][0].softmax(dim=0)[0])}
        return answer

    def _read(self, network: nn.Module, text: str, seed: int) -> tuple[Tensor, dict[str, Any]]:
        """Return the tokens of a text (1, length), its words, and the unknown ones.

        Raises:
            UserError: If it is empty or too long.
        """
        first, *others = MASKED_PLACE.split(text)
        sentence = words.split_words(first)
        for part in others:
            sentence += [MASK, *words.split_words(part)]
        batch, about = read_sentence(sentence, self.data, seed)
        is_masked = torch.tensor([[word == MASK for word in sentence]])
        tokens = batch["words"].masked_fill(is_masked, special_tokens(network).mask)
        return tokens, {**about, "unknown": [word for word in about["unknown"] if word != MASK]}


class PretrainingMeter:
    """The accuracy and the perplexity of the masked words, and the accuracy of the relation."""

    def __init__(self) -> None:
        self._sums: list[Tensor] = []

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        losses = F.cross_entropy(outputs.logits, outputs.targets, reduction="sum")
        hits = (outputs.logits.argmax(dim=1) == outputs.targets).sum()
        related = (outputs.relation.argmax(dim=1) == outputs.relation_target).sum()
        counts = losses.new_tensor([len(outputs.targets), len(outputs.relation)])
        self._sums.append(torch.cat([torch.stack([losses, hits.to(losses), related.to(losses)]), counts]).detach())

    def compute(self) -> Metrics:
        """Return the metrics of all batches so far."""
        loss, hits, related, words_count, pairs = torch.stack(self._sums).cpu().double().sum(dim=0).tolist()
        return {
            "mlm_accuracy": hits / words_count,
            "nsp_accuracy": related / pairs,
            "mlm_perplexity": float(np.exp(loss / words_count)),
        }


def read_as_bert(network: nn.Module, vocabulary: int) -> Bert:
    """Return a network as one that can be pre-trained.

    Raises:
        UserError: If it is not one, or has fewer tokens than the vocabulary.
    """
    if not (hasattr(network, "mask_token") and getattr(network, "cls", None) is not None):
        raise UserError(
            "This network predicts no masked words. Choose bert, with the heads of pre-training: see 'workbench models "
            "list'."
        )
    bert = cast(Bert, network)
    special = special_tokens(network)
    if bert.vocab_size < vocabulary or min(special.cls, special.sep, special.mask) < vocabulary:
        raise UserError(
            f"This network has {bert.vocab_size} tokens, and the sentences need {vocabulary} besides the special ones. "
            "Set its vocab_size to that, or leave out vocab_size and special_tokens."
        )
    return bert


def special_tokens(network: Any) -> SpecialTokens:
    """Return the tokens [CLS], [SEP] and [MASK] of a network."""
    return SpecialTokens(network.cls_token, network.sep_token, network.mask_token)


TASK = MaskedWords(
    data="passages",
    title="fill in masked words, and tell whether a sentence follows",
    inputs=dict(words="int64[length]", segments="int64[length]"),
    outputs=dict(words="float32[length, vocabulary]", relation="float32[relations]"),
    metrics=dict(mlm_accuracy="max", nsp_accuracy="max", mlm_perplexity="min"),
)
