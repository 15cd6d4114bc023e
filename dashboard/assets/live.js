// The connection to the balancer: server-sent events, tried again with growing patience when it is lost.

const patience = [500, 1000, 2000, 4000, 8000, 15000]; // ms before each next try; the last for all after it
const silence = 6000; // ms without any event after which a connection that looks open is given up

export class Live {
  constructor(handlers, tell) {
    this.handlers = handlers; // by name of the event; each is given its data
    this.tell = tell; // is told {open}, or {since, next}: since when there is none and when the next try is
    this.tries = 0;
    this.since = null;
    window.addEventListener('online', () => this.hurry());
    document.addEventListener('visibilitychange', () => document.hidden || this.hurry());
    window.addEventListener('pagehide', () => this.close());
    window.addEventListener('pageshow', (event) => event.persisted && this.hurry());
    this.connect();
  }

  connect() {
    this.close();
    this.source = new EventSource('/api/v1/stream');
    this.source.addEventListener('error', () => this.lost());
    for (const [name, handle] of Object.entries(this.handlers)) {
      this.source.addEventListener(name, (event) => {
        this.heard();
        handle(JSON.parse(event.data));
      });
    }
    this.watch();
  }

  heard() {
    this.watch();
    if (this.tries === 0 && this.open) return;
    this.open = true;
    this.tries = 0;
    this.since = null;
    this.tell({ open: true });
  }

  watch() {
    clearTimeout(this.watching);
    this.watching = setTimeout(() => this.lost(), silence);
  }

  lost() {
    this.close();
    this.open = false;
    this.since ??= Date.now();
    const wait = patience[Math.min(this.tries, patience.length - 1)] * (0.8 + 0.4 * Math.random());
    this.tries++;
    this.tell({ open: false, since: this.since, next: Date.now() + wait });
    this.waiting = setTimeout(() => this.retry(), wait);
  }

  // retry finds out first whether we would be let in: an EventSource does not say why it was refused.
  async retry() {
    this.waiting = null;
    try {
      const answer = await fetch('/api/v1/decisions?n=1');
      if (answer.status === 401) {
        location.reload();
        return;
      }
    } catch {
      this.lost();
      return;
    }
    this.connect();
  }

  hurry() {
    if (this.open || !this.waiting) return;
    clearTimeout(this.waiting);
    this.retry();
  }

  close() {
    clearTimeout(this.watching);
    clearTimeout(this.waiting);
    this.source?.close();
  }
}
