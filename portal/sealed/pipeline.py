"""Blocks of rows on their way through processes that compute and threads that write, in order and a few at once."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, Self

from django.db import DEFAULT_DB_ALIAS, connections

from . import resealing


class Block(NamedTuple):
    """Rows as COPY text, in the order of their keys."""

    text: bytes
    rows: int
    first: str
    last: str


Batches = Iterator[tuple[Block, Any]]  # rows as they were read, and what the processes made of them


class Pool:
    """Processes that do the arithmetic while this one reads and writes. Fresh ones: a fork would share our connection
    to the database.
    """

    def __init__(self, jobs: int, *knowledge: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.depth = 2 * jobs
        self.processes = ProcessPoolExecutor(jobs, context, initializer=resealing.know, initargs=knowledge)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.processes.shutdown(cancel_futures=True)

    def ask(self, work: Callable[..., Any], *what: Any) -> Any:
        return self.processes.submit(work, *what).result()

    def ahead(self, work: Callable[..., Any], how: Any, read: Iterable[Block]) -> Batches:
        return _ahead(self.processes, self.depth, work, ((block, how, block.text) for block in read))


class Writers:
    """Threads that write blocks, each on a connection of its own: the server uses as many cores as the processes."""

    def __init__(self, jobs: int) -> None:
        self.jobs, self.opened = jobs, set[Any]()
        self.threads = ThreadPoolExecutor(jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.threads.shutdown(cancel_futures=True)
        for each in self.opened:
            each.close()

    def ahead(self, work: Callable[..., Any], batches: Batches) -> Batches:
        return _ahead(
            self.threads, self.jobs, partial(self._here, work), ((block, block, made) for block, made in batches)
        )

    def _here(self, work: Callable[..., Any], *what: Any) -> Any:
        here = connections[DEFAULT_DB_ALIAS]
        if here not in self.opened:
            here.inc_thread_sharing()  # closed by the thread that made us
            self.opened.add(here)
        return work(*what)


def _ahead(executor: Executor, depth: int, work: Callable[..., Any], asked: Iterable[tuple[Any, ...]]) -> Batches:
    """Each block with what became of it, in order; a few are under way at once. `asked` are (block, *arguments)."""
    waiting: deque[tuple[Block, Future[Any]]] = deque()
    for block, *arguments in asked:
        waiting.append((block, executor.submit(work, *arguments)))
        if len(waiting) > depth:
            done, answer = waiting.popleft()
            yield done, answer.result()
    while waiting:
        done, answer = waiting.popleft()
        yield done, answer.result()
