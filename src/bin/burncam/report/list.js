// What the page knows, what is asked of it, and which cards answer. Draws nothing.

const byId = (id) => document.getElementById(id);

/** A text that the page holds compressed, because a browser takes long to read HTML. */
async function unpacked(packed) {
  if (!('DecompressionStream' in globalThis)) document.body.prepend('This page needs a browser of 2023 or later.');
  const text = atob(packed);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  const inflate = new DecompressionStream('deflate-raw');
  const writer = inflate.writable.getWriter();
  writer.write(bytes);
  writer.close();
  return new Response(inflate.readable).text();
}

/** What is known of a card before its rest was read. */
const NOTHING = { views: [] };

/** A picture with its maps, or an input that failed. What filters and orders look at is known from the start; the rest is unpacked when it is drawn. */
class Card {
  #at;
  #more = NOTHING;

  constructor([path, error, label, given, predicted, proba, agreement, outside, notes, second], at) {
    this.path = path;
    this.failed = error !== null;
    // The card names its file already.
    this.reason = this.failed ? error.split(`'${path}': `).at(-1) : undefined;
    this.error = error ?? undefined;
    this.label = label ?? undefined;
    this.given = given ?? undefined;
    this.predicted = predicted ?? undefined;
    this.proba = proba ?? undefined;
    this.agreement = agreement ?? undefined;
    this.outside = outside ?? undefined;
    this.notes = notes;
    this.noted = notes.length > 0;
    this.labelled = label !== null;
    this.wrong = this.labelled && label !== predicted;
    // In lower case, for searches.
    this.lower = undefined;
    this.second = second ? { predicted: second[0] ?? undefined, proba: second[1] ?? undefined, changed: second[2], alike: second[3] ?? undefined } : undefined;
    this.#at = at;
  }

