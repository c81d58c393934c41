"""Tests of a whole cloud that lives in their process.

They are a package, so that the cloud ends with the last of them that runs: tests of other directories put
false clocks in place of the true ones, and its threads would go by those.
"""
