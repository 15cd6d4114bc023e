// What was decided and what became of it, as sentences, newest first. Choosing one shows its moment on the charts.

import { clock, el, ms, plain } from './format.js';

const most = 200;

// wordsOf is the sentence of an entry, without the time.
export function wordsOf(entry) {
  return entry.decision ? decisionWords(entry.decision) : momentWords(entry.moments);
}

function decisionWords(d) {
  const change = d.from === d.to ? `stays at ${d.to}` : `${d.from} → ${d.to} workers`;
  let words = `${change}: ${plain(d.reason)}`;
  if (d.clamp) words += ` (limited: ${plain(d.clamp)})`;
  if (d.note) words += `; ${plain(d.note)}`;
  return words;
}

// What the balancer's reasons are called where people read them; others are words already.
const reasons = Object.assign(Object.create(null), { scale_down: 'no longer needed' });

function momentWords(moments) {
  const m = moments[0];
  const many = moments.length > 1;
  const who = moments.map((x) => plain(x.worker)).join(', ');
  const is = (one, several) => (many ? several : one);
  const took = m.took_ms > 0 && !many ? `, ${ms(m.took_ms)} after its start` : '';
  const why = m.reason ? ': ' + (reasons[m.reason] ?? plain(m.reason)) : '';
  switch (m.from + '>' + m.to) {
    case '>starting': return `${who} ${is('is', 'are')} being started`;
    case 'starting>spare': return `${who} ${is('is ready as the spare', 'are ready as spares')}${took}`;
    case 'starting>active': return `${who} ${is('is ready and serves', 'are ready and serve')}${took}`;
    case 'spare>active': return `the spare ${who} ${is('steps', 'step')} in`;
    case 'active>spare': return `${who} ${is('steps back as the spare', 'step back as spares')}`;
  }
  if (m.from === '') return `${who} ${is('joins', 'join')} as ${plain(m.to)}${took}`;
  switch (m.to) {
    case 'draining': return `${who} ${is('finishes', 'finish')} and ${is('leaves', 'leave')}${why}`;
    case 'failed': return `${who} failed${why}`;
    case 'gone': return `${who} ${is('is', 'are')} gone`;
    case 'ejected': return `${who} is ejected${why}`;
    case 'back': return `${who} serves again`;
  }
  return `${who}: ${plain(m.from)} → ${plain(m.to)}${why}`;
}

export function kindOf(entry) {
  return entry.decision ? entry.decision.direction : 'event';
}

// Story is the list of one pool. It is one stop of the Tab key; arrows move in it.
export class Story {
  constructor(number, title, point) {
    this.point = point; // is given the moment to show, or null
    this.rows = new Map();
    this.made = 0;
    this.prefix = `story-${number}-`;
    this.list = el('ol', { class: 'story', role: 'listbox', tabindex: '0', 'aria-label': title });
    this.list.addEventListener('pointerover', (event) => this.over(event.target.closest('li')));
    this.list.addEventListener('pointerleave', () => this.choose(this.chosen));
    this.list.addEventListener('click', (event) => this.choose(event.target.closest('li')));
    this.list.addEventListener('keydown', (event) => this.key(event));
    this.list.addEventListener('blur', () => this.choose(null));
    this.empty = el('p', { class: 'quietly' }, 'Nothing yet.');
    this.node = el('div', { class: 'story-box' }, this.empty, this.list);
  }

  draw(entries) {
    const shown = entries.slice(-most);
    const keys = new Set(shown.map((e) => e.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      if (row === this.chosen) this.chosen = null;
      row.remove();
      this.rows.delete(key);
    }
    for (const entry of shown) {
      const words = wordsOf(entry);
      let row = this.rows.get(entry.key);
      if (!row) {
        row = this.make(entry);
        this.rows.set(entry.key, row);
      }
      if (row.lastChild.textContent !== words) row.lastChild.textContent = words;
    }
    this.arrange(shown);
    this.empty.hidden = shown.length > 0;
    this.list.hidden = shown.length === 0;
  }

  // arrange puts new rows where they belong; almost always that is the top.
  arrange(shown) {
    let next = this.list.firstChild;
    for (let i = shown.length - 1; i >= 0; i--) {
      const row = this.rows.get(shown[i].key);
      if (row === next) next = next.nextSibling;
      else this.list.insertBefore(row, next);
    }
  }

  make(entry) {
    const row = el('li', { role: 'option', id: this.prefix + this.made++, class: kindOf(entry), 'aria-selected': 'false' },
      el('time', { datetime: new Date(entry.at).toISOString() }, clock(entry.at)), ' ', el('bdi', {}));
    row.dataset.at = entry.at;
    row.dataset.key = entry.key;
    return row;
  }

  over(row) {
    if (row) this.point(Number(row.dataset.at));
  }

  choose(row) {
    this.chosen?.setAttribute('aria-selected', 'false');
    this.chosen = row;
    if (row) {
      row.setAttribute('aria-selected', 'true');
      this.list.setAttribute('aria-activedescendant', row.id);
    } else {
      this.list.removeAttribute('aria-activedescendant');
    }
    this.point(row ? Number(row.dataset.at) : null);
  }

  key(event) {
    const rows = [...this.list.children];
    const at = rows.indexOf(this.chosen);
    const to = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Home: 0, End: rows.length - 1 }[event.key];
    if (event.key === 'Escape') this.choose(null);
    if (to === undefined || !rows[to]) return;
    event.preventDefault();
    this.choose(rows[to]);
    rows[to].scrollIntoView({ block: 'nearest' });
  }

  // mark shows which sentence is nearest to a moment pointed at on a chart.
  mark(at, within) {
    let best = null;
    for (const row of this.list.children) {
      row.classList.remove('near');
      if (at === null) continue;
      const distance = Math.abs(Number(row.dataset.at) - at);
      if (distance <= within && (!best || distance < best.distance)) best = { row, distance };
    }
    best?.row.classList.add('near');
  }
}
