"""Files of published data sets, fetched once into the cache folder and known by their published checksums."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import file_digest, md5
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from workbench.errors import UserError
from workbench.paths import cache_dir, make_private

PATIENCE = 20.0  # seconds without an answer


def fetched(data: str, files: Sequence[tuple[str, str]], sources: Sequence[str]) -> Path:
    """The folder in which all files of a data set lie, whole. What is missing, or isn't the published file, is fetched.

    Args:
        data: The data set.
        files: The files' names, and their MD5 checksums as published.
        sources: Addresses of folders that hold them, the first that answers is taken.

    Raises:
        UserError: They can't be fetched: the sentence says what to put where.
    """
    folder = cache_dir() / data
    missing = [(file, checksum) for file, checksum in files if not _is(folder / file, checksum)]
    if not missing:
        return folder
    try:
        make_private(folder)
        with TemporaryDirectory(dir=folder) as beside, _patience():
            for file, checksum in missing:
                _fetch(file, checksum, sources, beside)
                (Path(beside) / file).replace(folder / file)
    except (OSError, HTTPException, RuntimeError, ValueError) as error:
        names = ", ".join(file for file, _ in missing)
        unlike = any((folder / file).exists() for file, _ in missing)
        put = f"put {names}, as published, {'in place of what lies in' if unlike else 'into'} {folder}"
        reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
        others = "mnist-5k, digits and shapes need no download"
        raise UserError(f"{data} can't be fetched ({reason}): {put}; {others}.") from error
    return folder


def _fetch(file: str, checksum: str, sources: Sequence[str], folder: str) -> None:
    from torchvision.datasets.utils import download_url

    for last, source in enumerate(sources, start=1):
        try:
            download_url(f"{source}{file}", folder, file, checksum)
        except (OSError, HTTPException, RuntimeError, ValueError):
            if last == len(sources):
                raise
        else:
            return


@contextmanager
def _patience() -> Iterator[None]:
    """torchvision would wait without end for a server that doesn't answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _is(path: Path, checksum: str) -> bool:
    """Whether a file is the published one. MD5 tells a damaged file, and guards against nobody."""
    try:
        with path.open("rb") as file:
            return file_digest(file, lambda: md5(usedforsecurity=False)).hexdigest() == checksum
    except OSError:
        return False
