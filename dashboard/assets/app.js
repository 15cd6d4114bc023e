// The page: what the stream says goes into the model, and from there onto the screen, at most once for each frame.

import { persist } from './ask.js';
import { age, clock, el, name, plain, put } from './format.js';
import { Live } from './live.js';
import { Model } from './model.js';
import { PoolView } from './pool.js';
import { drawPorts } from './ports.js';
import { wordsOf } from './story.js';

const model = new Model();
const views = new Map();
const byId = (id) => document.getElementById(id);
const spans = [['auto', 'auto'], [120, '2 min'], [300, '5 min'], [900, '15 min']];
let span = 'auto';
let wanted = false;

for (const [value, text] of spans) {
  const input = el('input', { type: 'radio', name: 'span', value, checked: value === span });
  input.addEventListener('change', () => {
    span = value;
    draw();
  });
  byId('span').append(el('label', {}, input, el('span', {}, text)));
}

// seconds is how much time is shown: on auto, hardly more than there is.
function seconds() {
  if (span !== 'auto') return span;
  const known = (model.now - model.oldest()) / 1000;
  return Math.min(900, Math.max(60, Math.ceil(known / 30) * 30));
}

function draw() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => {
    wanted = false;
    if (model.status) paint();
  });
}

function paint() {
  const { status } = model;
  put(byId('instance'), plain(status.instance));
  document.title = `${plain(status.instance)} · understudy`;
  const ready = byId('ready');
  ready.hidden = false;
  ready.className = 'badge ' + (status.ready ? 'good' : 'warn');
  put(ready, status.ready ? 'ready' : 'not ready: ' + plain(status.not_ready));
  tellEngine(status.engine);
  facts(status);
  drawPorts(byId('ports'), status.ports, model.pools);
  const to = model.now || Date.now();
  const from = to - seconds() * 1000;
  const stories = Map.groupBy([...model.story.values()].sort((a, b) => a.at - b.at), (e) => e.pool);
  for (const [pool, view] of views) {
    if (model.pools.has(pool)) continue;
    view.node.remove();
    views.delete(pool);
  }
  for (const [pool, state] of model.pools) {
    if (!views.has(pool)) {
      views.set(pool, new PoolView(pool));
      byId('pools').append(views.get(pool).node);
    }
    views.get(pool).draw(state, stories.get(pool) ?? [], from, to);
  }
}

// tellEngine says in one line when what runs the workers does not answer, or does not do as it is told.
function tellEngine(engine) {
  const node = byId('engine');
  node.hidden = engine.state === 'up' && !engine.stuck;
  if (engine.state !== 'up') {
    put(node, `The engine is away since ${clock(engine.since)}: what runs serves on, and nothing is started or removed until it answers. ${plain(engine.error)}`);
  } else {
    put(node, `The engine does not remove ${engine.stuck} workers; they are tried again.`);
  }
}

function facts(status) {
  const up = status.uptime_s + (Date.now() - model.began) / 1000;
  const rows = [['driver', plain(status.driver)], ['up', age(up)], ['version', plain(status.version)]];
  const node = byId('facts');
  if (node.children.length !== rows.length) node.replaceChildren(...rows.map(([key]) => el('div', {}, el('dt', {}, key), el('dd'))));
  rows.forEach(([, value], i) => put(node.children[i].lastChild, value));
}

// speak reads out what was decided last, seldom enough to be listened to.
let spoken = 0;
function speak(d) {
  if (Date.now() - spoken < 5000) return;
  spoken = Date.now();
  byId('spoken').replaceChildren('At ', clock(d.at), ' ', name(d.pool), ' ', el('bdi', {}, wordsOf({ decision: d })));
}

function tellLink({ open, since, next }) {
  const link = byId('link');
  document.body.classList.toggle('stale', !open);
  link.className = 'badge ' + (open ? 'good' : 'bad');
  put(link, open ? 'live' : 'not connected since ' + clock(since));
  link.title = open ? '' : 'next try at ' + clock(next);
}

const live = new Live({
  status: (s) => {
    model.setStatus(s);
    model.began = Date.now();
    draw();
  },
  history: (h) => { model.setPast(h); draw(); },
  change: (c) => { model.change(c); draw(); },
  decision: (d) => { model.addDecision(d); speak(d); draw(); },
}, tellLink);

if (document.documentElement.dataset.login === 'yes') {
  const button = byId('logout');
  button.hidden = false;
  button.addEventListener('click', async () => {
    live.close();
    try {
      await persist('/api/v1/logout', { method: 'POST' });
    } catch { /* the page that comes tells that it did not work */ }
    location.reload();
  });
}

document.body.dataset.begun = 'yes';
