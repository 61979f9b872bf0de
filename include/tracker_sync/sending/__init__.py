"""The sending: how do requests go out, and what did the destination make of each object?"""
