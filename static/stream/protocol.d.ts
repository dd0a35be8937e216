// Made from the schema at /api/v2/realtime/schema by realtime/protocol_ts.py.

export type Type = "prices" | "bars" | "indicators" | "signals" | "alerts" | "news" | "system" | "all" | "jobs" | "metrics";

/** The first message. */
export interface Connected {
  type: "connected";
  client_id: string;
  heartbeat_seconds: number;
  protocol: number;
}

/** Where each stream is, all that is held now, and the newest of each that starts here. A large answer comes in pieces: all but the last have `more`. `published` is false where nobody tells of it yet. Symbols that are `starting` are asked for at the source: each comes in another answer with the same id, or in an error. */
export interface Subscribed {
  type: "subscribed";
  streams: Record<string, Record<string, any>>;
  snapshot: Array<Record<string, any>>;
  id?: string | number;
  subscriptions?: Array<string>;
  more?: true;
  starting?: Array<string>;
  published?: false;
}

/** These streams have ended: it was asked for, or the rights to them ended, or nobody can tell for now. */
export interface Unsubscribed {
  type: "unsubscribed";
  streams: Array<string>;
  subscriptions: Array<string>;
  reason: "asked" | "rights_ended" | "rights_unknown";
  id?: string | number;
}

/** The answer to `get_current_prices`, by the names that were asked for. */
export interface CurrentPrices {
  type: "current_prices";
  timestamp: string;
  prices: Record<string, Record<string, any> | null>;
  id?: string | number;
}

/** How prices come now. */
export interface Configured {
  type: "configured";
  batch: boolean;
  pace_ms: number | null;
  fields: Array<"current_price" | "previous_close" | "change" | "change_percent" | "volume" | "timestamp" | "session_date" | "as_of_precision" | "source" | "received_at" | "market_state" | "open" | "high" | "low" | "extended"> | null;
  id?: string | number;
}

/** The answer to `ping`. */
export interface Pong {
  type: "pong";
  timestamp: string;
  id?: string | number;
}

/** A price. `seq` grows by one a price; a skipped one shows in it. */
export interface PriceUpdate {
  type: "price_update";
  symbol: string;
  current_price: number;
  previous_close: number | null;
  change: number | null;
  change_percent: number | null;
  volume: number | null;
  timestamp: string;
  session_date: string;
  as_of_precision: "second" | "day";
  source: string;
  received_at: string;
  market_state: "open" | "closed" | "pre" | "post";
  open: number | null;
  high: number | null;
  low: number | null;
  seq: number;
  extended?: Record<string, any> | null;
  replay?: true;
}

/** All prices of one flush, for who asked for `batch`. */
export interface PriceUpdates {
  type: "price_updates";
  updates: Array<Record<string, any>>;
}

/** A bar as it forms, when it has closed, and when its source has settled it. */
export interface Bar {
  type: "bar";
  symbol: string;
  interval: string;
  opened_at: string;
  session_date: string;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number | null;
  adjustment: "raw" | "split" | "split_dividend";
  state: "forming" | "closed" | "final";
  is_final: boolean;
  revision: number;
  as_of: string;
  as_of_precision: "second" | "day";
  source: string;
  received_at: string;
  version: string;
  stream: string;
  seq: number;
  replay?: true;
}

/** Bars that were held say something else now: what is kept of the range is read again. */
export interface Correction {
  type: "correction";
  symbol: string;
  interval: string;
  from: string;
  to: string;
  reason: "revision" | "settled" | "split" | "dividend" | "capital_gain" | "spin_off" | "renamed";
  version: string;
  stream: string;
  seq: number;
  replay?: true;
}

/** The newest values of a symbol's indicators, null while one warms up; `reasons` says why else one has none. */
export interface Indicators {
  type: "indicators";
  symbol: string;
  interval: string;
  as_of: string;
  session_date: string;
  as_of_precision: "second" | "day";
  adjustment: string;
  state: "forming" | "closed" | "final";
  is_final: boolean;
  values: Record<string, Record<string, number | null>>;
  reasons: Record<string, string>;
  source: string;
  received_at: string;
  version: string;
  stream: string;
  seq: number;
  analysis?: Record<string, any>;
  replay?: true;
}

/** A rule saw something on a bar. */
export interface Signal {
  type: "signal";
  symbol: string;
  interval: string;
  rule: string;
  direction: "up" | "down" | "none";
  state: "provisional" | "confirmed" | "withdrawn" | "revised";
  as_of: string;
  as_of_precision: "second" | "day";
  session_date: string;
  price: number;
  record: Record<string, any> | null;
  source: string;
  received_at: string;
  version: string;
  stream: string;
  seq: number;
  id?: number;
  holds?: boolean;
  values?: Record<string, any> | null;
  replay?: true;
}

