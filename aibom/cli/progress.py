"""Progress on a terminal, and only there."""

import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from os import cpu_count
from typing import TYPE_CHECKING

from aibom.core.progress import NullProgress, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class _Bar:
    """Counts bytes on a rich progress bar."""

    def __init__(self, bar: "RichProgress", task: "TaskID") -> None:
        self._bar = bar
        self._task = task

    def advance(self, *, bytes_read: int = 0, files: int = 0) -> None:
        """Move the bar."""
        self._bar.advance(self._task, bytes_read)


@contextmanager
def show_progress(words: str) -> Iterator[Progress]:
    """Show a bar on standard error while a release is read, if a person watches."""
    if not sys.stderr.isatty():
        yield NullProgress()
        return
    from rich.console import Console  # heavy, and only worth it on a terminal
    from rich.progress import FileSizeColumn, SpinnerColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as RichProgress

    columns = (SpinnerColumn(), TextColumn("{task.description}"), FileSizeColumn(), TransferSpeedColumn())
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar, bar.add_task(words, total=None))


def reading_executor() -> Executor:
    """Threads to read with: hashing releases the interpreter lock, so one per core."""
    return ThreadPoolExecutor(max_workers=min(cpu_count() or 1, 8))
