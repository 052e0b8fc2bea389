"""The rules: recorded numbers in, events out. Pure Python, no torch, no I/O, no clock.

A rule is a class with some of `step`, `evaluation` and `finish`, each of which yields events; the last is
called once, after a training that came to its end. A rule whose input was not recorded is silent. Limits come
from `Policy` alone.
"""
