// One pool on the page: figures, charts, sentences, workers.

import { Chart, kinds, states } from './charts.js';
import { clock, el, ms, name, plain, put } from './format.js';
import { kindOf, Story } from './story.js';
import { Workers } from './workers.js';

let number = 0;

export class PoolView {
  constructor(pool) {
    this.name = pool;
    this.number = ++number;
    const title = `pool-${this.number}`;
    this.chips = el('span', { class: 'chips' });
    this.fence = el('details', { class: 'fence' });
    this.notes = el('div');
    this.figures = el('dl', { class: 'figures' });
    this.values = {};
    for (const key of ['p95', 'rate', 'in service', 'waiting', 'workers']) this.figures.append(this.figure(key));
    this.reason = el('p', { class: 'reason' });
    this.charts = kinds.map((kind) => new Chart(kind, plain(pool), this.number));
    this.legends = kinds.map(legend);
    this.stack = el('div', { class: 'stack', tabindex: '0', role: 'group', 'aria-label': 'Charts; the arrow keys move a line through time' },
      ...this.charts.map((c, i) => el('figure', {}, this.legends[i].node, c.node)));
    this.moment = el('p', { class: 'moment', role: 'status' });
    this.story = new Story(this.number, `Decisions and events of the pool ${plain(pool)}, newest first`, (at) => this.point(at, true));
    this.workers = new Workers(`Workers of the pool ${plain(pool)}`);
    this.node = el('section', { class: 'pool', 'aria-labelledby': title },
      el('header', {}, el('h2', { id: title }, name(pool)), this.chips, this.fence), this.notes, this.figures, this.reason,
      el('div', { class: 'sides' },
        el('div', { class: 'charts' }, this.moment, this.stack),
        el('div', { class: 'told' }, el('h3', {}, 'Why, and what came of it'), this.story.node)),
      el('div', { class: 'scroll' }, this.workers.node));
    this.listen();
  }

  figure(key) {
    const value = (this.values[key] = el('dd', {}, '–'));
    const title = el('dt', {}, key);
    if (key === 'p95') this.judged = title;
    return el('div', {}, title, value);
  }

  listen() {
    this.stack.addEventListener('pointermove', (event) => {
      const box = this.charts[0].node.getBoundingClientRect();
      if (this.charts[0].scale) this.point(this.charts[0].when(event.clientX - box.left));
    });
    this.stack.addEventListener('pointerleave', () => this.point(null));
    this.stack.addEventListener('blur', () => this.point(null));
    this.stack.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.last && this.draw(...this.last)).observe(this.stack);
  }

  key(event) {
    const scale = this.charts[0].scale;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === 'Escape') this.point(null);
    if (!scale || !step) return;
    event.preventDefault();
    const by = Math.max(1000, (scale.to - scale.from) / 120) * step;
    this.point(Math.max(scale.from, Math.min(scale.to, (this.pointed ?? scale.to) + by)));
  }

  // point shows one moment on every chart, with the values it had; null shows the present.
  point(at, chosen = false) {
    this.pointed = at;
    for (const c of this.charts) c.point(at);
    const scale = this.charts[0].scale;
    if (!chosen) this.story.mark(at, scale ? (scale.to - scale.from) / 60 : 0);
    this.readOut();
  }

  readOut() {
    const samples = this.last?.[0].samples ?? [];
    let s = samples.at(-1);
    if (this.pointed !== null && this.pointed !== undefined) {
      for (const x of samples) if (Math.abs(x.at - this.pointed) < Math.abs(s.at - this.pointed)) s = x;
      put(this.moment, 'at ' + clock(this.pointed));
    } else {
      put(this.moment, '');
    }
    if (!s) return;
    for (const l of this.legends) {
      for (const [key, value] of l.values) put(value, l.kind.show(s[key]));
      for (const [key, item] of l.items) item.hidden = l.kind.id === 'workers' && !(s[key] > 0) && key !== 'active';
    }
  }

  // draw shows the pool as it is between two moments.
  draw(pool, entries, from, to) {
    this.last = [pool, entries, from, to];
    this.head(pool);
    const marks = entries.filter((e) => e.decision).map((e) => ({ at: e.at, kind: kindOf(e) }));
    const width = Math.floor(this.stack.clientWidth);
    if (width > 80) for (const c of this.charts) c.draw({ samples: pool.samples, info: pool.info, marks, from, to, width });
    this.story.draw(entries);
    this.workers.draw(pool.workers, pool.info);
    for (const c of this.charts) c.point(this.pointed ?? null);
    this.readOut();
  }

  head({ info, samples }) {
    const chips = info.capabilities.map(plain).join('\n');
    if (this.chips.dataset.all !== chips) {
      this.chips.dataset.all = chips;
      this.chips.replaceChildren(...info.capabilities.map((c) => el('span', { class: 'chip' }, name(c))));
    }
    this.fenced(info.security);
    this.trouble(info);
    const s = samples.at(-1);
    if (s) this.now(info, s);
    put(this.reason, plain(info.reason));
  }

  // fenced tells how far the workers are fenced in, and what was loosened.
  fenced({ level, relaxed }) {
    const key = JSON.stringify([level, relaxed]);
    if (this.fence.dataset.key === key) return;
    this.fence.dataset.key = key;
    this.fence.hidden = !level;
    const loose = relaxed.length > 0 || level === 'none';
    const title = el('summary', { class: loose ? 'badge warn' : 'badge' }, 'security ', name(level), relaxed.length ? `, ${relaxed.length} relaxed` : '');
    const said = level === 'none' ? ['processes have no fence'] : relaxed.length ? relaxed : ['nothing is relaxed'];
    this.fence.replaceChildren(title, el('ul', {}, ...said.map((r) => el('li', {}, name(r)))));
  }

  now(info, s) {
    const late = info.percentile > 95 ? ['p99', s.p99_ms] : info.percentile > 50 || !info.percentile ? ['p95', s.p95_ms] : ['p50', s.p50_ms];
    put(this.judged, `${late[0]}${info.target_ms > 0 ? ', target ' + ms(info.target_ms) : ''}`);
    put(this.values.p95, ms(late[1]));
    this.values.p95.className = !(late[1] > 0) || !(info.target_ms > 0) ? '' : late[1] > info.target_ms ? 'bad' : 'good';
    put(this.values.rate, s.rate.toFixed(1) + ' /s');
    put(this.values['in service'], String(s.inflight));
    put(this.values.waiting, String(s.queue));
    this.values.waiting.className = s.queue > 0 ? 'warn' : '';
    const there = states.slice(0, 2).reduce((sum, x) => sum + s[x], 0);
    put(this.values.workers, `${there}${s.desired !== there ? ' → ' + s.desired : ''}${info.max > 0 ? ' of ' + info.max : ''}`);
  }

  trouble(info) {
    const key = JSON.stringify([info.unavailable, info.last_error, info.start_fails, info.last_logs, info.last_exit, info.rollout, info.image, info.pull]);
    if (this.notes.dataset.key === key) return;
    this.notes.dataset.key = key;
    this.notes.replaceChildren();
    if (info.unavailable) this.notes.append(el('p', { class: 'note bad' }, 'No worker can be had: ', name(info.unavailable)));
    if (info.pull) this.notes.append(pulling(info.pull));
    if (info.image?.ref) this.notes.append(made(info.image));
    const change = rollout(info.rollout);
    if (change) this.notes.append(change);
    if (info.last_exit) this.notes.append(lastExit(info.last_exit));
    if (!info.last_error) return;
    const note = el('div', { class: 'note warn' }, el('p', {}, `The last start failed (${info.start_fails} in a row): `, name(info.last_error)));
    if (info.last_logs.length) note.append(el('pre', {}, info.last_logs.map(plain).join('\n')));
    this.notes.append(note);
  }
}

