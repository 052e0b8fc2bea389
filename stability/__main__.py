"""`python -m stability`."""

from stability.cli import main

main()
