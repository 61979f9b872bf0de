"""How is a tracker payload to be taken?"""

from collections.abc import Mapping
from dataclasses import dataclass

from dhis2_sandbox.http.answers import Refused


#: Per parameter: the values it takes, the default first.
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "importStrategy": ("CREATE_AND_UPDATE", "CREATE", "UPDATE", "DELETE"),
    "atomicMode": ("ALL", "OBJECT"),
    "importMode": ("COMMIT", "VALIDATE"),
    "reportMode": ("ERRORS", "FULL", "WARNINGS"),
    "validationMode": ("FULL", "FAIL_FAST", "SKIP"),
    "flushMode": ("AUTO", "OBJECT"),
}


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """How a payload is to be taken."""

    strategy: str = "CREATE_AND_UPDATE"
    atomic: bool = True
    validate_only: bool = False
    with_warnings: bool = False
    full: bool = False


def options_from(parameters: Mapping[str, str]) -> TrackerOptions:
    """Read the parameters, in any case of letters.

    Raises:
        Refused: 400 for a word that is none of the choices (recordings: 087 to 089).
    """
    chosen = {}
    for name, choices in _CHOICES.items():
        value = parameters.get(name) or choices[0]
        if value.upper() not in choices:
            listed = ", ".join(choices)
            message = (
                f"Value '{value}' is not valid for parameter {name}. Valid values are: [{listed}]"
            )
            raise Refused(400, message)
        chosen[name] = value.upper()
    return TrackerOptions(
        strategy=chosen["importStrategy"],
        atomic=chosen["atomicMode"] == "ALL",
        validate_only=chosen["importMode"] == "VALIDATE",
        with_warnings=chosen["reportMode"] != "ERRORS",
        full=chosen["reportMode"] == "FULL",
    )
