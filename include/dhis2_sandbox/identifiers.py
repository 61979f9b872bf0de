"""What is a DHIS2 UID?"""

import hashlib
import re
import secrets
import string


_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")
_LETTERS = string.ascii_letters
_SIGNS = string.ascii_letters + string.digits


def is_uid(text: object) -> bool:
    """Tell whether this is eleven letters and digits, a letter first."""
    return isinstance(text, str) and _UID.fullmatch(text) is not None


def new_uid() -> str:
    """Return a UID nobody has used."""
    return secrets.choice(_LETTERS) + "".join(secrets.choice(_SIGNS) for _ in range(10))


def uid_derived_from(text: str) -> str:
    """Return the same UID for the same text, e.g. for what DHIS2 keeps beside an object."""
    digest = hashlib.sha256(text.encode()).digest()
    return _LETTERS[digest[0] % 52] + "".join(_SIGNS[byte % 62] for byte in digest[1:11])
