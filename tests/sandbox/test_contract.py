"""Does the sandbox answer like the real server did?"""

from pathlib import Path

import pytest

from dhis2_sandbox.versions import DIALECTS
from sandbox.agreement import GOAL, agreement
from sandbox.exchanges import known_differences


_DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"


@pytest.mark.parametrize("version", sorted(DIALECTS))
def test_every_recorded_exchange_goes_as_it_went_on_the_real_server(
    version: str, tmp_path: Path
) -> None:
    reasons = known_differences(version)

    found = agreement(version, tmp_path)

    assert len(found.names) > 300
    print(found)  # noqa: T201 - the agreement is a number to read
    unexplained = sorted(found.differing - set(reasons))
    stale = sorted(set(reasons) - found.differing)
    assert not unexplained, f"differ without a reason: {unexplained}"
    assert not stale, f"agree by now, so their reason is to go: {stale}"
    assert found.share >= GOAL


@pytest.mark.parametrize("version", sorted(DIALECTS))
def test_the_document_gives_the_reason_of_every_difference(version: str) -> None:
    reasons = known_differences(version)
    assert reasons

    text = _DOCUMENT.read_text(encoding="utf-8")

    section = text.split(f"### {version}\n")[1].split("\n#")[0]
    listed = dict(line[3:].split("`: ", 1) for line in section.splitlines() if line[:3] == "* `")
    assert listed == reasons
