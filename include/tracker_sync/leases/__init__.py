"""The leases: which run may write to a route's destination now?"""
