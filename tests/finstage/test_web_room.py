"""How many clients the web process lets in: as many as there are files for."""

import resource

import pytest

from finstage.management.commands import web


@pytest.mark.parametrize(("most", "room"), [(20_000, 19_872), (1024, 896), (100, 2), (resource.RLIM_INFINITY, 65_408)])
def test_the_files_that_the_system_allows_are_the_clients_but_for_a_few(monkeypatch, most, room):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, most))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: None)
    assert web.room_for_clients() == room
