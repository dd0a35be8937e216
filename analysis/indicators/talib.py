"""TA-Lib without pandas: the one place that imports it.

Its package imports pandas only to accept Series. We pass arrays, and pandas would cost every web process 46 MB, so
where nobody has imported it yet TA-Lib is told for the moment of its import that there is none, which it handles.
"""

import sys

_hidden = "pandas" not in sys.modules
if _hidden:
    sys.modules["pandas"] = None  # type: ignore[assignment]
try:
    import talib as functions
    from talib import InsufficientHistory, abstract, stream
finally:
    if _hidden:
        del sys.modules["pandas"]

__all__ = ["InsufficientHistory", "abstract", "functions", "stream"]
