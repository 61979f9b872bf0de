"""A shelf for jobs of tasks that are never killed."""

from __future__ import annotations


class Memory:
    """Keeps the UIDs of jobs as long as the test lasts."""

    def __init__(self) -> None:
        self._jobs: list[str] = []

    def read(self) -> list[str]:
        return self._jobs

    def write(self, jobs: list[str]) -> None:
        self._jobs = jobs
