"""The one way out to addresses that people write: a guarded client.

addresses       which addresses the public internet has (pure)
places          what an address of the web may look like, and where it leads
client          what is asked there, once and within bounds

Only public addresses are connected to, and those of networks that the settings allow: what a name leads to is looked
up once, all of it is judged, and the connection goes to what was judged. Nothing is followed.
"""

from monitoring.outbound.client import Answer, Unreached, ask
from monitoring.outbound.places import Refused, check

__all__ = ["Answer", "Refused", "Unreached", "ask", "check"]
