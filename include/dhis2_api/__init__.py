"""How DHIS2 speaks: requests in, JSON out, typed errors otherwise."""
