"""Proxies between users' browsers and the consoles of guests: websockets on one side, plain TCP on the other.

A proxy belongs to a cell, whose database says what a token opens; see `proxy`.
"""
