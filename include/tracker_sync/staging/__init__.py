"""The staging: how does what was read become flat tables, checked before they are used?"""
