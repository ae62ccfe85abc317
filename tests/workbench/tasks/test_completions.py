"""Stories, questions about them and summaries: what is learned, generated and scored."""

import re

import pytest
import torch
from torch.nn import functional as F

import models
from workbench import data, tasks
from workbench.data import stories, story_questions, story_summaries
from workbench.errors import UserError
from workbench.tasks.base import StepContext
from workbench.tasks.completions import complete, rouge_l
from workbench.tasks.language_modeling import IGNORED
from workbench.tasks.sampling import SampleRequest

torch.set_num_threads(1)
NAMES = ["story-questions", "story-summaries"]
FACT = re.compile(r"(\w+) (left|ate|reached) (\w+)(?: by (\w+))?\.")


@pytest.fixture(scope="module", params=NAMES)
def task(request):
    return tasks.get(request.param)


@pytest.fixture(scope="module")
def network(task):
    torch.manual_seed(0)
    return models.build("gpt", "mini", vocab_size=512, num_layers=1, embedding_size=32).eval()


def facts(prompt):
    return {(name, deed): (place, vehicle) for name, deed, place, vehicle in FACT.findall(prompt)}


def test_answers_are_in_the_story():
    for prompt, answer in story_questions.load()[:300]:
        deeds, question = facts(prompt), prompt.partition("question: ")[2]
        name = re.search(r"did (\w+)", question)[1]
        kind = question.partition("?")[0].replace(f"{name} ", "")
        deed = {"where did go": "reached", "what did eat": "ate"}.get(kind, "left")
        place, vehicle = deeds[name, deed]
        expected = f"by {vehicle}" if kind == "how did travel" else place
        assert answer == f" {expected}\n"


def test_summaries_are_those_of_the_story():
    for prompt, summary in story_summaries.load()[:300]:
        deeds = facts(prompt)
        names = [name for name, deed in deeds if deed == "left"]
        journeys = [f"{name} went from {deeds[name, 'left'][0]} to {deeds[name, 'reached'][0]}" for name in names]
        assert summary == f" {' and '.join(journeys)}.\n"


def test_stories_are_learned_with_the_tokens_of_the_questions():
    tokenizer = data.tokenizer("stories")
    assert tokenizer.size <= data.info("stories").sizes["vocabulary"] == 512
    for name in NAMES:
        assert data.info(name).sizes == data.info("stories").sizes and data.tokenizer(name) is tokenizer
    assert len(stories.load()) == data.info("stories").samples
    prompt, answer = story_questions.load()[0]
    assert len(tokenizer.encode(prompt + answer)) <= len(re.findall(r"\w+|[.?:\n]", prompt + answer)) + 2


def test_a_sample_of_the_stories_is_a_whole_line():
    task = tasks.get("stories")
    lines = set(stories.load().split("\n"))
    for max_length in (64, 20):
        network = models.build("gpt", "mini", vocab_size=512, num_layers=1, max_length=max_length)
        batch = task.sources(network, seed=0)["test"].batch(slice(0, 40))
        assert batch["tokens"].shape[1] <= max_length
        for tokens, targets in zip(batch["tokens"].tolist(), batch["targets"].tolist(), strict=True):
            targets = [token for token in targets if token != IGNORED]
            text = task.tokenizer.decode([tokens[0], *targets])
            assert text[:-1] in lines if max_length == 64 else any(line.startswith(text) for line in lines)
            assert tokens[1 : len(targets)] == targets[:-1]
    metrics = task.evaluate(network, task.sources(network, seed=0)["test"], limit=40)
    assert metrics["perplexity"] == pytest.approx(torch.tensor(metrics["loss"]).exp().item(), rel=1e-4)


def test_the_loss_is_that_of_the_completion_alone(task, network):
    source = task.sources(network, seed=0)["validation"]
    batch = source.batch(slice(0, 5))
    outputs = task.forward(network, batch, StepContext())
    total, count = 0.0, 0
    for row in range(5):
        tokens = task.tokenizer.encode("".join(task._texts_of(batch)[row])).tolist()
        logits = network(torch.tensor([tokens[:-1]]))[0]
        start = int(batch["start"][row])
        total += F.cross_entropy(logits[start - 1 :], torch.tensor(tokens[start:]), reduction="sum").item()
        count += len(tokens) - start
    assert task.losses(outputs, batch, StepContext())["loss"].item() == pytest.approx(total / count, rel=1e-4)
    assert task.weight(batch) == count == int((batch["targets"] != IGNORED).sum())


