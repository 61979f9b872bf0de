"""The command that prints the page of the codes."""

import sys

from tracker_sync.codes.page import page


sys.stdout.write(page())
