#!/bin/sh
# Pins what development, the demo and the interoperability tests install: with hashes, without addresses.
set -eu
flags="--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet"
uv pip compile $flags pyproject.toml --group build -o requirements/run.txt
uv pip compile $flags pyproject.toml --group dev -o requirements/dev.txt
uv pip compile $flags pyproject.toml --group dev --group interop -o requirements/interop.txt