  /** Maps, files, all predictions, sizes; nothing while they are packed. */
  get more() {
    if (this.#more !== NOTHING) return this.#more;
    const lines = rests[Math.floor(this.#at / data.pack)]?.lines;
    if (lines === undefined) return NOTHING;
    const more = JSON.parse(lines[this.#at % data.pack]);
    more.views ??= [];
    // The map's own picture is the first of its files.
    for (const view of [...more.views, ...(more.second?.views ?? [])]) {
      view.at ??= 0;
      view.method ??= 0;
      view.picture = view.shown ? view.files[0][1] : undefined;
    }
    this.#more = more;
    return more;
  }

  get views() {
    return this.more.views;
  }

  /** Unpacks the rest of this card and its neighbours: a promise, or nothing if that is done. */
  load() {
    const rest = rests[Math.floor(this.#at / data.pack)];
    if (rest.lines !== undefined) return undefined;
    rest.loading ??= unpacked(rest.packed).then((text) => { rest.lines = text.split('\n'); });
    return rest.loading;
  }
}

/** The rests of cards, so many together as the data says. */
const rests = byId('cards').textContent.split('\n').map((packed) => ({ packed }));
/** A line with what holds for all cards, and one with their keys. */
const [head, keys] = (await unpacked(byId('data').textContent)).split('\n');
const data = JSON.parse(head);
data.cards = JSON.parse(keys).map((card, at) => new Card(card, at));

/** What is asked when nothing is. Only what differs from it stands in the address. */
const DEFAULTS = {
  q: '', show: 'all', class: '', label: '', warning: '', sort: 'path',
  view: 'overlay', method: '', target: '0', beside: data.runs ? 'run' : '', open: '', map: '',
};
const state = { ...DEFAULTS };

/** What cards are sorted by: a number, and 1 for the least first or -1 for the greatest. Cards without the number follow. */
const ORDERS = {
  most: [(card) => card.proba, -1],
  least: [(card) => card.proba, 1],
  given: [(card) => card.given, 1],
  apart: [(card) => card.agreement, 1],
  outside: [(card) => card.outside, -1],
  moved: [(card) => card.second?.alike, 1],
  answers: [answersApart, -1],
};

/** How far apart the answers of two runs are: the difference of both amounts of one class; of two classes their sum, as each has none of the other's. */
function answersApart({ proba, second }) {
  if (second?.proba === undefined || proba === undefined) return undefined;
  return second.changed ? proba + second.proba : Math.abs(proba - second.proba);
}

/** What all paths begin with: no card needs to say it. */
const base = commonFolder();
arrange();

function commonFolder() {
  // What the first and the last in order have in common, all have.
  let [first, last] = [data.cards[0]?.path ?? '', data.cards[0]?.path ?? ''];
  for (const { path } of data.cards) {
    if (path < first) first = path;
    if (path > last) last = path;
  }
  let common = 0;
  while (common < first.length && first[common] === last[common]) common += 1;
  return first.slice(0, first.slice(0, common).lastIndexOf('/') + 1);
}

/** The order of the page: by path; failures last, by reason. */
function arrange() {
  const reasons = new Map();
  for (const { failed, reason } of data.cards) if (failed) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const byText = (a, b) => (a < b ? -1 : Number(a > b));
  const byReason = (a, b) =>
    !a.failed || !b.failed
      ? Number(a.failed) - Number(b.failed)
      : reasons.get(b.reason) - reasons.get(a.reason) || byText(a.reason, b.reason);
  data.cards.sort((a, b) => byReason(a, b) || byText(a.path, b.path));
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
const pictures = (count) => `${count.toLocaleString('en')} ${count === 1 ? 'picture' : 'pictures'}`;
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
  { name: 'changed', title: 'Class changed', has: (card) => card.second?.changed === true },
  { name: 'warnings', title: 'Warnings', has: (card) => card.noted },
  { name: 'failed', title: 'Failed', has: (card) => card.failed },
];

/** All cards in each order that was asked for, so that a filter need not sort. */
const sorted = { path: data.cards };

function inOrder(name) {
  if (!Object.hasOwn(ORDERS, name)) return sorted.path;
  sorted[name] ??= sort(...ORDERS[name]);
  return sorted[name];
}

/** All cards by a number; equal numbers in order of path, and failures, which have none, last. */
function sort(of, way) {
  const known = data.cards.filter((card) => of(card) !== undefined);
  const keys = Float64Array.from(known, (card) => way * of(card));
  const places = Uint32Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b] || a - b);
  return [...Array.from(places, (at) => known[at]), ...data.cards.filter((card) => of(card) === undefined)];
}

/** Whether a card has a word in its path or in the name of one of its classes. */
function finder(word) {
  const named = data.classes.map(([, name]) => name.toLowerCase().includes(word));
  return (card) => {
    card.lower ??= card.path.toLowerCase();
    return card.lower.includes(word) || named[card.predicted] || named[card.label];
  };
}

/** The cards that answer the state, in its order. */
function answer() {
  const finders = state.q.toLowerCase().split(/\s+/).filter(Boolean).map(finder);
  const group = GROUPS.find((each) => each.name === state.show) ?? GROUPS[0];
  const asked = (value) => (value === '' ? null : Number(value));
  const [predicted, label, warning] = [asked(state.class), asked(state.label), asked(state.warning)];
  const fits = (card) =>
    group.has(card) &&
    (predicted === null || card.predicted === predicted) &&
    (label === null || card.label === label) &&
    (warning === null || card.notes.includes(warning)) &&
    finders.every((has) => has(card));
  return inOrder(state.sort).filter(fits);
}

/** The map that a card shows: of the method and target asked for, or the nearest that there is. */
function viewOf(card, method = state.method) {
  const ofMethod = card.views.filter((view) => method === '' || view.method === Number(method));
  const views = ofMethod.length > 0 ? ofMethod : card.views;
  return views.find((view) => view.at === Number(state.target)) ?? views[0];
}

/** The map of the second run that belongs to one of the first; where it explains another class, or by another method, its first one. */
function inSecond(card, map) {
  const { views } = card.more.second;
  return map?.second ? views[map.second[0]] : views.find((view) => view.method === map?.method) ?? views[0];
}

/** What the second run's map is called next to one of the first: its run, and in what else it differs. */
function nameInSecond(map, own) {
  const method = map && own && map.method !== own.method ? data.methods[map.method] : undefined;
  const target = map && own && map.class !== own.class ? targetName(map) : undefined;
  return [runName(1), method, target].filter(Boolean).join(', ');
}

/** What a run is called: the last part of its path, or all of it where both would be called the same. */
function runName(at) {
  const last = (path) => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
  const runs = [data.runs.first, data.runs.second];
  return last(runs[0]) === last(runs[1]) ? runs[at] : last(runs[at]);
}

/** What stands next to a map: another method's map, that of the second run, the original, or nothing. */
function besideOf(card, map) {
  if (state.beside === '') return undefined;
  if (state.beside === 'original') return { name: 'original', which: 'original', view: undefined };
  if (state.beside === 'run') {
    const view = card.second && inSecond(card, map);
    return view && { name: nameInSecond(view, map), which: state.view, view };
  }
  const view = viewOf(card, state.beside);
  return view && { name: data.methods[view.method], which: state.view, view };
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
