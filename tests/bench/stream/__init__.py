"""What `make bench stream` stands on: a ground of pinned processes, clients that count, publishers, and rivals.

ground          starts servers on one core, and clients and publishers on the other; counts processor seconds
client.c        many sockets in one process; counts price updates and how old they are when they come
publisher       says prices at a pace: to our streams, or as lines to a rival
updates         what all of them say: a price update of 240 bytes
rounds          servers by turns, each with the same clients and the same updates
loop.c          the limit: a fan-out in C, with one send() an update or, as ours, one a client and flush
rivals          others' ways to do the same, one module each
"""
