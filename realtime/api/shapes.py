"""What is told of sockets and said to them over HTTP, for the documents. Rows do not pass through these."""

from drf_spectacular.utils import OpenApiResponse, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import APIException

REFUSED = OpenApiResponse(description="Only staff may.")
NO_CLIENT = "unknown_client"
MISSING = "X-Missing-Processes"


class NoAnswer(APIException):
    """Somebody may have what is asked for, and did not answer in time."""

    status_code = 503
    default_code = "no_answer"
    default_detail = "A web process that may know did not answer within a second; try again."
    wait = 2


class Process(serializers.Serializer):
    process = serializers.CharField()
    pid = serializers.IntegerField()
    began_at = serializers.DateTimeField()
    active_connections = serializers.IntegerField()
    total_messages_sent = serializers.IntegerField()
    messages_per_second = serializers.FloatField()
    slow_clients = serializers.IntegerField()
    slow_disconnects = serializers.IntegerField()
    gaps_told = serializers.IntegerField()


@extend_schema_serializer(component_name="SocketStatus")
class Status(serializers.Serializer):
    active_connections = serializers.IntegerField()
    total_messages_sent = serializers.IntegerField(help_text="By the processes that live, since each began.")
    subscribed_symbols = serializers.IntegerField(help_text="Of which somebody holds a stream.")
    subscription_stats = serializers.DictField(
        child=serializers.IntegerField(), help_text="Clients by the type that they asked with, `all` apart."
    )
    messages_per_second = serializers.FloatField()
    slow_clients = serializers.IntegerField(help_text="Behind with reading now.")
    slow_disconnects = serializers.IntegerField(help_text="Closed as they did not read.")
    gaps_told = serializers.IntegerField(help_text="To clients, of what could not be had again.")
    processes = serializers.IntegerField()
    process_list = Process(many=True, required=False, help_text="For staff.")


@extend_schema_serializer(component_name="SocketClient")
class Client(serializers.Serializer):
    client_id = serializers.CharField()
    connected_at = serializers.DateTimeField()
    connection_duration_seconds = serializers.IntegerField()
    message_count = serializers.IntegerField(help_text="Sent to it.")
    subscriptions = serializers.ListField(
        child=serializers.CharField(), help_text="Symbols; of more than 100 the first."
    )
    subscription_count = serializers.IntegerField(help_text="How many symbols there are.")
    streams = serializers.ListField(
        child=serializers.CharField(), help_text="By their full names; of more than 100 the first."
    )
    stream_count = serializers.IntegerField()
    types = serializers.ListField(child=serializers.CharField(), help_text="That it asked with.")
    is_active = serializers.BooleanField(help_text="False while it is being closed.")
    is_slow = serializers.BooleanField(help_text="Behind with reading for more than a second.")
    behind_seconds = serializers.FloatField()
    waiting_messages = serializers.IntegerField(help_text="Not taken yet.")
    user_id = serializers.IntegerField(allow_null=True, help_text="Where it holds what needs a login.")


@extend_schema_serializer(component_name="SocketClosed")
class Closed(serializers.Serializer):
    client_id = serializers.CharField()
    closed = serializers.BooleanField()


@extend_schema_serializer(component_name="BroadcastAnswer")
class Delivered(serializers.Serializer):
    delivered = serializers.IntegerField(help_text="To how many clients.")
    id = serializers.CharField()
    seq = serializers.IntegerField(allow_null=True, help_text="Its number in the stream `system`, where it has one.")
    missing_processes = serializers.IntegerField(help_text="Whose clients are not counted: they did not answer.")


@extend_schema_serializer(component_name="StreamingAnswer")
class Streaming(serializers.Serializer):
    status = serializers.CharField(help_text="`streaming` or `stopped`.")
    symbols = serializers.ListField(child=serializers.CharField(), help_text="By their tickers of today.")
    unknown = serializers.ListField(child=serializers.CharField(), help_text="What names no symbol here.")
