"""A run on a dask cluster: the same bytes, and what a worker, a photo, a scheduler that fails costs."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import cluster_pieces as pieces
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ulcermeter as um
from ulcermeter.errors import MissingDependencyError, UlcermeterError, UnfinishedError
from ulcermeter.isolation import Limits, Lost
from ulcermeter.pipeline import cluster as clusters
from ulcermeter.pipeline import run_study, workers
from ulcermeter.pipeline.cluster import Cluster, cluster_at
from ulcermeter.pipeline.on_worker import Setting
from ulcermeter.pipeline.shares import Shares
from ulcermeter.store import PhotoStore

Bytes = Callable[[Path], dict[str, bytes]]
dask = pytest.importorskip("dask")
# Forked from a process that has imported dask, workers start in a tenth of the time.
dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
distributed = pytest.importorskip("distributed")


@pytest.fixture(autouse=True)
def _looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_LOOK_EVERY_S", 0.1)


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0", silence_logs=logging.CRITICAL
    ) as started:
        yield started


def each(address: str, work: Any, given: list[Any]) -> dict[int, Any]:
    with cluster_at(address) as cluster:
        assert cluster is not None
        return dict(cluster.each(work, given, limits=Limits()))


def test_a_cluster_gives_the_same_bytes(
    drawn: Path, finished: Path, tmp_path: Path, csv_bytes: Bytes, local: Any
) -> None:
    run_study(drawn, tmp_path / "results", scheduler=local.scheduler_address)
    assert csv_bytes(tmp_path / "results") == csv_bytes(finished)
    assert (tmp_path / "results" / "report.html").read_bytes() == (finished / "report.html").read_bytes()


def test_a_worker_keeps_its_process_until_the_run_ends(local: Any) -> None:
    came = set(each(local.scheduler_address, pieces.who, [None] * 6).values())
    assert len(came) == len({worker for _, worker in came})
    for number, _ in came:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_a_worker_that_is_killed_midway_costs_nothing(local: Any, tmp_path: Path) -> None:
    came = each(local.scheduler_address, pieces.kill_worker_once, [None, None, tmp_path / "once", *[None] * 5])
    assert sorted(came) == list(range(8)) and not any(isinstance(one, Lost) for one in came.values())


def test_a_piece_that_kills_its_worker_costs_two_workers_and_itself(local: Any, tmp_path: Path) -> None:
    log = tmp_path / "killed"
    came = each(local.scheduler_address, pieces.kill_worker, [None, log, *[None] * 4])
    assert [number for number, one in came.items() if isinstance(one, Lost)] == [1] and len(came) == 6
    assert len(set(log.read_text().split())) == 2


def test_a_worker_that_comes_late_takes_part(local: Any) -> None:
    with cluster_at(local.scheduler_address) as cluster:
        assert cluster is not None
        came = cluster.each(pieces.who, [None] * 40, limits=Limits())
        first = next(came)[1]
        before = len(cluster.threads)
        local.scale(before + 1)
        seen = {first[1]} | {worker for _, (_, worker) in came}
        assert len(seen) == before + 1 == len(cluster.threads)


def test_workers_of_another_version_or_with_other_files_are_refused_at_once(
    drawn: Path, tmp_path: Path, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(um, "__version__", "9.1")
    with pytest.raises(UlcermeterError, match=r"got one with ulcermeter 0.1.0 \(here 9.1\); set it up"):
        run_study(drawn, tmp_path / "results", scheduler=local.scheduler_address)
    assert not (tmp_path / "results").exists()


def test_a_scheduler_that_dies_ends_in_a_sentence_and_all_is_kept(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = multiprocessing.get_context("forkserver")
    here, there = start.Pipe()
    scheduler = start.Process(target=pieces.be_scheduler, args=(there,), daemon=True)
    scheduler.start()
    assert here.poll(120)
    address, number = here.recv(), scheduler.pid or 0
    monkeypatch.setattr(workers, "_measure", pieces.first_only)

    def killed(done: int, total: int, result: object) -> None:
        if done:
            os.kill(number, signal.SIGKILL)

    with pytest.raises(UnfinishedError, match="got none: its scheduler is gone; see to it and run again") as raised:
        run_study(drawn, tmp_path / "results", scheduler=address, progress=killed)
    assert address in str(raised.value)
    with PhotoStore(tmp_path / "results" / "store.sqlite") as store:
        assert len(store) == 1


def test_a_cluster_without_dask_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependencyError, match=r"ulcermeter\[cluster\]"):
        cluster_at("tcp://127.0.0.1:8786").__enter__()


def test_what_is_no_address_is_refused_without_a_client() -> None:
    with pytest.raises(
        UlcermeterError, match=r"got none \(an address without a port\); check the address, such as tcp:"
    ):
        cluster_at("nonsense").__enter__()


def test_a_cluster_without_workers_is_said_after_the_wait() -> None:
    empty = distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0")
    with empty, pytest.raises(UlcermeterError, match=r"expected workers, got none for 0.2 s \(--wait\); see that some"):
        cluster_at(empty.scheduler_address, wait_s=0.2).__enter__()


def test_a_relative_path_is_refused_before_anything_is_asked(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(drawn.parent)
    with pytest.raises(UlcermeterError, match="expected whole paths, which mean the same on every machine, got study/"):
        run_study(drawn.name, tmp_path / "results", scheduler="tcp://nowhere:1")
    assert not (tmp_path / "results").exists()


class Drawn:
    """A client whose workers come and go as a list says, one line a look; what is submitted never comes back."""

    def __init__(self, *there: Mapping[str, int], settings: Mapping[str, Any]) -> None:
        self.there, self.settings, self.given = list(there), settings, list[str]()

    def nthreads(self) -> Mapping[str, int]:
        return self.there.pop(0) if len(self.there) > 1 else self.there[0]

    def run(self, work: Any, /, *given: Any, workers: Sequence[str], on_error: str) -> Mapping[str, Any]:
        return {worker: self.settings[worker] for worker in workers}

    def submit(self, work: Any, /, *given: Any, workers: Sequence[str], pure: bool) -> Any:
        self.given += workers
        return Future[Any]()


HERE = Setting({"ulcermeter": "1.0", "numpy": "2.0"}, {"/study/photos.csv": "ab"})


def test_a_late_worker_that_is_not_set_up_alike_is_told_and_given_nothing(caplog: pytest.LogCaptureFixture) -> None:
    says = {
        "first": HERE,
        "older": replace(HERE, versions={"ulcermeter": "0.9"}),
        "blind": replace(HERE, files={"/study/photos.csv": ""}),
        "bare": ModuleNotFoundError("No module named 'ulcermeter'"),
        "hasty": OSError("gone again"),
    }
    client = Drawn({"first": 1}, dict.fromkeys(says, 1), {}, settings=says)
    cluster = Cluster(client, "tcp://here:1", needed=HERE, wait_s=0.3)
    cluster.wait_for_workers()
    with pytest.raises(UnfinishedError, match="got none for 0.3 s") as raised:
        list(cluster.each(pieces.who, [None] * 9, limits=Limits()))
    assert set(client.given) == {"first"}
    for words in (
        "worker older: expected one that computes with the same versions and sees the same files as this machine, got "
        "one with ulcermeter 0.9 (here 1.0), numpy missing (here 2.0)",
        "one with /study/photos.csv missing",
        "one with no ulcermeter 1.0 (ModuleNotFoundError: No module named 'ulcermeter')",
    ):
        assert words in caplog.text
    assert "worker hasty" not in caplog.text and "older is not used" in str(raised.value)


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 3), st.data())
def test_pieces_are_done_once_or_given_up_for_their_own_two_deaths(
    count: int, workers: int, threads: int, data: st.DataObject
) -> None:
    deadly = data.draw(st.sets(st.integers(0, count - 1), max_size=4))
    shares, done, given_up, deaths = Shares(count), list[int](), list[int](), 0
    while shares.left:
        for name in (f"worker {k}" for k in range(workers)):
            while (shares.next_for(name, threads)) is not None:
                assert len(shares.of(name)) <= threads + 1
        name = data.draw(st.sampled_from([f"worker {k}" for k in range(workers) if shares.of(f"worker {k}")]))
        number = data.draw(st.sampled_from(shares.of(name)))
        if number in deadly:
            deaths += 1
            given_up += [one for one in shares.of(name) if shares.worker_died(one)]
        else:
            shares.done(number)
            done.append(number)
    assert set(given_up) == deadly and sorted(done + given_up) == list(range(count))
    assert deaths <= 2 * len(deadly)
