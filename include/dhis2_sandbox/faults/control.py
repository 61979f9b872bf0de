"""How does a test order faults of a running sandbox?"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from dhis2_sandbox.faults.layer import CONTROL


@dataclass(frozen=True, slots=True)
class FaultControl:
    """Orders faults of the sandbox at a base URL, which has to be started with faults.

    For example, the second import is done, but its answer is lost:

        FaultControl(url).order("reset", method="POST", path="/api/tracker", after=1, done=True)
    """

    base_url: str

    def order(
        self, kind: str, *, method: str = "", path: str = "", **terms: Any
    ) -> list[dict[str, Any]]:
        """Add one rule, and return all of them.

        Args:
            kind: which fault, e.g. "status".
            method: a regular expression, e.g. "POST|PUT".
            path: a regular expression that is looked for in path and query.
            terms: after, times, chance and seed of the rule; anything else is the fault's.

        Raises:
            HTTPError: 400 for what is no rule, 404 for a sandbox without faults.
        """
        own = {name: terms.pop(name) for name in _OF_THE_RULE if name in terms}
        rule = {"match": {"method": method, "path": path}, "fault": {"kind": kind, **terms}, **own}
        return self._call("POST", [rule])

    def clear(self) -> None:
        """Let everything go well again."""
        self._call("DELETE")

    def told(self) -> list[dict[str, Any]]:
        """Return the rules; `seen` and `met` say how many requests matched, and met the fault."""
        return self._call("GET")

    def _call(self, method: str, rules: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        body = None if rules is None else json.dumps(rules).encode()
        # The address is the test's own server.
        request = Request(self.base_url + CONTROL, data=body, method=method)  # noqa: S310
        with urlopen(request, timeout=30) as response:  # noqa: S310
            told: list[dict[str, Any]] = json.load(response)
        return told


_OF_THE_RULE = ("after", "times", "chance", "seed")
