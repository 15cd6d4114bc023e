// Words and numbers as people read them. What others named becomes text, never markup.

// Characters that would be invisible, or turn the direction of writing, are spelled out.
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

export function plain(text) {
  return String(text ?? '').toWellFormed().replace(hidden, (c) => {
    const code = c.codePointAt(0);
    if (c === '\n' || c === '\t') return ' ';
    return code < 0x100 ? '\\x' + code.toString(16).padStart(2, '0') : '\\u' + code.toString(16).padStart(4, '0');
  });
}

// 0 means that there were too few answers to tell.
export function ms(v) {
  if (!(v > 0)) return '–';
  if (v < 10) return v.toFixed(1) + ' ms';
  if (v < 1000) return Math.round(v) + ' ms';
  return (v / 1000).toFixed(2) + ' s';
}

export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' m ' + (s % 60) + ' s';
  if (s < 86400) return Math.floor(s / 3600) + ' h ' + Math.floor((s / 60) % 60) + ' m';
  return Math.floor(s / 86400) + ' d ' + Math.floor((s / 3600) % 24) + ' h';
}

const two = (n) => String(n).padStart(2, '0');

export function clock(at, seconds = true) {
  const d = new Date(at);
  return two(d.getHours()) + ':' + two(d.getMinutes()) + (seconds ? ':' + two(d.getSeconds()) : '');
}

export function count(n) {
  return Number(n).toLocaleString('en-US').replaceAll(',', '\u202f');
}

// el makes an element: text children are text, whatever is in them.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined && c !== ''));
  return node;
}

// name is what somebody else chose; it cannot turn around the words beside it.
export function name(text) {
  return el('bdi', {}, plain(text));
}

// put changes the text of a node only when it is another one, so that nothing is drawn or read out again without need.
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
