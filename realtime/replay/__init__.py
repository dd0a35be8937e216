"""A client's own player: past sessions over the same messages, to this client alone. Nothing of it is stored.

body            what a session says, as the feed would have said it
events          the next session in which something happens, and what rings of one
digest          whether two replays said the same
playing         one client's replay: it plays, waits for who reads slowly, and is steered
turns           who makes messages, one replay after the other
seats           how many there are, of whom
steering        what a client may say to it
"""
