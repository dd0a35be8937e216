"""The pages' copy of the protocol."""

from realtime import protocol_js


def test_the_script_of_the_pages_says_what_the_server_says():
    assert protocol_js.PATH.read_text() == protocol_js.text(), "see realtime/protocol_js.py"
