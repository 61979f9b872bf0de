"""What is a small DHIS2 to try things on?

Real HTTP, real SQLite, and the refusals of a real server: its behaviour is checked against
recorded exchanges with a real DHIS2 (tests/sandbox/test_contract.py). It shares no code with
the client, so that an error in one cannot hide in the other.
"""
