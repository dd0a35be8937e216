"""Others' ways to hand price updates to many sockets, each as its own documentation writes it.

`python -m tests.bench.stream.rivals.NAME PORT`. All read what a client asks for as our protocol says it, answer it with
`subscribed`, and get their updates as lines on stdin, but for those whose module says otherwise.
"""
