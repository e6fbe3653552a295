"""Run the command of a step: on the user's own terminal, and without the secrets that are meant for us."""

import os
import subprocess
import sys
from dataclasses import dataclass
from threading import Thread
from typing import IO

from aibom.cli.secrets import PASSPHRASE_VARIABLE, TOKEN_VARIABLE
from aibom.core.errors import SigningError, UsageError

_CHUNK = 65_536
_MAX_OUTPUT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that succeeded, and what it wrote if that was to be kept."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""


def run_step(command: tuple[str, ...], *, keep_output: bool) -> Ended:
    """Run a command to its end.

    Raises UsageError if it cannot be started, SigningError if it fails: a step that failed was not done.
    """
    environment = {k: v for k, v in os.environ.items() if k not in {PASSPHRASE_VARIABLE, TOKEN_VARIABLE}}
    kept = subprocess.PIPE if keep_output else None
    try:
        with subprocess.Popen(command, env=environment, stdout=kept, stderr=kept) as process:  # noqa: S603 -- what the user asked for
            outputs = [_Copy(process.stdout, sys.stdout.buffer), _Copy(process.stderr, sys.stderr.buffer)]
            code = process.wait()
            stdout, stderr = (output.text() for output in outputs)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot run the command: {reason}", where=command[0], hint="check its name") from error
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise SigningError(
            f"the command {how}, so the step was not done", where=command[0], hint="no link was written; mend it first"
        )
    return Ended(code, stdout, stderr)


class _Copy:
    """Passes a command's output on as it comes, and keeps the first of it."""

    def __init__(self, source: IO[bytes] | None, target: IO[bytes]) -> None:
        self._kept = bytearray()
        self._left_out = 0
        self._thread = Thread(target=self._copy, args=(source, target), daemon=True) if source else None
        if self._thread:
            self._thread.start()

    def _copy(self, source: IO[bytes], target: IO[bytes]) -> None:
        while part := os.read(source.fileno(), _CHUNK):
            target.write(part)
            target.flush()
            room = _MAX_OUTPUT - len(self._kept)
            self._kept += part[:room]
            self._left_out += max(0, len(part) - room)

    def text(self) -> str:
        """What was kept, saying how much was not."""
        if self._thread:
            self._thread.join()
        more = f"\n[{self._left_out} more bytes were not recorded]" if self._left_out else ""
        return self._kept.decode("utf-8", "replace") + more
