"""What was told and must not be lost, as rows: for a client that missed more than the streams keep.

A row is written behind the telling, by the place that this gave its message, so that a retry writes it once; what a
crash left out is taken from the streams' history, which outlasts it by a day.
"""

from realtime.events.writing import forget_before, forget_passes, keep, mend, rename

__all__ = ["forget_before", "forget_passes", "keep", "mend", "rename"]
