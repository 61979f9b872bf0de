"""The command that prints a page of codes: those of data, or with `metadata` those of metadata."""

import sys

from tracker_sync.codes import of_metadata
from tracker_sync.codes.page import page


sys.stdout.write(of_metadata.page() if sys.argv[1:] == ["metadata"] else page())
