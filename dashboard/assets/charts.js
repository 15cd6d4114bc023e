// The charts of one pool, one above the other on a common time axis. Drawn in pixels, so that letters keep their shape at any width.

import { clock, ms } from './format.js';

const space = 'http://www.w3.org/2000/svg';
const left = 52;
const right = 10;
const gap = 3500; // ms between samples from which on a line is not drawn through

function svg(name, attributes = {}, text) {
  const node = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// nice is the least of 1, 2, 3, 5 times a power of ten that holds v.
function nice(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((f) => f * power).find((f) => f >= v * 0.999);
}

// Scale places moments and values on a chart.
class Scale {
  constructor(from, to, width, height, top, most) {
    Object.assign(this, { from, to, width, height, top, most });
  }
  x(at) { return left + ((at - this.from) / (this.to - this.from)) * (this.width - left - right); }
  y(v) { return this.top + (1 - Math.min(v, this.most) / this.most) * (this.height - this.top - 2); }
}

const n = (v) => v.toFixed(1);

// line joins what is known; 0 is "not known" where least is more than 0.
function line(samples, scale, value, least = 0) {
  let d = '', before = -Infinity;
  for (const s of samples) {
    const v = value(s);
    if (!(v >= least)) { before = -Infinity; continue; }
    d += (s.at - before > gap ? 'M' : 'L') + n(scale.x(s.at)) + ' ' + n(scale.y(v));
    before = s.at;
  }
  return d;
}

// band fills from one value up to another, in steps or straight.
function band(samples, scale, low, high, steps) {
  let d = '', run = [];
  const flush = () => {
    if (run.length > 1) d += shape(run, scale, low, high, steps);
    run = [];
  };
  for (const s of samples) {
    if (run.length && s.at - run[run.length - 1].at > gap) flush();
    if (Number.isFinite(high(s))) run.push(s); else flush();
  }
  flush();
  return d;
}

function shape(run, scale, low, high, steps) {
  const there = [], back = [];
  run.forEach((s, i) => {
    const x = n(scale.x(s.at));
    if (steps && i > 0) {
      there.push('H' + x);
      back.unshift('L' + x + ' ' + n(scale.y(low(run[i - 1]))));
    }
    there.push((i ? 'L' : 'M') + x + ' ' + n(scale.y(high(s))));
    back.unshift('L' + x + ' ' + n(scale.y(low(s))));
  });
  return there.join('') + back.join('') + 'Z';
}

export const states = ['active', 'spare', 'starting', 'draining', 'failed'];

// Each chart says what it is called, how high it is, what its values are, and how they are drawn.
export const kinds = [
  {
    id: 'latency', title: 'Latency', height: 168, unit: (v) => (v >= 1000 ? v / 1000 + ' s' : v + ' ms'),
    series: [['p50', 'p50_ms'], ['p95', 'p95_ms'], ['p99', 'p99_ms']], show: ms,
    most: (s, info) => Math.max(info.target_ms * 1.35, ...s.map((x) => Math.max(x.p99_ms, x.p95_ms, x.p50_ms) * 1.08), 10),
    draw(g, s, scale, info, id) {
      const late = info.percentile > 95 ? 'p99_ms' : info.percentile > 50 || !info.percentile ? 'p95_ms' : 'p50_ms';
      if (info.target_ms > 0) {
        const y = scale.y(info.target_ms);
        const clip = svg('clipPath', { id });
        clip.append(svg('rect', { x: 0, y: 0, width: scale.width, height: n(Math.max(0, y)) }));
        g.append(clip, svg('path', {
          class: 'late', 'clip-path': `url(#${id})`, d: band(s, scale, () => info.target_ms, (x) => (x[late] > 0 ? Math.max(x[late], info.target_ms) : NaN)),
        }));
        g.append(svg('path', { class: 'target', d: `M${left} ${n(y)}H${n(scale.width - right)}` }));
        g.append(svg('text', { class: 'goal', x: scale.width - right - 2, y: n(y - 5) }, 'target ' + ms(info.target_ms)));
      }
      for (const [name, key] of [this.series[2], this.series[0], this.series[1]]) {
        g.append(svg('path', { class: 'line ' + name, d: line(s, scale, (x) => x[key], 0.001) }));
      }
    },
    desc: (s, info) => `p95 is ${ms(s.at(-1).p95_ms)} now and was at most ${ms(Math.max(...s.map((x) => x.p95_ms)))}; the target is ${ms(info.target_ms)}.`,
  },
  {
    id: 'rate', title: 'Requests', height: 64, unit: (v) => v + '/s', series: [['rate', 'rate']], show: (v) => v.toFixed(1) + '/s',
    most: (s) => Math.max(1, ...s.map((x) => x.rate * 1.1)),
    draw(g, s, scale) {
      g.append(svg('path', { class: 'fill rate', d: band(s, scale, () => 0, (x) => x.rate) }));
      g.append(svg('path', { class: 'line rate', d: line(s, scale, (x) => x.rate) }));
    },
    desc: (s) => `${s.at(-1).rate.toFixed(1)} requests a second now, at most ${Math.max(...s.map((x) => x.rate)).toFixed(1)}.`,
  },
  {
    id: 'queue', title: 'Waiting', height: 56, unit: (v) => String(v), series: [['queue', 'queue']], show: String,
    most: (s) => Math.max(4, ...s.map((x) => x.queue)),
    draw(g, s, scale) {
      g.append(svg('path', { class: 'fill queue', d: band(s, scale, () => 0, (x) => x.queue, true) }));
      g.append(svg('path', { class: 'line queue', d: line(s, scale, (x) => x.queue) }));
    },
    desc: (s) => `${s.at(-1).queue} requests wait now, at most ${Math.max(...s.map((x) => x.queue))} did.`,
  },
  {
    id: 'workers', title: 'Workers', height: 116, unit: (v) => String(v), series: states.map((x) => [x, x]), show: String, axis: true,
    most: (s) => Math.max(4, ...s.map((x) => states.reduce((sum, name) => sum + x[name], 0) + 0.5), ...s.map((x) => x.desired + 0.5)),
    draw(g, s, scale) {
      let low = () => 0;
      for (const name of states) {
        const under = low, high = (x) => under(x) + x[name];
        if (s.some((x) => x[name] > 0)) g.append(svg('path', { class: 'fill ' + name, d: band(s, scale, under, high, true) }));
        low = high;
      }
    },
    desc: (s) => 'Now ' + states.filter((x) => s.at(-1)[x] > 0).map((x) => s.at(-1)[x] + ' ' + x).join(', ') + '.',
  },
];

// Chart is one of them on the page.
export class Chart {
  constructor(kind, pool, number) {
    this.kind = kind;
    this.id = `late-${number}-${kind.id}`;
    this.node = svg('svg', { class: 'chart', role: 'img', 'aria-labelledby': `${this.id}-t ${this.id}-d` });
    this.desc = svg('desc', { id: this.id + '-d' });
    this.body = svg('g');
    this.cursor = svg('g', { class: 'cursor' });
    this.node.append(svg('title', { id: this.id + '-t' }, `${kind.title} of the pool ${pool} over time`), this.desc, this.body, this.cursor);
  }

  // draw shows the samples between from and to; marks are the decisions, each {at, kind}.
  draw({ samples, info, marks, from, to, width }) {
    const { kind } = this;
    const height = kind.height + (kind.axis ? 18 : 0);
    const s = samples.filter((x) => x.at >= from - 2000);
    const most = nice(kind.most(s.length ? s : [zero], info));
    const scale = (this.scale = new Scale(from, to, width, kind.height, 14, most));
    this.node.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.node.setAttribute('width', width);
    this.node.setAttribute('height', height);
    this.body.replaceChildren();
    this.grid(scale, height);
    const inner = svg('g');
    for (const m of marks) {
      if (m.at >= from) inner.append(svg('path', { class: 'mark ' + m.kind, d: `M${n(scale.x(m.at))} 8V${kind.height}` }));
    }
    this.body.append(inner);
    if (s.length) {
      kind.draw(this.body, s, scale, info, this.id);
      this.desc.textContent = kind.desc(s, info);
    }
    if (kind.id === 'latency') for (const m of marks) if (m.at >= from) this.body.append(glyph(m, scale));
  }

  grid(scale, height) {
    const { kind, body } = this;
    const levels = kind.height > 100 ? [0, 0.5, 1] : [0, 1];
    for (const l of levels) {
      const y = scale.y(l * scale.most);
      body.append(svg('path', { class: 'grid', d: `M${left} ${n(y)}H${n(scale.width - right)}` }));
      if (l > 0) body.append(svg('text', { class: 'value', x: left - 6, y: n(y + 4) }, kind.unit(Number((l * scale.most).toPrecision(3)))));
    }
    for (const at of ticks(scale.from, scale.to, scale.width)) {
      const x = scale.x(at);
      body.append(svg('path', { class: 'grid', d: `M${n(x)} 14V${kind.height - 2}` }));
      if (kind.axis && x > left + 14 && x < scale.width - right - 14) body.append(svg('text', { class: 'time', x: n(x), y: height - 4 }, clock(at, scale.to - scale.from < 150000)));
    }
  }

  // point draws the line that goes through all charts at one moment; null takes it away.
  point(at) {
    this.cursor.replaceChildren();
    if (at === null || !this.scale || at < this.scale.from || at > this.scale.to) return;
    this.cursor.append(svg('path', { d: `M${n(this.scale.x(at))} 4V${this.kind.height}` }));
  }

  // when is the moment at a place of the chart.
  when(x) {
    const { from, to, width } = this.scale;
    return Math.max(from, Math.min(to, from + ((x - left) / (width - left - right)) * (to - from)));
  }
}

const zero = { at: 0, p50_ms: 0, p95_ms: 0, p99_ms: 0, rate: 0, queue: 0, active: 0, spare: 0, starting: 0, draining: 0, failed: 0, desired: 0 };

function glyph(m, scale) {
  const x = scale.x(m.at);
  const d = { up: `M${n(x - 4)} 9l4 -7l4 7Z`, down: `M${n(x - 4)} 2l4 7l4 -7Z`, hold: `M${n(x - 2)} 5.5a2 2 0 1 0 4 0a2 2 0 1 0 -4 0Z` }[m.kind];
  return svg('path', { class: 'glyph ' + m.kind, d });
}

function ticks(from, to, width) {
  const most = Math.max(2, (width - left) / 90);
  const step = [10, 15, 20, 30, 60, 120, 180, 300, 600].map((s) => s * 1000).find((s) => (to - from) / s <= most) ?? 600000;
  const list = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) list.push(at);
  return list;
}
