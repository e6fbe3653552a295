"""The account as SPDX 3.0.1: one module a kind of element, and `document.py` that puts them together."""
