"""Find the data files of `specs/`: beside the packages in a checkout, inside the package in a wheel."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from aibom.core.errors import SpecError


def specs_root() -> Traversable:
    """The folder with profiles and schemas. Raises SpecError if the installation is broken."""
    shipped = files("aibom") / "_specs"
    if shipped.is_dir():
        return shipped
    checkout = Path(__file__).resolve().parents[2] / "specs"
    if checkout.is_dir():
        return checkout
    raise SpecError("the data folder 'specs' is not installed", hint="install the aibom package again")


def read_spec(path: str) -> bytes:
    """Read one file of `specs/`, by its POSIX path."""
    try:
        return specs_root().joinpath(path).read_bytes()
    except OSError as error:
        raise SpecError(f"cannot read specs/{path}: {error.strerror}") from error
