"""A commented `aibom.toml` from what a release says: what was found stands there as a comment, the rest as an example.

Every line that states something is a comment, so that a publisher states nothing by accident. Taking the `# ` away from
any line leaves a file that is valid; a test does so line by line.
"""

import json
import textwrap
from collections.abc import Iterator

from aibom.build.account import Account, Dataset, Sourced
from aibom.build.publisher import DISTRIBUTIONS, LINK_TYPES, TLP
from aibom.build.vocabulary import outcomes

_SHOWN = 5
_OUTCOMES = {
    "benchmark": "to check its benchmark results",
    "osaid": "as open source AI",
    "production": "to be run in production",
    "wmdp": "to be tested for hazardous knowledge",
}


def outline(account: Account) -> str:
    """The text of the file."""
    release, main = account.release, account.model if account.models else None
    model = main.identity if main else release
    lines = [
        "# What only the publisher knows about this release. Remove the '# ' before a line to state it.",
        "# What the files say already need not be repeated; `aibom build --explain` shows it.",
        "",
        "[release]",
        *_value("name", release.name),
        *_value("version", release.version, "2.1.0"),
        *_plain("date", "2026-01-31", "the date of the release; the BOM is dated by it"),
        *_value("supplier", release.supplier, "Acme AI B.V.", "who hands the release out"),
        *_value("manufacturer", release.producer, "Acme AI B.V.", "who made it"),
        *_value("license", _licence(account), "Apache-2.0", "an SPDX expression, or the name of a licence"),
        *_plain("outcome", _text("production"), "what it is meant for:"),
        *(f"#     {name.ljust(11)} {_OUTCOMES.get(name, '')}".rstrip() for name in outcomes()),
        *_choice("distribution", DISTRIBUTIONS, "whether users get the weights, or call a service"),
        *_choice("tlp", TLP, "who may see the BOM (Traffic Light Protocol)"),
        "",
        "[model]",
        *_value("hub", model.hub, "acme-ai/my-model", "its name on a model hub"),
        *_value("developer", model.producer, "Acme AI B.V."),
        *_value("task", main.task if main else None, "text-classification"),
        *_quoted("approach", main.approach.value if main and main.approach else "supervised", "how it learned"),
        *_list("users", ["Retail analysts"], "who it is for"),
        "",
        "# [author]",
        *_quoted("name", "Jane Doe", "who answers for this BOM (remove '# ' from [author] too)"),
        "",
        *_data(account.datasets),
        "# [[link]]",
        *_quoted("type", "documentation", f"one of: {', '.join(LINK_TYPES[:8])}, …"),
        *_quoted("url", "https://example.com/docs"),
        "",
        "# [[person]]",
        *_quoted("name", "Jane Doe"),
        *_quoted("role", "security contact"),
        "",
        "# Attestations that `aibom sign` makes besides that of the BOM (docs/attestations.md)",
        "# [[attestation]]",
        *_quoted("type", "evaluation", "provenance, vulnerabilities, vex, release, … or the URI of a predicate type"),
        *_quoted("predicate", "evaluation/result.json", "a file of the release; some types are filled in without"),
        "",
        "# Files that are something else than they were taken for: path or pattern = category",
        "[categories]",
        *_uncategorised(account),
        "",
        "# What is kept back, and why",
        "[withheld]",
        *(_reason("data/training", "personal data") if not _has_data(account) else []),
        "",
        "# What is not known, and why",
        "[unknown]",
        *(_reason("energy", "not measured") if main and not main.energy else []),
        *(_reason("training", "trained by somebody else") if account.training is None else []),
    ]
    return "\n".join(lines) + "\n"


def _licence(account: Account) -> Sourced | None:
    found = account.release.licences[:1]
    return Sourced(found[0].name, found[0].sources[0]) if found else None


def _has_data(account: Account) -> bool:
    return any(not dataset.is_external for dataset in account.datasets)


def _value(key: str, found: Sourced | None, example: str = "", words: str = "") -> Iterator[str]:
    said = f"found in {found.source}" if found else words or "not found in the release"
    text = found.value if found else example
    yield from _quoted(key, text, said if not words or not found else f"{words}; {said}")


def _quoted(key: str, text: str, words: str = "") -> Iterator[str]:
    yield from _plain(key, _text(text), words)


def _plain(key: str, value: str, words: str = "") -> Iterator[str]:
    """The statement, and below it what to know about it, so that no line is wider than a terminal."""
    yield f"# {key} = {value}"
    if words:
        yield from textwrap.wrap(_line(words), 78, initial_indent="#     ", subsequent_indent="#     ")


def _choice(key: str, valid: tuple[str, ...], words: str) -> Iterator[str]:
    yield from _plain(key, _text(valid[0]), f"{words}: {', '.join(valid)}")


def _list(key: str, items: list[str], words: str) -> Iterator[str]:
    yield from _plain(key, json.dumps(items, ensure_ascii=False), words)


def _data(datasets: tuple[Dataset, ...]) -> Iterator[str]:
    """A block for each data set, with what is not known of it."""
    for dataset in datasets[:_SHOWN]:
        yield "# [[data]]"
        yield from _quoted("name", dataset.name, str(dataset.declared_in[0]) if dataset.declared_in else "a folder")
        if not dataset.licences:
            yield from _quoted("license", "CC-BY-4.0", "not found")
        if not dataset.owners:
            yield from _quoted("owner", "Acme AI B.V.", "who answers for it")
        if not dataset.sensitive:
            yield from _list("sensitive", ["none"], "kinds of personal or sensitive data in it")
        yield ""


def _uncategorised(account: Account) -> Iterator[str]:
    unknown = [f for f in account.documents if not f.categories and not f.name.startswith(".git")]
    for file in [f for f in unknown if ".dist-info/" not in f.name][:_SHOWN]:
        yield f"# {_text(file.name)} = {_text('docs/usage')}"


def _reason(key: str, why: str) -> Iterator[str]:
    yield f"# {_text(key)} = {_text(why)}"


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes, and DEL, which TOML wants escaped too."""
    return json.dumps(" ".join(value.split()), ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(words: str) -> str:
    """Words that stay on their line and hold no control character."""
    return "".join(character for character in " ".join(words.split()) if character.isprintable())
