"""Windows of Swin: their tokens, with and without a shift, and the tokens that may attend to each other."""

from collections import Counter

from workbench.errors import UserError

Token = tuple[int, int]  # a row and a column

MAX_TOKENS = 400  # of a grid that is stepped through


def check_grid(h: int, w: int, M: int, s: int) -> None:
    """Check that windows of M x M tokens cover a grid of h x w tokens, and that the shift is below M.

    Raises:
        UserError: If they don't.
    """
    if h % M or w % M:
        raise UserError(f"Windows of {M}x{M} tokens don't divide a grid of {h}x{w}. Pad it to multiples of {M} first.")
    if not 0 <= s < M:
        raise UserError(f"The shift s must be from 0 to {M - 1}, not {s}.")
    if h * w > MAX_TOKENS:
        raise UserError(f"The grid has {h * w} tokens. Use one of at most {MAX_TOKENS}.")


def shifted_tokens(h: int, w: int, s: int) -> list[list[int]]:
    """Return the numbers of the tokens, row by row, after a cyclic shift by s up and to the left."""
    return [[(i + s) % h * w + (j + s) % w for j in range(w)] for i in range(h)]


def window_tokens(grid: list[list[int]], M: int) -> list[list[int]]:
    """Return the tokens of each window of a grid, window by window in rows."""
    rows, columns = range(0, len(grid), M), range(0, len(grid[0]), M)
    return [[grid[i + a][j + b] for a in range(M) for b in range(M)] for i in rows for j in columns]


def region(token: Token, h: int, w: int, M: int, s: int) -> Token:
    """Return the region of the original image that a token belongs to, when its window is shifted by s.

    Tokens of one window attend to each other only if they are of one region; others are neighbors by the cyclic shift
    alone.
    """
    return tuple((position + M - s) // M if s else position // M for position in token)  # type: ignore[return-value]


def allowed_pairs(h: int, w: int, M: int, s: int) -> int:
    """Return the number of pairs of tokens that attend to each other, in both directions and with themselves."""
    sizes = Counter(region((i, j), h, w, M, s) for i in range(h) for j in range(w))
    return sum(size * size for size in sizes.values())
