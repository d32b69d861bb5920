// Draws what the panel of a workspace is sent.
const { element, fill } = window.berthPage;
const editor = acquireVsCodeApi();
const svgSpace = 'http://www.w3.org/2000/svg';
const width = 240;
const height = 56;

function fillSection(/** @type {string} */ id, /** @type {Node[]} */ children) {
  const section = document.getElementById(id);
  section.hidden = children.length === 0;
  fill(section.querySelector('.content'), children);
}

function buttonOf({ command, title }, index) {
  const kind = index === 0 ? {} : { class: 'secondary' };
  return element('button', { id: command, 'data-command': command, ...kind }, title);
}

function volumeOf({ title, place, used, share }) {
  const row = element(
    'div',
    { class: 'volume' },
    element('strong', {}, title),
    element('span', { class: 'quiet' }, place),
    element('span', { class: 'amount' }, used),
  );
  if (share !== undefined) {
    const bar = element('div', { class: 'bar', role: 'img', 'aria-label': used }, element('i'));
    bar.firstChild.style.width = `${(share * 100).toFixed(1)}%`;
    row.append(bar);
  }
  return row;
}

function drawFacts(facts) {
  document.querySelector('h1').textContent = facts.title;
  const state = document.getElementById('state');
  if (state.textContent !== facts.state) state.textContent = facts.state;
  document.querySelector('main').setAttribute('aria-busy', String(facts.isBusy));
  fill(document.getElementById('buttons'), facts.buttons.map(buttonOf));
  const problems = document.getElementById('problems');
  problems.hidden = facts.problems.length === 0;
  fill(
    problems,
    facts.problems.map((text) => element('li', {}, text)),
  );
  fillSection(
    'ports',
    facts.ports.map(({ host, words }) =>
      element('button', { id: `port-${host}`, class: 'link', 'data-port': String(host) }, words),
    ),
  );
  fillSection('volumes', facts.volumes.map(volumeOf));
  const list = element('dl');
  for (const [name, value] of facts.facts) list.append(element('dt', {}, name), element('dd', {}, value));
  fillSection('facts', [list]);
}

function entryOf({ id, title, age, when, words, buttons }) {
  const pressed = buttons.map(({ command, title: text, label, hindrance }) => {
    const button = element(
      'button',
      { id: `${command}-${id}`, class: 'secondary small', 'data-command': command, 'data-snapshot': id },
      text,
    );
    button.setAttribute('aria-label', hindrance === undefined ? label : `${label}. ${hindrance}`);
    if (hindrance !== undefined) {
      // It stays within reach of the keyboard, so that the reason can be heard.
      button.setAttribute('aria-disabled', 'true');
      button.title = hindrance;
    }
    return button;
  });
  return element(
    'li',
    {},
    element(
      'div',
      { class: 'entry' },
      element('strong', {}, title),
      element('span', { class: 'quiet', title: when }, age),
      element('span', { class: 'quiet words' }, words),
    ),
    element('div', { class: 'actions' }, ...pressed),
  );
}

function drawTimeline({ entries, rest, make }) {
  const children = [];
  if (entries.length > 0) children.push(element('ol', { class: 'timeline' }, ...entries.map(entryOf)));
  if (rest !== '') children.push(element('p', { class: 'quiet' }, rest));
  if (make !== undefined) {
    children.push(element('button', { id: 'make-snapshot', class: 'secondary', 'data-snapshot': '' }, make));
  }
  fillSection('snapshots', children);
}

function lineOf(parts, kind) {
  return parts.map((points) => {
    const line = document.createElementNS(svgSpace, 'polyline');
    const at = ([x, y]) => `${(x * width).toFixed(1)},${((1 - y) * (height - 2) + 1).toFixed(1)}`;
    line.setAttribute('points', points.map(at).join(' '));
    line.setAttribute('class', kind);
    return line;
  });
}

function drawingOf({ id, title, now, top, lines }) {
  const drawing = document.createElementNS(svgSpace, 'svg');
  drawing.setAttribute('viewBox', `0 0 ${width} ${height}`);
  drawing.setAttribute('preserveAspectRatio', 'none');
  drawing.setAttribute('role', 'img');
  drawing.setAttribute('aria-label', `${title}: ${now}`);
  drawing.append(...lines.flatMap((parts, index) => lineOf(parts, index === 0 ? 'first' : 'second')));
  return element(
    'div',
    { class: `series ${id}` },
    element('div', { class: 'head' }, element('strong', {}, title), element('span', {}, now)),
    drawing,
    element('span', { class: 'top quiet' }, top),
  );
}

function drawUsage(series) {
  const isKnown = series.some(({ lines }) => lines.some((parts) => parts.length > 0));
  fillSection('usage', isKnown ? series.map(drawingOf) : []);
}

function drawLog(lines) {
  fillSection('log', lines.length === 0 ? [] : [element('pre', { tabindex: '0' }, lines.join('\n'))]);
}

window.addEventListener('message', ({ data }) => {
  if (data.type === 'facts') drawFacts(data.facts);
  else if (data.type === 'usage') drawUsage(data.series);
  else if (data.type === 'log') drawLog(data.lines);
  else if (data.type === 'snapshots') drawTimeline(data.timeline);
});

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('button') : undefined;
  if (!button) return;
  const { command, port, snapshot } = button.dataset;
  if (button.getAttribute('aria-disabled') === 'true') return;
  if (snapshot !== undefined) editor.postMessage({ snapshot, command });
  else editor.postMessage(command === undefined ? { port: Number(port) } : { command });
});

editor.postMessage({ ready: true });
