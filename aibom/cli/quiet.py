"""Keeps what a library logs off the terminal: what matters of it is said in our own words."""

import logging


def quiet_libraries() -> None:
    """Silence sigstore-python's own log."""
    logging.getLogger("sigstore").addHandler(logging.NullHandler())
