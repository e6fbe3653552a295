"""Digests: the allowed algorithms, and a value that cannot be malformed."""

import re
from dataclasses import dataclass

from aibom.core.errors import InputError

SHA256 = "sha256"

# Hexadecimal lengths. Anything not listed here (md5, sha1, truncations) is not a digest to us.
HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """An algorithm and its value in lower-case hexadecimal."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def parse_digest(algorithm: str, value: object, where: str = "") -> Digest:
    """Check an algorithm and value from outside.

    Raises InputError for an algorithm that is not allowed, a wrong length, or anything but lower-case hexadecimal.
    """
    length = HEX_LENGTHS.get(algorithm)
    if length is None:
        raise InputError(
            f"digest algorithm {algorithm!r} is not accepted",
            where=where,
            hint=f"use one of: {', '.join(HEX_LENGTHS)}",
        )
    if not isinstance(value, str) or len(value) != length or not _HEX.fullmatch(value):
        raise InputError(
            f"not a {algorithm} digest: expected {length} lower-case hexadecimal digits, found {str(value)[:80]!r}",
            where=where,
        )
    return Digest(algorithm, value)
