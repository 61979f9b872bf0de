"""The loading: how does a batch get to the destination, a line for each of its objects?"""
