"""Keeps what a library logs off the terminal: what matters of it is said in our own words."""

import logging


def quiet_libraries() -> None:
    """Silence the logs of what signs and of what talks to registries."""
    for name in ("sigstore", "oras", "urllib3"):
        logging.getLogger(name).addHandler(logging.NullHandler())
