"""Show and Tell: Vinyals, Toshev, Bengio, Erhan, Show and tell: a neural image caption generator (2015).

A convolutional network encodes an image as one vector. An LSTM reads this vector as if it were the first word, and then
predicts the words of a caption one by one: in training after each true word, afterwards after each word that it has
chosen itself, until it chooses the end. One network thus maps an image to a sentence of any length.

The paper preset has the paper's 512 features and hidden units, here with a small network for images of 64x64, and a
conventional 10,000 words. Captions of 8 words:

    layer            output     parameters
    image            3x64x64
    encoder.0, .1    64x32x32   3*64*9 + 2*64                        =     1,856
    encoder.3, .4    128x16x16  64*128*9 + 2*128                     =    73,984
    encoder.6, .7    256x8x8    128*256*9 + 2*256                    =   295,424
    image_features   512        256*8*8*512 + 512                    = 8,389,120
    embedding        8x512      10,000*512                           = 5,120,000
    lstm             9x512      4*(512*512 + 512*512 + 2*512)        = 2,101,248
    head             8x10,000   512*10,000 + 10,000                  = 5,130,000
                                                               total  21,111,632

Each convolution is followed by batch normalization, which the paper's encoder has, too. Difference from the paper: its
encoder is an Inception network that is trained on ImageNet before. The mini reads images of 32x32 and has 16 channels
at first, 128 features and 128 hidden units.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

LENGTH, CAPTIONS = 8, 1  # of the example inputs; there may be any number
State = tuple[Tensor, Tensor]


class Captioner(nn.Module):
    """A convolutional encoder, an embedding, an LSTM, and a dense layer to the logits of the next word.

    Args:
        vocab_size: The number of tokens; token 0 is padding.
        image_size: Height and width of the images, a multiple of 8.
        channels: Channels of the first convolution; the next two have 2 and 4 times as many.
        embedding_size: Features of a word, and of an image.
        hidden_size: Hidden units of the LSTM.
    """

    def __init__(
        self,
        vocab_size: int = 10_000,
        image_size: int = 64,
        channels: int = 64,
        embedding_size: int = 512,
        hidden_size: int = 512,
    ):
        super().__init__()
        if image_size % 8:
            raise ValueError("image_size must be a multiple of 8")
        self.image_size = image_size
        sizes = (3, channels, 2 * channels, 4 * channels)
        layers: list[nn.Module] = []
        for in_channels, out_channels in pairwise(sizes):
            convolution = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(out_channels), nn.ReLU()]
        self.encoder = nn.Sequential(*layers)
        self.image_features = nn.Linear(4 * channels * (image_size // 8) ** 2, embedding_size)
        self.embedding = nn.Embedding(vocab_size, embedding_size, padding_idx=0)
        self.lstm = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, vocab_size)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return an image (batch_size, 3, image_size, image_size) and tokens (batch_size, 1, 8)."""
        device = self.head.weight.device
        image = torch.zeros(batch_size, 3, self.image_size, self.image_size, device=device)
        return image, torch.ones(batch_size, CAPTIONS, LENGTH, dtype=torch.int64, device=device)

    def encode(self, image: Tensor) -> Tensor:
        """Return the vector of each image (N, embedding_size), for images (N, 3, image_size, image_size)."""
        features: Tensor = self.image_features(self.encoder(image).flatten(1))
        return features

    def forward(self, image: Tensor, captions: Tensor) -> Tensor:
        """Return the logits (N, captions, length, vocab_size) of the word after each word of each caption.

        Args:
            image: Images (N, 3, image_size, image_size).
            captions: Tokens (N, captions, length).
        """
        count, length = captions.shape[1:]
        first = self.encode(image).repeat_interleave(count, dim=0)[:, None]
        outputs, _ = self.lstm(torch.cat([first, self.embedding(captions.flatten(0, 1))], dim=1))
        logits: Tensor = self.head(outputs[:, 1:])
        return logits.view(-1, count, length, logits.shape[-1])

    def start(self, image: Tensor) -> State:
        """Return the state after the images, before the first word."""
        state: State = self.lstm(self.encode(image)[:, None])[1]
        return state

    def step(self, token: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the logits (N, vocab_size) of the next word and the new state, after one more token (N,)."""
        outputs, state = self.lstm(self.embedding(token[:, None]), state)
        return self.head(outputs[:, 0]), state


FAMILY = dict(
    family="captioner",
    year=2015,
    paper="arXiv:1411.4555",
    topic="sequence-tasks",
    task="captions",
    contribution="An LSTM reads the features of an image as its first word, and then writes a sentence about it.",
    builds_on=("googlenet", "seq2seq"),
    network="Captioner",
    names={"captioner": dict()},
    inputs=dict(image="float32[3, image_size, image_size]", captions="int64[captions, length]"),
    outputs=dict(logits="float32[captions, length, vocab_size]"),
    sizes=dict(vocabulary="vocab_size"),
    parts=dict(backbone=("encoder.",)),
    params={"captioner": 21_111_632},
    mini=dict(vocab_size=18, image_size=32, channels=16, embedding_size=128, hidden_size=128),
    recipe=dict(epochs=12, schedule="one-cycle", lr=0.005, batch_size=64, clip_norm=1.0),
    reference=None,
)
