"""What reaches into another program's internals, one module for each place that it reaches.

Each module says why, and in which versions it was seen to fit. A canary test fails, and names the
module to change, when the other program has become different.
"""