/** A condition has come true. */
export interface Alert {
  type: "alert";
  symbol: string | null;
  kind: string;
  severity: "info" | "warning" | "critical";
  message: string;
  timestamp: string;
  session_date?: string;
  as_of_precision?: "second" | "day";
  price?: number;
  id?: number;
  source?: string;
  received_at?: string;
  values?: Record<string, number | null>;
  stream?: string;
  seq?: number;
  replay?: true;
}

/** News of symbols, or of the market. */
export interface News {
  type: "news";
  id: number;
  title: string;
  url: string;
  publisher: string;
  published_at: string;
  symbols: Array<string>;
  source: string;
  stream: string;
  seq: number;
}

/** What staff or the system have to say. */
export interface SystemStatus {
  type: "system_status";
  message: string;
  timestamp: string;
  market?: Record<string, any>;
  stream?: string;
  seq?: number;
}

/** Whether prices can come: the store, the feed, its source, and why the source gives none. */
export interface ServiceStatus {
  type: "service_status";
  redis: boolean;
  feed: boolean;
  source: boolean;
  detail: string | null;
  timestamp: string;
}

/** Jobs that changed, for staff. */
export interface Jobs {
  type: "jobs";
  jobs: Array<Record<string, any>>;
  is_whole: boolean;
  stream: string;
  seq: number;
}

/** Figures about this service, for staff. */
export interface Metric {
  type: "metric";
  metrics: Record<string, any>;
  timestamp: string;
  stream: string;
  seq: number;
}

/** The answer to `get_history`. What only a snapshot keeps has no `seq`. */
export interface History {
  type: "history";
  symbol: string;
  prices: Array<Record<string, any>>;
  id?: string | number;
}

/** Who the client is now. */
export interface Authenticated {
  type: "authenticated";
  user: string;
  id?: string | number;
}

/** How a replay stands, of which `at` is the session: as it begins, when it is steered, and as it ends. One that has ended can be sought in; one that stands still for ten minutes stops, and `reason` says why one did. */
export interface Replay {
  type: "replay";
  state: "playing" | "paused" | "ended" | "stopped";
  at: string;
  id?: string | number;
  symbols?: Array<string>;
  start?: string;
  end?: string;
  speed?: number;
  messages?: number;
  reason?: "asked" | "idle" | "rights_ended" | "failed";
  session_date?: string;
  event?: Record<string, any>;
}

/** A stream begins anew: its numbers start again. */
export interface Epoch {
  type: "epoch";
  stream: string;
  epoch: string;
  seq: number;
}

/** A stream goes on under another name, where it was. */
export interface Renamed {
  type: "renamed";
  stream: string;
  to: string;
}

/** Messages that can't be had here any more; `rest` says where their facts are. In mode `every` what forms counts too, which is not kept: it is missing between what is (`not_kept`). */
export interface Gap {
  type: "gap";
  stream: string;
  epoch: string;
  from: number;
  to: number;
  reason: "history_expired" | "epoch_changed" | "limit" | "not_kept";
  rest?: string;
}

/** The server stops: come back after so many seconds. */
export interface ServerShutdown {
  type: "server_shutdown";
  retry_after: number;
}

/** An action, or a part of it, that is not carried out. With unknown symbols it comes ahead of the answer for the others, or when the source has said that it does not know one that was starting. */
export interface Error {
  type: "error";
  code: "malformed" | "binary" | "empty" | "oversized" | "too_deep" | "duplicate_key" | "not_a_number" | "unknown_action" | "invalid" | "unknown_type" | "unknown_symbol" | "too_many_symbols" | "rate_limited" | "login_required" | "staff_only" | "invalid_token" | "temporarily_unavailable" | "too_many_indicators" | "no_room" | "too_many_connections" | "no_bars" | "no_replay" | "too_many_replays" | "no_event" | "not_started";
  message: string;
  id?: string | number;
  symbols?: Array<string>;
  retry_after?: number;
}

export interface Messages {
  connected: Connected;
  subscribed: Subscribed;
  unsubscribed: Unsubscribed;
  current_prices: CurrentPrices;
  configured: Configured;
  pong: Pong;
  price_update: PriceUpdate;
  price_updates: PriceUpdates;
  bar: Bar;
  correction: Correction;
  indicators: Indicators;
  signal: Signal;
  alert: Alert;
  news: News;
  system_status: SystemStatus;
  service_status: ServiceStatus;
  jobs: Jobs;
  metric: Metric;
  history: History;
  authenticated: Authenticated;
  replay: Replay;
  epoch: Epoch;
  renamed: Renamed;
  gap: Gap;
  server_shutdown: ServerShutdown;
  error: Error;
}
