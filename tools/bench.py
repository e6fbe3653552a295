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


# Builds the account of a release with so many libraries, apart from reading it, and prints seconds and megabytes:
# (assembled, rendered, validated and serialised; the same document serialised alone; memory that the first took).
_BUILD = """
import json, resource, sys, time
from pathlib import Path
from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.emit import emit
from aibom.core.strictjson import dump_json
from aibom.cyclonedx.schema import schema_problems
collection = collect(Path(sys.argv[1]))
schema_problems({"specVersion": "1.7"})
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
data = emit(assemble(collection), tool_version="0", timestamp=None).data
document = json.loads(data)
assert not schema_problems(document)
taken, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
json.loads(dump_json(document))
print(taken, time.perf_counter() - start, (after - before) / 1024)
"""


def building() -> list[tuple[str, float, float]]:
    """Ten thousand components, and twice as many."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for count in (10_000, 20_000):
            folder = Path(name) / str(count)
            folder.mkdir()
            (folder / "notes.txt").write_text("x")
            lines = (f"lib{n}=={n}.0" if n % 2 else f"lib{n}>={n}" for n in range(count))
            (folder / "requirements.txt").write_text("\n".join(lines))
            runs = [build_apart(folder) for _ in range(3)]
            found[count] = [statistics.median(values) for values in zip(*runs, strict=True)]
    taken, floor, memory = found[10_000]
    print(f"       {taken:6.2f} s, {memory:.0f} MB: assemble, render, validate and write 10,000 libraries")
    return [
        ("10,000 libraries / writing and reading their JSON alone", taken / floor, 20),
        ("20,000 libraries / 10,000 libraries", found[20_000][0] / taken, 2.4),
        ("memory for 10,000 libraries / 200 MB", memory / 200, 1),
    ]


def build_apart(folder: Path) -> tuple[float, ...]:
    """In an interpreter of its own, so that its memory is its own."""
    done = subprocess.run([sys.executable, "-c", _BUILD, str(folder)], check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


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
    rows += building()
    missed = 0
    for words, ratio, bound in rows:
        missed += ratio > bound
        print(f"{'MISSED' if ratio > bound else 'ok':<7}{ratio:6.2f} (at most {bound:.2f})  {words}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
