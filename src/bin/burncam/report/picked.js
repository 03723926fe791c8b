// The selection: which pictures are taken away, and the list of them as a file.

/** The selected cards. Filters do not change it. */
const picked = new Set();
/** Where a range begins. */
let anchor = null;

/** Selects a card, or takes it out; a range begins there. */
function pick(card, on = !picked.has(card)) {
  picked[on ? 'add' : 'delete'](card);
  anchor = card;
  showPicked();
}

/** Selects what is shown between the last card and this one, both included; or takes it out, if the last one was taken out. */
function pickTo(card) {
  const [from, to] = [shown.indexOf(anchor), shown.indexOf(card)];
  if (from === -1 || to === -1) {
    pick(card);
    return;
  }
  const change = picked.has(anchor) ? 'add' : 'delete';
  for (const each of shown.slice(Math.min(from, to), Math.max(from, to) + 1)) picked[change](each);
  showPicked();
}

/** Selects all that answer the state; takes them out if all are selected. */
function pickShown() {
  const change = areAllPicked() ? 'delete' : 'add';
  for (const card of shown) picked[change](card);
  showPicked();
}

const areAllPicked = () => shown.length > 0 && picked.size >= shown.length && shown.every((card) => picked.has(card));

/** Brings the boxes and the bar in line with the selection. */
function showPicked() {
  for (const list of [cardList, failureList]) {
    for (const [thing, item] of list.drawn) {
      const box = item.querySelector('.pick input');
      if (box) box.checked = picked.has(thing);
    }
  }
  byId('picked').hidden = picked.size === 0;
  document.body.classList.toggle('picking', picked.size > 0);
  byId('picked-count').textContent = `${picked.size.toLocaleString('en')} selected`;
  byId('pick-shown').hidden = shown.length === 0;
  byId('pick-shown').textContent =
    `${areAllPicked() ? 'Deselect' : 'Select'} ${shown.length === 1 ? 'it' : `all ${shown.length.toLocaleString('en')}`}`;
  if (opened) showWhetherPicked(opened);
}

/** The button of the large view. */
function showWhetherPicked(card) {
  byId('large-pick').setAttribute('aria-pressed', String(picked.has(card)));
  byId('large-pick').textContent = picked.has(card) ? 'Selected' : 'Select';
}

/** A box to select a card with. */
function pickBox(card) {
  const box = make('input', { type: 'checkbox', tabindex: '-1', 'aria-label': `Select ${fileName(card.path)}` });
  box.checked = picked.has(card);
  box.addEventListener('click', (event) => {
    if (event.shiftKey) pickTo(card);
    else pick(card, box.checked);
    stand(card);
  });
  return make('label', { class: 'pick', title: 'Select (x); with Shift, all from the last one on' }, box);
}

/** The selected cards in the order of the page. */
const selection = () => data.cards.filter((card) => picked.has(card));

/** What is known of a selected picture. */
function entry(card) {
  const named = (at) => (at === undefined ? null : data.classes[at][1]);
  return {
    path: card.path,
    label: named(card.label),
    predicted: named(card.predicted),
    proba: card.proba ?? null,
    label_proba: card.given ?? null,
    ...(data.runs && { second_predicted: named(card.second?.predicted), second_proba: card.second?.proba ?? null }),
    error: card.error ?? '',
  };
}

/** A cell of a table, guarded as `--csv` guards what a spreadsheet would take for a formula. */
function cell(value) {
  if (value === null || typeof value === 'number') return String(value ?? '');
  const rest = value.replace(/^[\s\uFEFF'"]+/u, '');
  const before = value.slice(0, value.length - rest.length);
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(rest);
  const isFormula = /[\t\r\n]/.test(before) || (/^[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/u.test(rest) && !isNumber);
  const text = isFormula ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const FORMATS = {
  /** One path per line, as `--files-from` reads it: with a line break in a name, NULs separate. */
  txt: { type: 'text/plain', write: (cards) => {
    const end = cards.some((card) => /[\r\n]/.test(card.path)) ? '\0' : '\n';
    return cards.map((card) => card.path + end).join('');
  } },
  csv: { type: 'text/csv', write: (cards) => {
    const rows = cards.map((card) => Object.values(entry(card)));
    return [Object.keys(entry(cards[0])), ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
  } },
  json: { type: 'application/json', write: (cards) => `${JSON.stringify(cards.map(entry), null, 2)}\n` },
};

/** Saves the selection as a file. Nothing leaves the browser. */
function save(format) {
  const { type, write } = FORMATS[format];
  const address = URL.createObjectURL(new Blob([write(selection())], { type: `${type};charset=utf-8` }));
  const link = make('a', { href: address, download: `selected.${format}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Copies the paths. Some browsers give a page from a file no clipboard; there the old way is left. */
async function copy() {
  const text = FORMATS.txt.write(selection());
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make('textarea', { readonly: '', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  byId('copy').textContent = 'Copied';
  setTimeout(() => { byId('copy').textContent = 'Copy paths'; }, 1500);
}
