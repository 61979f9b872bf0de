"""The state: what do earlier runs of a route know, and how is it kept?"""
