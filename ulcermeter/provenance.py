"""What made a number: hashes, the identity of a run, and the record that is enough to run it again.

No clock inside anything that enters a table: times stand in run.json alone.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from ulcermeter.files import Json, check_regular

__all__ = ["file_sha256", "package_versions", "run_id", "run_record", "utc_now"]

_PACKAGES = ("numpy", "opencv-python", "opencv-python-headless", "scikit-image", "scipy", "pandas", "onnxruntime")


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits.

    Parameters
    ----------
    path : str | Path
        The file.

    Returns
    -------
    str

    Raises
    ------
    OSError
        The file cannot be read, or is none.
    """
    check_regular(path)
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run_id(*, version: str, protocol_sha256: str, parameters: Mapping[str, Json], model_sha256: str) -> str:
    """Name what can change a measurement: 16 hexadecimal digits of a SHA-256 over its parts.

    Parameters
    ----------
    version : str
        Of ulcermeter.
    protocol_sha256 : str
        `Protocol.sha256`: all the rules in force.
    parameters : mapping
        Further choices of the run that change numbers, such as the lens profile; JSON values only. How many processes
        ran is none of them.
    model_sha256 : str
        Of the segmentation model's file; empty where no network was used.

    Returns
    -------
    str
    """
    parts = {
        "model": model_sha256,
        "parameters": dict(parameters),
        "protocol": protocol_sha256,
        "version": version,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def package_versions(names: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Return the installed versions of the packages that touch numbers; absent ones are left out.

    Parameters
    ----------
    names : iterable of str, optional
        Names, in any order.

    Returns
    -------
    dict[str, str]
    """
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def utc_now() -> str:
    """Return the time in UTC to the second, ISO 8601.

    Returns
    -------
    str
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def run_record(
    *,
    version: str,
    run_id: str,
    protocol: Mapping[str, Json],
    parameters: Mapping[str, Json],
    model_sha256: str,
    photo_sha256: Mapping[str, str],
    command: Iterable[str],
    started: str,
) -> dict[str, Json]:
    """Gather run.json: what ran, on what, with which rules, and when; `finished` is set to now.

    Parameters
    ----------
    version : str
        Of ulcermeter.
    run_id : str
        See `run_id`.
    protocol : mapping
        The protocol in full, as `Protocol.record` gives it.
    parameters : mapping
        Choices of the run, those that change no number too; JSON values only.
    model_sha256 : str
        Of the segmentation model's file.
    photo_sha256 : mapping
        File name to hash, in the study's order.
    command : iterable of str
        As it was called.
    started : str
        From `utc_now`.

    Returns
    -------
    dict of str to JSON values
    """
    return {
        "ulcermeter": version,
        "run_id": run_id,
        "command": list(command),
        "started": started,
        "finished": utc_now(),
        "parameters": dict(parameters),
        "model_sha256": model_sha256,
        "protocol": dict(protocol),
        "photos": dict(photo_sha256),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": package_versions(),
    }
