"""Run the command line with `python -m aibom`."""

from aibom.cli import main

main()
