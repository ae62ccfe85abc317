"""The output layer of Cho's and Bahdanau's decoders: maxout units over all that a step of the decoder knows."""

from torch import Tensor, nn

PIECES = 2  # linear functions of each unit, of which the largest counts


class MaxoutReadout(nn.Module):
    """Maxout units (Goodfellow et al., 2013) over the decoder's state, its last token and the context.

    Args:
        hidden_size: Features of the state.
        embedding_size: Features of the token.
        context_size: Features of the context.
        size: The number of maxout units.
        bias: Whether the units have biases.
    """

    def __init__(self, hidden_size: int, embedding_size: int, context_size: int, size: int, bias: bool):
        super().__init__()
        self.hidden = nn.Linear(hidden_size, PIECES * size, bias=bias)
        self.token = nn.Linear(embedding_size, PIECES * size, bias=False)
        self.context = nn.Linear(context_size, PIECES * size, bias=False)

    def forward(self, hidden: Tensor, token: Tensor, context: Tensor) -> Tensor:
        """Return the units (..., size) for a state, an embedded token and a context of any number of steps."""
        sums: Tensor = self.hidden(hidden) + self.token(token) + self.context(context)
        units: Tensor = sums.unflatten(-1, (-1, PIECES)).amax(dim=-1)
        return units
