"""`manage.py feed`: play the source to the streams."""

import signal
import threading

from django.core.management.base import BaseCommand, CommandError

from finstage import golive
from market.sources import WrongSource, source
from realtime import feed
from realtime.lease import LeaseLost


class Command(BaseCommand):
    help = "Play the source's prices to the database and the streams. A second one stands by."

    def handle(self, *args: object, **options: object) -> None:
        end, stop = threading.Event(), threading.Event()

        def ask_to_end(*_: object) -> None:
            end.set()
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ask_to_end)
        try:
            while not end.is_set():
                golive.when_wished()
                stop.clear()
                if not end.is_set():
                    feed.run(source(), stop)
        except WrongSource as error:
            raise CommandError(error) from error
        except LeaseLost as error:
            raise CommandError("Another feed plays: this one was cut off for longer than its lease.") from error
