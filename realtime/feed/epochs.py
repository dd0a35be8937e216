"""Where played time begins anew: what was played has not happened yet."""

from datetime import UTC, datetime

from market.models import DataSource
from monitoring import formats, redis
from realtime import events, kinds, messages, streams

_FORMAT = formats.Format(int)


def announced() -> int | None:
    """The epoch that was announced last, None where there is none."""
    return _FORMAT.unpack(redis.client().get(_key()))


def announce(epoch: int, text: str) -> None:
    """Begin every stream anew, and say why. Safe to run again."""
    streams.renew_kinds({kind.name for kind in kinds.RENEWED})
    if text:
        said = [messages.system(f"{text} Every stream begins anew.", datetime.now(UTC))]
        events.keep(said, streams.publish(said, batch=f"feed:epoch:{epoch}"))
    redis.client().set(_key(), _FORMAT.pack(epoch))


def now() -> int:
    return DataSource.objects.epoch()


def _key() -> str:
    return _FORMAT.key("feed", "epoch")
