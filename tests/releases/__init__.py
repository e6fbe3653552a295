"""Model releases for tests, written to a folder by the standard library alone.

``example`` is a whole release with every kind of file that we read, ``small`` a fast one, ``hostile``
what must be refused. The formats are written by hand in ``writers``: a test that made its input with the
library that reads it would only prove that the library agrees with itself.
"""
