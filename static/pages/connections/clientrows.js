// Who is connected, a row each; a client is closed by a second press of its button.

import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { post } from "../../components/page.js";
import { sureButton } from "../../components/sure.js";
import { keptOrder } from "../../components/table/order.js";
import { Table } from "../../components/table/table.js";
import { count, duration, moment, word } from "../../words/words.js";

const NAMES = 6;

export class ClientRows {
  /** `mine()` is the id of the page's own client; `said(text)` hears what was done, `again()` reads anew. */
  constructor(element, { address, mine, said, again }) {
    Object.assign(this, { mine, said, again });
    const columns = this.columns();
    this.table = new Table(element, {
      columns, keyOf: ({ client_id: id }) => id, ...keptOrder(address, columns),
      dress: (row, { client_id: id }) => (row.dataset.id = id),
    });
  }

  get size() {
    return this.table.size;
  }

  show(clients) {
    this.table.fill(clients);
  }

  columns() {
    return {
      client: {
        value: ({ client_id: id }) => id,
        build: (cell, { client_id: id }) => {
          const who = make("small");
          cell.append(make("code", { textContent: id }), " ", who);
          return (client) => setText(who, [client.client_id === this.mine() && word("thisPage"), client.user_id && word("user", { id: client.user_id })].filter(Boolean).join(" · "));
        },
      },
      held: {
        build: (cell) => (client) => {
          setText(cell, heldBy(client));
          cell.title = client.streams.join("\n");
        },
      },
      time: {
        value: ({ connection_duration_seconds: seconds }) => seconds,
        build: (cell, { connected_at: at }) => {
          cell.title = moment(at);
          return ({ connection_duration_seconds: seconds }) => setText(cell, duration(seconds));
        },
      },
      count: { value: ({ message_count: sent }) => sent, build: (cell) => ({ message_count: sent }) => setText(cell, count(sent)) },
      behind: {
        value: ({ is_slow: isSlow, behind_seconds: seconds }) => (isSlow ? seconds : 0),
        build: (cell) => (client) => {
          setText(cell, client.is_slow ? duration(client.behind_seconds) : "–");
          cell.classList.toggle("is-slow", client.is_slow);
          cell.title = client.waiting_messages ? word("waits", { n: count(client.waiting_messages) }) : "";
        },
      },
      act: {
        build: (cell, { client_id: id }) => {
          cell.append(sureButton(word("close"), word("closeReally"), word("closeName", { id }), () => this.close(id)));
          return () => {};
        },
      },
    };
  }

  async close(id) {
    try {
      await post(`/ws/clients/${encodeURIComponent(id)}/close`);
      this.said(word("closed", { id }));
      this.again();
    } catch (error) {
      this.said(word("closeFailed", { id, reason: error.message }), { isWrong: true, error });
    }
  }
}

/** Its types and symbols, of many the first. */
function heldBy({ types, subscriptions, subscription_count: all }) {
  if (!types.length) return word("nothing");
  const more = all > NAMES ? word("andMore", { n: count(all - NAMES) }) : "";
  const symbols = [...subscriptions.slice(0, NAMES), more].filter(Boolean).join(", ");
  return symbols ? `${types.join(", ")}: ${symbols}` : types.join(", ");
}
