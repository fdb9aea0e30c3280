"""``python -m ulcermeter.cli``."""

from ulcermeter.cli import main

main()
