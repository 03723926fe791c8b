// What the page knows, what is asked of it, and which cards answer. Draws nothing.

const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);

/** What is asked when nothing is. Only what differs from it stands in the address. */
const DEFAULTS = {
  q: '', show: 'all', class: '', label: '', warning: '', sort: 'path',
  view: 'overlay', method: '', target: '0', open: '', map: '',
};
const state = { ...DEFAULTS };

const ORDERS = {
  path: () => 0,
  most: (a, b) => b.proba - a.proba,
  least: (a, b) => a.proba - b.proba,
};

/** What all paths begin with: no card needs to say it. */
const base = commonFolder(data.cards.map((card) => card.path));
prepare();

function commonFolder(paths) {
  let common = paths[0] ?? '';
  for (const path of paths) {
    while (!path.startsWith(common)) common = common.slice(0, -1);
  }
  return common.slice(0, common.lastIndexOf('/') + 1);
}

/** What filters and orders look at, worked out once. */
function prepare() {
  for (const card of data.cards) {
    card.views ??= [];
    card.failed = card.error !== undefined;
    // The card names its file already.
    card.reason = card.error?.split(`'${card.path}': `).at(-1);
    card.search = card.path.toLowerCase();
    card.predicted = card.top?.[0]?.[0];
    // Failures stand last in either order.
    card.proba = card.top?.[0]?.[1];
    card.labelled = card.label !== undefined;
    card.wrong = card.labelled && card.label !== card.predicted;
    card.notes = new Set(card.views.flatMap(notesOf));
  }
  data.cards.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
}

/** The warnings of one map, why it is blank first. */
function notesOf(view) {
  return [...(view.blank === undefined ? [] : [view.blank]), ...(view.notes ?? [])];
}

/** Whether a class is called by nothing but its index. */
const isNameless = (at) => data.classes[at][1] === String(data.classes[at][0]);
const className = (at) => (isNameless(at) ? `${data.numbers ? 'number' : 'class'} ${data.classes[at][1]}` : data.classes[at][1]);
/** Synonyms follow a comma; one name is enough for a line. */
const shortName = (at) => className(at).split(', ')[0];
const fileName = (path) => path.slice(path.lastIndexOf('/') + 1) || path;

/** A path in a few words: without what all have in common, and of what is left the last two parts. */
function briefly(path) {
  const parts = path.slice(base.length).split('/');
  return parts.length > 2 ? `\u2026/${parts.slice(-2).join('/')}` : parts.join('/');
}

/** A probability or a share as people read it. */
function percent(share) {
  const value = share * 100;
  return value > 0 && value < 0.05 ? '<0.1 %' : `${value.toFixed(1)} %`;
}

/** What is said of a class: its probability, its share of the picture, or the number that the model gives. */
function amount(value) {
  if (data.numbers) return String(Number(value.toPrecision(5)));
  return data.shares ? `${percent(value)} of the picture` : percent(value);
}

/** What a map is of: a class, or a numbered box. */
const targetName = (view) => (view.box === undefined ? shortName(view.class) : `box ${view.box}, ${shortName(view.class)}`);

const GROUPS = [
  { name: 'all', title: 'All', has: () => true },
  { name: 'mistakes', title: 'Mistakes', has: (card) => card.wrong },
  { name: 'right', title: 'Right', has: (card) => card.labelled && !card.wrong },
  { name: 'warnings', title: 'Warnings', has: (card) => card.notes.size > 0 },
  { name: 'failed', title: 'Failed', has: (card) => card.failed },
];

/** The cards that answer the state, in its order. */
function answer() {
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const group = GROUPS.find((each) => each.name === state.show) ?? GROUPS[0];
  const asked = (value) => (value === '' ? null : Number(value));
  const [predicted, label, warning] = [asked(state.class), asked(state.label), asked(state.warning)];
  const fits = (card) =>
    group.has(card) &&
    (predicted === null || card.predicted === predicted) &&
    (label === null || card.label === label) &&
    (warning === null || card.notes.has(warning)) &&
    words.every((word) => card.search.includes(word));
  const cards = data.cards.filter(fits);
  if (state.sort === 'path') return cards;
  const known = cards.filter((card) => card.proba !== undefined);
  // The sort is stable: equal probabilities stay in order of path.
  known.sort(ORDERS[state.sort] ?? ORDERS.path);
  return [...known, ...cards.filter((card) => card.proba === undefined)];
}

/** The map that a card shows: of the method and target asked for, or the nearest that there is. */
function viewOf(card) {
  const ofMethod = card.views.filter((view) => state.method === '' || view.method === Number(state.method));
  const views = ofMethod.length > 0 ? ofMethod : card.views;
  return views.find((view) => view.at === Number(state.target)) ?? views[0];
}

/** How many cards there are of each number that `of` gives. */
function counts(of) {
  const found = new Map();
  for (const card of data.cards) {
    for (const key of of(card)) found.set(key, (found.get(key) ?? 0) + 1);
  }
  return found;
}

/** Puts the state into the address, so that it can be linked to. */
function writeAddress(push = false) {
  const pairs = Object.entries(state).filter(([key, value]) => value !== DEFAULTS[key]);
  const address = `#${new URLSearchParams(pairs)}`;
  if (address === (location.hash || '#')) return;
  history[push ? 'pushState' : 'replaceState'](null, '', address);
}

/** Takes the state from the address. What it does not name is as when nothing is asked. */
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const [key, usual] of Object.entries(DEFAULTS)) state[key] = asked.get(key) ?? usual;
}

/** What is not seen, or turns the reading direction. Joiners do neither between characters beyond ASCII, as in emoji. */
const UNSEEN =
  /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?<![^\0-\x7F\s\p{Cf}])[\u200C\u200D]|[\u200C\u200D](?![^\0-\x7F\s\p{Cf}])/gu;

/** Text out of a file as it is shown: unseen characters are spelt out. */
const seen = (text) => text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);

/** An element with attributes and children. Text becomes text nodes, whatever it holds; its lines stay lines in attributes. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, String(value).split('\n').map(seen).join('\n'));
  }
  element.append(...children.map((child) => (typeof child === 'string' ? seen(child) : child)));
  return element;
}
