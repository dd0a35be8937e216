// One socket as it is: every text that goes and comes, and why it ended. It holds nothing and mends nothing, so that
// a person sees what their own program would; pages that show prices use stream.js.

export class Wire extends EventTarget {
  /** Events: `state`; `frame` ({ isSent, text, at }); `closed` ({ code, reason, isAsked }). */
  constructor(url) {
    super();
    Object.assign(this, { url, state: "closed", socket: null, waiting: [] });
  }

  on(type, handler) {
    this.addEventListener(type, (event) => handler(event.detail));
    return this;
  }

  open() {
    if (this.socket) return;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.isAsked = false;
    this.become("connecting");
    socket.onopen = () => {
      this.become("connected");
      this.waiting.splice(0).forEach((text) => this.send(text));
    };
    socket.onmessage = ({ data }) => this.tell("frame", { isSent: false, text: data, at: Date.now() });
    socket.onclose = ({ code, reason }) => {
      this.socket = null;
      this.waiting = [];
      this.become("closed");
      this.tell("closed", { code, reason, isAsked: this.isAsked });
    };
  }

  close() {
    this.isAsked = true;
    this.socket?.close();
  }

  /** Now, or first of all once it is open; where it is closed it is opened for it. */
  send(text) {
    if (this.state !== "connected") {
      this.waiting.push(text);
      this.open();
      return;
    }
    this.socket.send(text);
    this.tell("frame", { isSent: true, text, at: Date.now() });
  }

  become(state) {
    this.state = state;
    this.tell("state", state);
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
