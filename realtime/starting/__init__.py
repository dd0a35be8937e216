"""Symbols that a client subscribes to and nobody collects yet: they are asked for, and join its subscription.

asking      what is asked for in somebody's name, and what became of it: in the sockets' threads
waiting     the clients of this process that wait for a symbol
"""

from realtime.starting.waiting import Starting

__all__ = ["Starting"]
