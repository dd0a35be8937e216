"""Named caches of answers that cost something to compute.

    caches.technical_analysis.answer(("AAPL", "1d", "1y"), version, compute).body

A key holds all that an answer depends on, and its version is compared: what has another one is not there. So a cache
is never wrong, and a time is only the ceiling. What moves with every quote is kept in none.

named           one cache: its front, what processes share, and one computation for all who ask
store           what a process keeps, bounded in bytes
shared          bytes in Django's cache, which is our Redis; what can be done without
flights         in a process one computes and the others wait
"""

from monitoring.caches.named import Cache, Kept, Made

__all__ = ["Cache", "Kept", "Made", "technical_analysis"]

technical_analysis = Cache("technical_analysis", ttl_seconds=600)
