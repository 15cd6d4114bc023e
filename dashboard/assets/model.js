// What is known: the last status, the samples of each pool, and what was decided and what happened, all from the stream.

const kept = 15 * 60 * 1000;

export class Model {
  constructor() {
    this.status = null;
    this.pools = new Map(); // by name: {samples, workers, info}
    this.story = new Map(); // by key: {key, at, pool, decision} or {key, at, pool, moments}
    this.process = 0;
    this.now = 0; // by the balancer's clock
  }

  // setStatus takes the whole of what is now. Samples stay: they were true, whatever has started anew since.
  setStatus(status) {
    this.status = status;
    this.received = Date.now();
    const names = new Set(status.pools.map((p) => p.name));
    for (const known of this.pools.keys()) if (!names.has(known)) this.pools.delete(known);
    for (const p of status.pools) {
      const pool = this.pools.get(p.name) ?? { samples: [] };
      pool.info = p;
      pool.workers = new Map(p.workers.map((w) => [w.id, aged(w)]));
      this.pools.set(p.name, pool);
    }
  }

  // setPast takes the last quarter of an hour. What we saw before it begins stays: it is of an earlier process.
  setPast(past) {
    this.process = past.process;
    this.tick(past.at);
    for (const columns of past.pools) {
      const pool = this.pools.get(columns.pool);
      if (!pool) continue;
      const samples = columns.at.map((at, i) => rowOf(columns, i, at));
      const first = samples.length ? samples[0].at : Infinity;
      pool.samples = pool.samples.filter((s) => s.at < first).concat(samples);
    }
    for (const d of past.decisions) this.addDecision(d);
    for (const m of past.moments) this.addMoment(m);
    this.forget();
  }

  change(change) {
    this.tick(change.at);
    if (change.head) Object.assign(this.status, change.head);
    for (const c of change.pools) {
      const pool = this.pools.get(c.name);
      if (!pool) continue;
      pool.samples.push(c.sample);
      if (c.pool) pool.info = c.pool;
      for (const w of c.workers ?? []) this.changeWorker(pool, w);
      for (const id of c.gone ?? []) pool.workers.delete(id);
      for (const m of c.moments ?? []) this.addMoment(m);
    }
    this.forget();
  }

  changeWorker(pool, change) {
    const known = pool.workers.get(change.id);
    if ('state' in change) pool.workers.set(change.id, aged(change));
    else if (known) Object.assign(known, change);
  }

  addDecision(d) {
    const key = 'd' + this.process + '-' + d.number;
    if (!this.story.has(key)) this.story.set(key, { key, at: Date.parse(d.at), pool: d.pool, decision: d });
  }

  // addMoment puts what happened to several workers at once into one entry.
  addMoment(m) {
    const key = ['m', m.at, m.pool, m.from, m.to, m.reason].join('|');
    const entry = this.story.get(key) ?? { key, at: m.at, pool: m.pool, moments: [] };
    if (!entry.moments.some((other) => other.worker === m.worker)) entry.moments.push(m);
    this.story.set(key, entry);
  }

  tick(at) {
    this.now = at;
    this.received = Date.now();
  }

  forget() {
    const oldest = this.now - kept;
    for (const pool of this.pools.values()) {
      let n = 0;
      while (n < pool.samples.length && pool.samples[n].at < oldest) n++;
      if (n) pool.samples.splice(0, n);
    }
    for (const [key, entry] of this.story) if (entry.at < oldest) this.story.delete(key);
  }

  // oldest is when the first thing we know of was.
  oldest() {
    let first = this.now;
    for (const pool of this.pools.values()) if (pool.samples.length) first = Math.min(first, pool.samples[0].at);
    return first;
  }
}

// aged remembers when a worker began, because its age is sent only once.
function aged(worker) {
  return { ...worker, began: Date.now() - worker.age_s * 1000 };
}

function rowOf(columns, i, at) {
  const row = { at };
  for (const [name, values] of Object.entries(columns)) if (Array.isArray(values) && name !== 'at') row[name] = values[i];
  return row;
}
