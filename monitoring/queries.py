"""What may stand behind the `?` of a read: checked once, documented once, refused with what is allowed."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

PAGING = [
    OpenApiParameter(
        "cursor", {"type": "string", "minLength": 1}, description="Where the page begins, as `next` and `previous` say."
    ),
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, description="Rows in a page."
    ),
]


WHOLE = re.compile(r"-?[0-9]+")  # no digits of other scripts, no `5.0`, `1_000` or blanks, which int() takes too


class Query(serializers.Serializer):
    """The parameters of a read. A refused one has the code `invalid_<parameter>`.

    A field with a true `are_many` is a list: it is said by commas, by repeating its name, or both.
    """

    @classmethod
    def read(cls, request) -> dict:
        """The checked parameters; raises ValidationError, one message for each that cannot be."""
        return cls.of(request.query_params)

    @classmethod
    def of(cls, params: QueryDict) -> dict:
        """The same of parameters as they were said."""
        said = {name: params.getlist(name) for name in params}
        query = _reader(cls)
        many = {name for name, field in query.fields.items() if getattr(field, "are_many", False)}
        try:
            return query.run_validation(
                {name: ",".join(each) if name in many else each[-1] for name, each in said.items()}
            )
        except ValidationError as refusal:
            raise ValidationError(
                {
                    name: [ErrorDetail(error, _code(name, error)) for error in errors]
                    for name, errors in refusal.detail.items()
                }
            ) from None


@cache
def _reader(kind: type[Query]) -> Query:
    """One for all requests: fields are copied for each serializer, which takes longer than to check by them."""
    return kind()


class Text(serializers.CharField):
    """A text without the blanks around it; its length counts as it is said, with them. A number in JSON is none."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = super().to_internal_value(data)
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return text


class Choice(serializers.ChoiceField):
    """One word of a few; the refusal lists them."""

    def __init__(self, choices: Iterable[str], **kwargs) -> None:
        words = list(choices)
        allowed = f'"{{input}}" is not known here; it can be {", ".join(words)}.'
        super().__init__(words, error_messages={"invalid_choice": allowed, "blank": allowed}, **kwargs)


class Count(serializers.IntegerField):
    """A whole number within bounds."""

    def __init__(self, *, min_value: int, max_value: int, **kwargs) -> None:
        allowed = f"It must be a whole number from {min_value} to {max_value}."
        messages = dict.fromkeys(("invalid", "min_value", "max_value", "max_string_length"), allowed)
        super().__init__(min_value=min_value, max_value=max_value, error_messages=messages, **kwargs)

    def to_internal_value(self, data: object) -> int:
        """Of a number in JSON without a fraction, or of ASCII digits."""
        if type(data) is int or (isinstance(data, str) and WHOLE.fullmatch(data)):
            return super().to_internal_value(data)
        self.fail("invalid")


class Truth(serializers.BooleanField):
    """`true` or `false`, as JSON has them or as a query says them, and no other word for either."""

    default_error_messages = {"invalid": "It must be true or false."}
    _SAID = {"true": True, "false": False}

    def to_internal_value(self, data: object) -> bool:
        if isinstance(data, str) and data in self._SAID:
            return self._SAID[data]
        if isinstance(data, bool):
            return data
        self.fail("invalid")


@extend_schema_field({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]})
class Instant(serializers.Field):
    """A date, or an instant with its offset, which becomes a datetime in UTC. Whoever asks knows whose date it is."""

    default_error_messages = {
        "invalid": '"{input}" is no date or time; write 2012-03-01, or 2012-03-01T14:30:00Z with its offset.',
        "out_of_bounds": '"{input}" is too far away; years go from 1800 to 2200.',
    }

    def to_internal_value(self, data: object) -> date | datetime:
        try:
            said = self._parsed(data) if isinstance(data, str) else None
        except (ValueError, OverflowError):
            said = None
        if said is None:
            self.fail("invalid", input=str(data)[:40])
        if not 1800 <= said.year <= 2200:
            self.fail("out_of_bounds", input=data[:40])
        return said

    def to_representation(self, value: date | datetime) -> str:
        return value.isoformat()

    def _parsed(self, text: str) -> date | datetime | None:
        if (day := parse_date(text)) is not None:
            return day
        # An unescaped `+` of an offset arrives as a space.
        instant = parse_datetime(text.replace(" ", "+"))
        return instant.astimezone(UTC) if instant is not None and instant.tzinfo is not None else None


@extend_schema_field({"type": "string", "format": "date"})
class Day(Instant):
    """A date alone; whoever asks knows whose."""

    default_error_messages = {"invalid": '"{input}" is no date; write 2012-03-01.'}

    def to_internal_value(self, data: object) -> date:
        said = super().to_internal_value(data)
        if isinstance(said, datetime):
            self.fail("invalid", input=str(data)[:40])
        return said


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(Instant):
    """An instant, with its offset: without one it would be another in each zone."""

    default_error_messages = {"invalid": '"{input}" is no instant; write 2012-03-01T14:30:00Z with its offset.'}

    def to_internal_value(self, data: object) -> datetime:
        said = super().to_internal_value(data)
        if not isinstance(said, datetime):
            self.fail("invalid", input=str(data)[:40])
        return said

    def to_representation(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Past(Moment):
    """An instant that has been."""

    default_error_messages = {"ahead": '"{input}" is still to come.'}

    def to_internal_value(self, data: object) -> datetime:
        said = super().to_internal_value(data)
        if said > datetime.now(UTC):
            self.fail("ahead", input=str(data)[:40])
        return said


class Span(Query):
    """From `start` to `end`, both included."""

    start = Instant(required=False, help_text="The first date or instant that counts.")
    end = Instant(required=False, help_text="The last date or instant that counts; a date counts whole.")

    def validate(self, attrs: dict) -> dict:
        start, end = attrs.get("start"), attrs.get("end")
        if start and end and _is_after(start, end):
            sentence = f"start ({start.isoformat()}) is after end ({end.isoformat()}); it must not be later."
            raise ValidationError({"start": [sentence]}, code="invalid_range")
        return attrs


def _is_after(start: date | datetime, end: date | datetime) -> bool:
    """Whether it is so wherever one is: a date begins and ends at another moment in each zone."""
    if isinstance(start, datetime) == isinstance(end, datetime):
        return start > end
    first, last = (
        each if isinstance(each, datetime) else datetime.combine(each, time.min, UTC) for each in (start, end)
    )
    return first - last > timedelta(days=2)


def _code(name: str, error: ErrorDetail) -> str:
    return error.code if error.code == "invalid_range" else f"invalid_{name}"
