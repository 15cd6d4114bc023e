// The table of workers: a row each, kept as long as the worker is there.

import { age, count, el, ms, name, plain, put } from './format.js';

const columns = [
  ['worker', 'Worker'], ['state', 'State'], ['capabilities', 'Capabilities'], ['port', 'Port'], ['inflight', 'In flight'], ['served', 'Served'], ['age', 'Age'], ['start', 'Start'],
];

const order = ['active', 'spare', 'starting', 'draining', 'failed'];

export class Workers {
  constructor(caption) {
    this.rows = new Map();
    this.caption = el('caption', {});
    this.body = el('tbody');
    this.node = el('table', { class: 'workers', 'aria-label': caption }, this.caption,
      el('thead', {}, el('tr', {}, ...columns.map(([, title]) => el('th', { scope: 'col' }, title)))), this.body);
  }

  draw(workers, info) {
    const list = [...workers.values()];
    put(this.caption, 'Workers: ' + (order.map((s) => [list.filter((w) => w.state === s).length, s]).filter(([n]) => n).map(([n, s]) => n + ' ' + s).join(', ') || 'none'));
    for (const [id, row] of this.rows) {
      if (workers.has(id)) continue;
      row.node.remove();
      this.rows.delete(id);
    }
    list.forEach((w, i) => {
      let row = this.rows.get(w.id);
      if (!row) this.rows.set(w.id, (row = makeRow(w.id)));
      fill(row, w, info);
      if (this.body.children[i] !== row.node) this.body.insertBefore(row.node, this.body.children[i] ?? null);
    });
  }
}

function makeRow(id) {
  const cells = {};
  const node = el('tr', {}, ...columns.map(([key, title], i) => (cells[key] = el(i ? 'td' : 'th', i ? { 'data-label': title, class: 'cell-' + key } : { scope: 'row' }))));
  cells.worker.append(name(id));
  node.dataset.worker = id;
  cells.dot = el('span', { class: 'state' });
  cells.word = el('bdi', { class: 'why' });
  cells.state.append(cells.dot, cells.word);
  return { node, cells };
}

function fill({ node, cells }, w, info) {
  const out = w.ejected_s > 0 && w.state === 'active';
  if (node.className !== w.state) node.className = w.state;
  put(cells.dot, out ? 'ejected' : w.asleep ? `${w.state}, asleep` : w.state);
  cells.dot.className = 'state ' + (out ? 'failed' : w.state);
  put(cells.word, plain(w.reason));
  put(cells.capabilities, (w.capabilities.length ? w.capabilities : info.capabilities).map(plain).join(', '));
  put(cells.port, w.port ? String(w.port) : '');
  put(cells.inflight, w.limit > 1 ? `${w.inflight} of ${w.limit}` : String(w.inflight));
  put(cells.served, count(w.served));
  put(cells.age, age((Date.now() - w.began) / 1000));
  cameHow(cells.start, w);
}

const space = 'http://www.w3.org/2000/svg';
const phases = ['create', 'start', 'ready'];

// cameHow says how the worker came, and draws what the parts of its start took, one after the other.
function cameHow(cell, w) {
  const words = w.start_ms > 0 ? `${plain(w.start)}, ${ms(w.start_ms)}` : plain(w.start);
  if (cell.dataset.words === words) return;
  cell.dataset.words = words;
  cell.textContent = words;
  const parts = phases.map((p) => w.start_phases_ms?.[p] ?? 0);
  const all = parts.reduce((sum, p) => sum + p, 0);
  if (!(all > 0)) return;
  const title = phases.map((p, i) => `${p} ${ms(parts[i])}`).join(', ');
  const svg = document.createElementNS(space, 'svg');
  for (const [k, v] of Object.entries({ class: 'waterfall', viewBox: '0 0 100 9', preserveAspectRatio: 'none', role: 'img', 'aria-label': title })) svg.setAttribute(k, v);
  const tip = document.createElementNS(space, 'title');
  tip.textContent = title;
  svg.append(tip);
  let before = 0;
  parts.forEach((part, i) => {
    const rect = document.createElementNS(space, 'rect');
    const at = { class: phases[i], x: (100 * before) / all, y: 3 * i, width: Math.max(0.8, (100 * part) / all), height: 3 };
    for (const [k, v] of Object.entries(at)) rect.setAttribute(k, v);
    svg.append(rect);
    before += part;
  });
  cell.append(svg);
}
