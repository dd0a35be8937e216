import type { Alert, Bar, Epoch, Error as Refusal, Gap, Indicators, Messages, PriceUpdate, Renamed, Type, Unsubscribed } from "./protocol";

export type * from "./protocol";

export interface Options {
  /** Of the server, as a browser has it; of the page where there is one. */
  url?: string;
  /** An API key, or what gives a key or a ticket for each connection; a page of the server's own needs none. */
  token?: string | (() => string | Promise<string>) | null;
  /** Once per animation frame, as pages like it, or each message as it comes: "frame" in a page, else "now". */
  handover?: "frame" | "now";
}

export interface SubscriptionOptions {
  interval?: string;
  indicators?: string[];
  mode?: "latest" | "every";
}

export interface State {
  state: "connecting" | "live" | "reconnecting" | "offline" | "refused";
  /** Of the close that led here. */
  code?: number | null;
}

/** A hole in a stream: the server's `gap`, or one of a page that nobody looked at. */
export type Lost = Omit<Gap, "type" | "epoch" | "from" | "to" | "reason" | "rest"> &
  Partial<Omit<Gap, "reason">> & { reason: Gap["reason"] | "hidden" };

type Handled = "connected" | "subscribed" | "unsubscribed" | "epoch" | "gap" | "renamed" | "error" | "pong" | "price_updates" | "server_shutdown" | "service_status" | "authenticated";

/** What `on` hears: the messages by their types, and what becomes of the streams. */
export interface Events extends Omit<Messages, Handled> {
  state: State;
  begun: Pick<Epoch, "stream" | "epoch" | "seq">;
  epoch: Pick<Epoch, "stream" | "epoch" | "seq">;
  lost: Lost;
  /** Of a past session; it comes by this name alone. */
  replayed: PriceUpdate | Bar | Indicators | Alert;
  renamed: Pick<Renamed, "stream" | "to">;
  /** The source is asked about these: each is heard from when it is there, or refused. */
  starting: { symbols: string[] };
  ended: Pick<Unsubscribed, "streams" | "reason">;
  refusal: Omit<Refusal, "code"> & { code: Refusal["code"] | "no_token" };
}

/** Keeps its subscriptions through every disconnection, resumes each stream where it was, and says what is lost. */
export class Stream extends EventTarget {
  constructor(options?: Options);
  readonly state: State["state"];
  /** Whether all that is wanted can come. */
  readonly isFlowing: boolean;
  on<Name extends keyof Events>(name: Name, handler: (detail: Events[Name]) => void): this;
  subscribe(type: Type, symbols?: string[], options?: SubscriptionOptions): this;
  unsubscribe(type: Type, symbols: string[], options?: { indicators?: string[] }): void;
  open(): void;
  /** No more, until it is opened again: then it goes on where it was. */
  end(): void;
}
