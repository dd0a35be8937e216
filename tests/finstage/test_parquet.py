"""Tables as Parquet, read back by somebody else's reader."""

import io
from datetime import UTC, date, datetime

import polars
from hypothesis import given, settings
from hypothesis import strategies as some

from finstage import parquet
from finstage.parquet import Column

WHOLE, TEXT = some.integers(-(2**63), 2**63 - 1), some.text(some.characters(exclude_categories=["Cs"]))
INSTANTS = some.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001 - the zone is written behind them
DATES = some.dates(date(1800, 1, 1), date(2200, 1, 1))
KINDS = {
    "text": (parquet.TEXT, TEXT),
    "whole": (parquet.WHOLE, WHOLE),
    "number": (parquet.NUMBER, some.floats(allow_nan=False)),
    "truth": (parquet.TRUTH, some.booleans()),
    "date": (parquet.DATE, DATES),
    "instant": (parquet.INSTANT, INSTANTS.map(lambda at: at.replace(tzinfo=UTC))),
}
ROWS = some.lists(some.fixed_dictionaries({name: some.none() | each for name, (_, each) in KINDS.items()}), max_size=40)


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


@settings(max_examples=60, deadline=None)
@given(ROWS, TEXT)
def test_what_is_written_is_read_whatever_is_lacking(rows, fact):
    columns = [Column(name, kind) for name, (kind, _) in KINDS.items()]
    told = [{name: plain(value) for name, value in row.items()} for row in rows]
    file = parquet.table(columns, told, {"fact": fact})
    assert polars.read_parquet(file).to_dicts() == rows
    assert polars.read_parquet_metadata(io.BytesIO(file))["fact"] == fact


def test_a_table_of_many_columns_and_rows_is_whole():
    columns = [Column(f"c{number}", parquet.WHOLE) for number in range(20)]
    rows = [{column.name: place for column in columns} for place in range(20_000)]
    assert polars.read_parquet(parquet.table(columns, rows, {})).to_dicts() == rows
