"""The account as CycloneDX: one module a kind of component, and `document.py` that puts them together."""
