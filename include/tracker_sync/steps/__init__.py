"""The steps of a run, one a task: a client, a route and a workspace in, a small value out."""

from tracker_sync.arrow_memory import take_frugal_pool


take_frugal_pool()
