"""How does the sandbox speak HTTP?"""
