"""Licences: names as cards write them → SPDX identifiers, and a few licence texts recognised by their own words.

A false identifier is worse than none: a name that SPDX does not know is kept as a name, with where it came from.
"""

import re

# Texts are recognised by phrases that only that licence has. Order matters: the more particular comes first.
_TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("AGPL-3.0-only", ("gnu affero general public license version 3",)),
    ("LGPL-3.0-only", ("gnu lesser general public license version 3",)),
    ("GPL-3.0-only", ("gnu general public license version 3",)),
    ("GPL-2.0-only", ("gnu general public license version 2",)),
    ("MPL-2.0", ("mozilla public license version 2.0",)),
    ("Apache-2.0", ("apache license version 2.0", "terms and conditions for use, reproduction, and distribution")),
    ("CC-BY-4.0", ("creative commons attribution 4.0 international",)),
    ("CC0-1.0", ("cc0 1.0 universal",)),
    (
        "MIT",
        (
            "permission is hereby granted, free of charge, to any person obtaining a copy",
            'the software is provided "as is"',
        ),
    ),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name of")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
    ("ISC", ("permission to use, copy, modify, and/or distribute this software for any purpose",)),
)

# Words that cards use where an identifier is expected, and that name no licence.
_NOT_A_LICENCE = frozenset({"", "other", "unknown", "none", "n/a", "unlicensed", "custom"})
_MAX_TEXT = 64 * 1024


def recognise_text(data: bytes) -> str:
    """The SPDX identifier of a licence text, or empty if it is none of those we know for certain."""
    text = (
        re.sub(r"[\s,;:]+", " ", data[:_MAX_TEXT].decode("utf-8", "replace"))
        .lower()
        .replace("“", '"')
        .replace("”", '"')
    )
    opening = text[:3000]
    for identifier, phrases in _TEXTS:
        if all(re.sub(r"[\s,;:]+", " ", phrase) in (opening if n == 0 else text) for n, phrase in enumerate(phrases)):
            return identifier
    return ""


def names_no_licence(name: str) -> bool:
    """Whether a card's licence field says, in effect, nothing."""
    return name.strip().lower() in _NOT_A_LICENCE
