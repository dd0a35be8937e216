"""What was revised, over HTTP.

shapes          what is told of one
listed          all of them, and those of a symbol
"""
