// Draws what the page of storage is sent, and sends what was pressed.
const { element, fill } = window.berthPage;
const editor = acquireVsCodeApi();

/** Its words are beside it: a screen reader has them from there. */
function barOf(/** @type {number | undefined} */ share, kind = '') {
  const unknown = share === undefined ? 'unknown' : '';
  const bar = element('div', { class: `bar ${unknown} ${kind}`, 'aria-hidden': 'true' });
  if (share !== undefined) {
    const filled = element('i');
    filled.style.width = `${(share * 100).toFixed(1)}%`;
    bar.append(filled);
  }
  return bar;
}

function rowOf({ kind, id, title, detail, amount, share, workspace }) {
  const spoken = [title, amount, detail].filter(Boolean).join(', ');
  const name = { id: `${kind}:${id}`, class: 'name', [`data-${kind}`]: id, 'aria-label': spoken };
  const link =
    workspace === undefined
      ? []
      : [
          element(
            'button',
            { id: `panel:${id}`, class: 'link', 'data-workspace': workspace.name },
            workspace.words,
          ),
        ];
  const what = detail === undefined ? [] : [element('span', { class: 'detail quiet' }, detail)];
  return element(
    'li',
    { class: `item ${kind}` },
    element('div', { class: 'label' }, element('button', name, title), ...what, ...link),
    element('span', { class: 'amount' }, amount),
    ...(kind === 'more' ? [] : [barOf(share)]),
  );
}

/** What the bars of a section are, by the words that a click sends. */
const kinds = {
  volumes: 'volume',
  foreign: 'volume',
  snapshots: 'snapshots',
  trash: 'trash',
  images: 'image',
  archives: 'workspace',
  caches: 'cache',
};

function sectionOf({ id, title, summary, bars, more, measure, clean }, isMeasuring) {
  const button = (kind, words, isOff = false) =>
    element(
      'button',
      {
        ...{
          id: `${kind}:${id}`,
          class: 'secondary',
          [`data-${kind}`]: id,
          'aria-label': `${words}: ${title}`,
        },
        ...(isOff && { disabled: '' }),
      },
      words,
    );
  const kind = kinds[id];
  const rows = bars.map((bar) => rowOf({ kind, ...bar }));
  if (more !== undefined) rows.push(rowOf({ kind: 'more', id, ...more }));
  return element(
    'section',
    { class: id, 'aria-labelledby': `title:${id}` },
    element(
      'div',
      { class: 'head' },
      element('h2', { id: `title:${id}` }, title),
      element('p', { class: 'quiet' }, summary),
      ...(measure === undefined ? [] : [button('measure', measure, isMeasuring)]),
      ...(clean === undefined ? [] : [button('clean', clean)]),
    ),
    ...(rows.length === 0 ? [] : [element('ul', {}, ...rows)]),
  );
}

function drawDisk(disk) {
  const section = document.getElementById('disk');
  section.hidden = disk === undefined;
  if (disk === undefined) return;
  const low = disk.isLow ? 'low' : '';
  fill(section.querySelector('.content'), [
    element('p', { class: `words ${low}` }, disk.words),
    barOf(disk.share, low),
    element('p', { class: 'quiet detail' }, disk.detail),
  ]);
}

/** A screen reader says it again when it is set, changed or not. */
function say(/** @type {HTMLElement} */ place, /** @type {string} */ text) {
  if (place.textContent !== text) place.textContent = text;
}

function draw({ disk, sections, measuring, problem, isEmpty }) {
  const progress = document.getElementById('measuring');
  progress.hidden = measuring === undefined;
  say(progress.firstElementChild, measuring ?? '');
  say(document.getElementById('problem'), problem ?? '');
  drawDisk(disk);
  fill(
    document.getElementById('sections'),
    sections.map((each) => sectionOf(each, measuring !== undefined)),
  );
  document.getElementById('empty').hidden = !isEmpty;
}

/** Whoever asked for all others goes on with the first of them. */
let firstNew;

window.addEventListener('message', ({ data }) => {
  draw(data.facts);
  if (firstNew !== undefined) {
    const rows = document.querySelectorAll(`section.${firstNew.section} .name`);
    rows[firstNew.at]?.focus();
    firstNew = undefined;
  }
});

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('button') : undefined;
  if (!button) return;
  const section = button.dataset.more;
  if (section !== undefined) {
    firstNew = { section, at: document.querySelectorAll(`section.${section} .name`).length - 1 };
  }
  editor.postMessage({ ...button.dataset });
});

editor.postMessage({ ready: true });
