// The host ports of the range: one cell each where there is room, else a bar.

import { clock, el, name, plain } from './format.js';

const space = 'http://www.w3.org/2000/svg';
const cells = 128;

export function drawPorts(node, ports, pools) {
  const users = new Map();
  for (const pool of pools.values()) for (const w of pool.workers.values()) if (w.port) users.set(w.port, w);
  const key = JSON.stringify([ports, [...users].map(([port, w]) => [port, w.id, w.state])]);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.hidden = false;
  if (ports.to < ports.from) {
    node.replaceChildren(el('p', {}, el('span', { class: 'label' }, 'Ports '), 'none: workers are reached at the addresses of their containers'));
    return;
  }
  const words = el('p', {}, el('span', { class: 'label' }, 'Ports '), `${ports.from}–${ports.to}: `, el('b', {}, String(ports.leased)), ' in use, ', el('b', {}, String(ports.free)), ' free');
  if (ports.quarantined) words.append(', ', el('b', { class: 'warn' }, String(ports.quarantined)), ' set aside');
  node.replaceChildren(words, ports.to - ports.from < cells ? strip(ports, users) : bar(ports));
  for (const t of ports.troubles) node.append(el('p', { class: 'note warn' }, `Port ${t.port} is set aside until ${clock(t.until)}: `, name(t.reason)));
}

function picture(width, title) {
  const svg = document.createElementNS(space, 'svg');
  for (const [k, v] of Object.entries({ viewBox: `0 0 ${width} 10`, role: 'img', 'aria-label': title, class: 'ports', preserveAspectRatio: 'none' })) svg.setAttribute(k, v);
  return svg;
}

function rect(x, width, kind, title) {
  const r = document.createElementNS(space, 'rect');
  for (const [k, v] of Object.entries({ x, y: 0, width, height: 10, rx: 1.5, class: kind })) r.setAttribute(k, v);
  if (title) {
    const t = document.createElementNS(space, 'title');
    t.textContent = title;
    r.append(t);
  }
  return r;
}

const said = (p) => `${p.leased} of ${p.to - p.from + 1} ports are in use, ${p.quarantined} are set aside`;

function strip(ports, users) {
  const svg = picture((ports.to - ports.from + 1) * 10, said(ports));
  const aside = new Map(ports.troubles.map((t) => [t.port, t]));
  for (let port = ports.from; port <= ports.to; port++) {
    const w = users.get(port);
    const kind = aside.has(port) ? 'aside' : w ? w.state : 'free';
    const what = aside.has(port) ? 'set aside: ' + plain(aside.get(port).reason) : w ? plain(w.id) + ', ' + w.state : 'free';
    svg.append(rect((port - ports.from) * 10 + 0.8, 8.4, kind, `port ${port}: ${what}`));
  }
  return svg;
}

function bar(ports) {
  const all = ports.to - ports.from + 1;
  const svg = picture(1000, said(ports));
  const used = (ports.leased / all) * 1000, aside = (ports.quarantined / all) * 1000;
  svg.append(rect(0, 1000, 'free'), rect(0, used, 'active'), rect(used, aside, 'aside'));
  return svg;
}
