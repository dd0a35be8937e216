"""The sockets over HTTP: their protocol, how they are, and what staff do with them."""
