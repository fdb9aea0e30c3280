"""A results folder: store.sqlite while a run goes on, the tables at the end."""

from __future__ import annotations

from ulcermeter.files import write_file
from ulcermeter.store.decisions import (
    DECIDED,
    WRITTEN,
    Decisions,
    Unread,
    keep_unread,
    question,
    read_decisions,
    unread_of,
    with_decisions,
    written_cells,
)
from ulcermeter.store.files import (
    PAGES,
    PICTURES,
    TABLE_FILES,
    cell_text,
    check_results_folder,
    csv_text,
    in_order,
    overlay_name,
    page_name,
    remove_pages,
    write_changed,
    write_pictures,
    write_run_record,
    write_tables,
)
from ulcermeter.store.kept_results import KeptResults
from ulcermeter.store.outline_table import write_outlines
from ulcermeter.store.photo_store import PhotoStore, row_key
from ulcermeter.store.reading import protocol_of, read_results, read_table, read_tables

__all__ = [
    "DECIDED",
    "PAGES",
    "PICTURES",
    "TABLE_FILES",
    "WRITTEN",
    "Decisions",
    "KeptResults",
    "PhotoStore",
    "Unread",
    "cell_text",
    "check_results_folder",
    "csv_text",
    "in_order",
    "keep_unread",
    "overlay_name",
    "page_name",
    "protocol_of",
    "question",
    "read_decisions",
    "read_results",
    "read_table",
    "read_tables",
    "remove_pages",
    "row_key",
    "unread_of",
    "with_decisions",
    "write_changed",
    "write_file",
    "write_outlines",
    "write_pictures",
    "write_run_record",
    "write_tables",
    "written_cells",
]
