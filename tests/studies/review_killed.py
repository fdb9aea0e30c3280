"""What `ulcermeter review` loses when it is killed: at random moments, while readings are sent to it one after another.

    python tests/studies/review_killed.py sample_images/study RESULTS [--kills 20]

RESULTS is copied first. A reading counts as confirmed once the server has answered it; printed are, after each kill -9,
how many were confirmed so far, how many stand in the log, and whether its chain is whole.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from ulcermeter.readings import ReadingLog, check_log

VERDICTS = ("healed", "no ulcer", "covered")


def served(root: Path, study: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the server and return it with the page's address."""
    words = ["review", str(root), "--study", str(study), "--reader", "R1", "--no-browser"]
    server = subprocess.Popen([sys.executable, "-u", "-m", "ulcermeter", *words], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found = re.search(r"http://\S+", server.stdout.readline())
    assert found is not None
    return server, found.group(0)


def asked(address: str, given: dict[str, Any] | None = None) -> Any:
    """Return what the server answers; asked again while it is still starting."""
    body = None if given is None else json.dumps(given).encode()
    request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def read_until_killed(server: subprocess.Popen[str], address: str, chance: random.Random) -> int:
    """Send readings to the server, kill it some moment after the first, and return how many it confirmed."""
    for _ in range(200):
        try:
            items = [item["id"] for item in asked(f"{address}api/list")["items"] if item["readable"]]
            break
        except OSError:
            time.sleep(0.05)
    confirmed = 0
    while True:
        state = {"verdict": chance.choice(VERDICTS), "ulcers": [], "why": str(confirmed)}
        item = chance.choice(items)
        try:
            follows = asked(f"{address}api/photo/{item}")["follows"]
            asked(f"{address}api/reading/{item}", {"state": state, "action": "edit", "follows": follows})
        except (OSError, ValueError):
            return confirmed
        confirmed += 1
        if confirmed == 1:
            threading.Timer(chance.uniform(0.0, 1.5), os.kill, (server.pid, signal.SIGKILL)).start()


def main() -> None:
    """Kill, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    chance, lost, kept = random.Random(3), 0, 0
    with tempfile.TemporaryDirectory() as out:
        root = Path(shutil.copytree(given.results, Path(out) / "results"))
        kept = len(ReadingLog(root).entries())
        for kill in range(given.kills):
            server, address = served(root, given.study)
            confirmed = kept + read_until_killed(server, address, chance)
            server.wait()
            kept = len(ReadingLog(root).entries())
            lost += max(0, confirmed - kept)
            whole = "whole" if not check_log(root) else "BROKEN"
            print(f"kill {kill + 1}: {confirmed} confirmed, {kept} in the log, chain {whole}", flush=True)
    print(f"{lost} confirmed readings lost")


if __name__ == "__main__":
    main()
