// Made from realtime/messages by realtime/protocol_js.py.
export const PROTOCOL = 1;
export const HEARTBEAT_SECONDS = 30;
export const SILENCE_SECONDS = 120;
export const TYPES = ["prices", "bars", "indicators", "signals", "alerts", "news", "system", "all", "jobs", "metrics"];
export const UNNAMED_TYPES = ["system", "jobs", "metrics"];
export const ACTIONS = ["subscribe", "unsubscribe", "get_current_prices", "get_history", "configure", "authenticate", "ping", "replay", "pause", "resume", "seek", "stop"];
export const MESSAGES = ["connected", "subscribed", "unsubscribed", "current_prices", "configured", "pong", "price_update", "price_updates", "bar", "correction", "indicators", "signal", "alert", "news", "system_status", "service_status", "jobs", "metric", "history", "authenticated", "replay", "epoch", "renamed", "gap", "server_shutdown", "error"];
export const CLOSE = {"slow_client": 4008, "server_shutdown": 4012, "too_many_requests": 4013, "silent": 4014, "invalid_token": 4501, "authentication_timeout": 4502, "origin_not_allowed": 4503, "too_many_errors": 4509};
