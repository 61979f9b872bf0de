"""The steps of a run, one a task: a client, a route and a workspace in, a small value out."""
