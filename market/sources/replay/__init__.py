"""Recorded sessions, played one after the other.

source          what the feed and the jobs see
recording       the sessions themselves
"""
