"""``python -m ulcermeter``."""

from ulcermeter.cli import main

main(prog_name="ulcermeter")