def test_completions_are_generated_as_one_by_one_without_a_cache(task, network):
    batch = task.sources(network, seed=0)["validation"].batch(slice(0, 6))
    texts = complete(network, task.tokenizer, batch)
    for row, text in enumerate(texts):
        tokens = batch["tokens"][row, : batch["start"][row]].tolist()
        generated = []
        for _ in range(40):
            logits = network(torch.tensor([[*tokens, *generated][-64:]]))[0, -1, : task.tokenizer.size]
            generated.append(int(logits.argmax()))
        assert text == task.tokenizer.decode(generated).partition("\n")[0].strip()


def test_a_perfect_network_has_perfect_scores(task):
    class Oracle(torch.nn.Module):
        """A network that knows the token after each token of each text."""

        def __init__(self, source):
            super().__init__()
            batch = source.batch(slice(None))
            self.next = {}
            for tokens, targets in zip(batch["tokens"].tolist(), batch["targets"].tolist(), strict=True):
                for k, target in enumerate(targets):
                    if target != IGNORED:
                        self.next[tuple(tokens[: k + 1])] = target

        def forward(self, tokens):
            logits = torch.zeros(*tokens.shape, 512)
            for row, text in enumerate(tokens.tolist()):
                for k in range(len(text)):
                    logits[row, k, self.next.get(tuple(text[: k + 1]), 0)] = 9
            return logits

        def step(self, token, cache=None):
            tokens = token[:, None] if cache is None else torch.cat([cache, token[:, None]], dim=1)
            return self(tokens)[:, -1], tokens

        def example_inputs(self, batch_size=1):
            return (torch.zeros(batch_size, 64, dtype=torch.int64),)

    source = task.sources(models.build("gpt", "mini"), seed=0)["validation"]
    few = type(source)(**source.batch(slice(0, 12)))
    metrics = task.evaluate(Oracle(few), few)
    assert metrics["exact_match"] == metrics["rouge_l"] == metrics["token_accuracy"] == 1
    assert metrics.keys() - {"loss"} == task.info.metrics.keys()
    [visualization] = task.visualize(Oracle(few), few)
    assert all(text["caption"] == "correct" for text in visualization["texts"])


def test_the_baselines_are_low_but_not_zero(task):
    baseline = task.compute_baseline(seed=0)
    assert 0.03 < baseline.value < 0.4 and baseline.metric == next(iter(task.info.metrics))


@pytest.mark.parametrize(
    ("text", "reference", "score"),
    [("a b c d", "a c d", 6 / 7), ("a b", "b a", 0.5), ("", "a", 0), ("a b", "a b", 1), ("x", "y z", 0)],
)
def test_rouge_l_is_the_f1_of_the_longest_common_subsequence(text, reference, score):
    assert rouge_l(text, reference) == pytest.approx(score) == pytest.approx(rouge_l(reference, text))


def test_a_question_of_your_own_is_answered_up_to_the_line_break(task, network):
    [visualization] = task.sample(network, SampleRequest("anna left rome by train.", count=2, length=30), seed=0)
    assert len(visualization["samples"]) == 2 and not any("\n" in answer for answer in visualization["samples"])
    assert task.respond(network, {"prompt": "anna", "next": "3"}, seed=0)["kind"] == "next-token"


def test_networks_that_do_not_fit_are_one_sentence(task):
    with pytest.raises(UserError, match="the network reads at most 16: set its max_length to"):
        task.sources(models.build("gpt", "mini", vocab_size=512, max_length=16), seed=0)
    small = models.build("gpt", "mini", vocab_size=100)
    with pytest.raises(UserError, match="100 tokens, and the text needs 512"):
        task.check(small, task.sources(small, seed=0)["train"])
