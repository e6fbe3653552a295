"""Ratios to a floor or a peer, measured in one run on this machine; ends with 1 if one is missed.

Absolute times depend on the machine and on the hour; what must hold is how much longer we take than what cannot be
avoided: importing click, hashing the bytes once.
"""

import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aibom.sources.listing import list_release
from aibom.sources.local import read_release

MEGABYTE = 1024 * 1024


def median(action: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def python(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def paired(first: Callable[[], object], second: Callable[[], object], runs: int) -> float:
    """The median over pairs of first / second, taken in turn so that a drift of the machine hits both."""
    ratios = []
    for _ in range(runs + 1):
        ratios.append(median(first, 1) / median(second, 1))
    return statistics.median(ratios[1:])


def hash_all(paths: list[Path]) -> None:
    """The floor: every byte through SHA-256 once, in as many threads as we use."""

    def one(path: Path) -> None:
        hasher, buffer = hashlib.sha256(), bytearray(MEGABYTE)
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                hasher.update(memoryview(buffer)[:count])

    with ThreadPoolExecutor() as executor:
        list(executor.map(one, paths))


def read_all(folder: Path) -> None:
    with ThreadPoolExecutor() as executor:
        list(read_release(folder, list_release(folder).files, executor=executor))


def large_files(folder: Path) -> list[Path]:
    paths = [folder / f"shard-{n}.bin" for n in range(4)]
    for path in paths:
        path.write_bytes(bytes(128 * MEGABYTE))
    return paths


def small_files(folder: Path) -> list[Path]:
    paths = []
    for n in range(20_000):
        path = folder / f"d{n % 100}" / f"f{n}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"%d" % n * 200)
        paths.append(path)
    return paths


def main() -> int:
    rows = [
        ("aibom --help / import click", paired(python("-m", "aibom", "--help"), python("-c", "import click"), 15), 1.6)
    ]
    with tempfile.TemporaryDirectory() as name:
        large, small = Path(name) / "large", Path(name) / "small"
        large.mkdir()
        small.mkdir()
        paths = large_files(large)
        rows.append(
            (
                "digest 512 MiB in 4 files / SHA-256 alone",
                paired(lambda: read_all(large), lambda: hash_all(paths), 5),
                1.15,
            )
        )
        paths_small = small_files(small)
        rows.append(
            (
                "digest 20,000 small files / SHA-256 alone",
                paired(lambda: read_all(small), lambda: hash_all(paths_small), 3),
                1.0,
            )
        )
    missed = 0
    for words, ratio, bound in rows:
        missed += ratio > bound
        print(f"{'MISSED' if ratio > bound else 'ok':<7}{ratio:6.2f} (at most {bound:.2f})  {words}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
