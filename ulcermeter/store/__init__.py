"""A results folder: store.sqlite while a run goes on, the tables at the end."""

from __future__ import annotations

from ulcermeter.store.decisions import DECIDED, read_decisions, with_decisions
from ulcermeter.store.files import (
    TABLE_FILES,
    cell_text,
    check_results_folder,
    csv_text,
    in_order,
    overlay_name,
    write_file,
    write_overlays,
    write_run_record,
    write_tables,
)
from ulcermeter.store.progress import PhotoStore, row_key
from ulcermeter.store.reading import protocol_of, read_results

__all__ = [
    "DECIDED",
    "TABLE_FILES",
    "PhotoStore",
    "cell_text",
    "check_results_folder",
    "csv_text",
    "in_order",
    "overlay_name",
    "protocol_of",
    "read_decisions",
    "read_results",
    "row_key",
    "with_decisions",
    "write_file",
    "write_overlays",
    "write_run_record",
    "write_tables",
]
