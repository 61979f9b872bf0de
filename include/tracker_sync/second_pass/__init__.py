"""The second pass: who was refused because of an order, and what mends it?"""