// pulling is how far the pull of the pool's image is, by what the engine has begun to receive.
function pulling(p) {
  const part = p.total > 0 ? ` ${Math.floor((100 * p.bytes) / p.total)} %` : '';
  return el('p', { class: 'note' }, 'Pulling ', name(p.image), `${part}, ${p.done} of ${p.layers} layers`);
}

// made is what the workers are made of; that may be old when the registry could not be asked.
function made(i) {
  const node = el('p', { class: i.stale ? 'note warn' : 'note' }, 'Image ', name(i.ref), ' ', name(i.digest || i.id));
  if (i.stale) node.append(', perhaps not the newest: ', name(i.stale));
  return node;
}

// rollout is how far the replacement of changed workers is, or why it was taken back; one that is done says nothing.
function rollout(r) {
  if (r?.state === 'rolled_back') return el('p', { class: 'note warn' }, `The change of ${clock(r.since)} was rolled back, the workers are as before: `, name(r.error));
  if (r?.state !== 'rolling') return null;
  const node = el('p', { class: r.error ? 'note warn' : 'note' }, `The workers are being replaced: ${r.done} of ${r.of}`);
  if (r.error) node.append(', held up: ', name(r.error));
  return node;
}

// lastExit is how the last worker ended that nobody had asked to; its last lines are there for whoever opens it.
function lastExit(exit) {
  const head = el('summary', {}, `Last exit, ${clock(exit.at)}: `, name(exit.reason), ' of ', name(exit.worker));
  const node = el('details', { class: 'note' }, head, el('p', {}, name(exit.error)));
  if (exit.logs.length) node.append(el('pre', {}, exit.logs.map(plain).join('\n')));
  return node;
}

function legend(kind) {
  const values = [], items = [];
  const node = el('figcaption', {}, el('b', {}, kind.title));
  for (const [label, key] of kind.series) {
    const value = el('output', {}, '–');
    const item = el('span', { class: 'key' }, el('i', { class: 'swatch ' + label, 'aria-hidden': 'true' }), kind.series.length > 1 ? label + ' ' : '', value);
    values.push([key, value]);
    items.push([key, item]);
    node.append(item);
  }
  return { kind, node, values, items };
}
