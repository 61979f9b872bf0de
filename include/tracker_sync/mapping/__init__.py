"""The mapping: what is called otherwise at the destination, and what becomes of it?"""
