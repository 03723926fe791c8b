// The grid of cards, and below it the failures by reason. Both hold only what is near the window.

/** What the page has room for on a card, the same for all, so that all have one height. */
const LINES = {
  class: data.cards.some((card) => card.predicted !== undefined),
  verdict: data.cards.some((card) => card.labelled),
  found: data.found,
  target: data.others,
  second: data.runs !== undefined,
  path: true,
};
document.documentElement.style.setProperty('--lines', Object.values(LINES).filter(Boolean).length);

const cardList = new Windowed(byId('grid'), cardItem);
const failureList = new Windowed(byId('failures'), (thing) => (thing.heading ? headingItem(thing) : failureItem(thing)));

/** The cards that answer, failures last. */
let shown = [];
/** The card that the keyboard stands on. */
let current = null;

/** Whether a map is of something else than what was predicted. */
function isOfOther(card, view) {
  return view.class !== card.predicted || view.box !== undefined;
}

/** What the cards in the grid answer. */
const question = () => JSON.stringify([state.q, state.show, state.class, state.label, state.warning, state.sort]);
let answered = '';

/** Shows the cards that answer the state. */
function fill() {
  answered = question();
  shown = answer();
  if (!shown.includes(current)) current = shown[0] ?? null;
  const failed = shown.filter((card) => card.failed);
  cardList.fill(failed.length > 0 ? shown.filter((card) => !card.failed) : shown);
  failureList.fill(byReason(failed));
  stand(current);
  const all = data.cards.length;
  byId('status').textContent =
    shown.length === all ? pictures(all) : `${shown.length.toLocaleString('en')} of ${pictures(all)}`;
  byId('nothing').hidden = shown.length > 0;
  showPicked();
}

/** Failures with a heading before those of each reason. */
function byReason(failed) {
  const things = [];
  let heading;
  for (const card of failed) {
    if (heading?.reason !== card.reason) {
      heading = { heading: true, reason: card.reason, count: 0 };
      things.push(heading);
    }
    heading.count += 1;
    things.push(card);
  }
  return things;
}

/** Makes what is near the window. One card is reached with Tab: the one that the keyboard stood on, or the first. */
function draw() {
  cardList.draw();
  failureList.draw();
  if (buttonOf(current) || grid.querySelector('.card[tabindex="0"]')) return;
  document.querySelector('#grid .card, #failures .card')?.setAttribute('tabindex', '0');
}

const grid = byId('grid');
const listOf = (card) => (card.failed ? failureList : cardList);
/** The card's button, while it is near the window. */
const buttonOf = (card) => card && listOf(card).drawn.get(card)?.querySelector('.card');

/** Makes a card the one that Tab leads to. */
function stand(card) {
  for (const button of document.querySelectorAll('.card[tabindex="0"]')) button.setAttribute('tabindex', '-1');
  current = card ?? null;
  buttonOf(current)?.setAttribute('tabindex', '0');
}

/** Moves the keyboard to the card at a place of the page. */
function go(place) {
  if (shown.length === 0) return;
  stand(shown[Math.max(0, Math.min(place, shown.length - 1))]);
  listOf(current).show(current);
  buttonOf(current).focus({ preventScroll: true });
}

/** Where the arrows lead from a card: in the grid a row up or down, among the failures the next. */
function neighbour(card, rows) {
  const at = shown.indexOf(card);
  const count = cardList.things.length;
  if (card.failed || count === 0) return at + rows;
  const next = at + rows * cardList.columns;
  // From the last row down to the failures, if there are any.
  return next >= count && Math.floor(at / cardList.columns) === Math.floor((count - 1) / cardList.columns) ? count : Math.min(next, count - 1);
}

/** An item of the list: the card's button, and the box that selects it. */
function itemOf(card, kind, attributes = {}) {
  const button = make('button', { type: 'button', class: `card ${kind}`, tabindex: card === current ? '0' : '-1', ...attributes });
  button.addEventListener('click', (event) => {
    if (event.shiftKey) pickTo(card);
    else if (event.ctrlKey || event.metaKey) pick(card);
    else openLarge(card);
  });
  button.addEventListener('focus', () => stand(card));
  return [make('li', {}, button, pickBox(card)), button];
}

function cardItem(card) {
  const [item, button] = itemOf(card, '');
  paint(card, button);
  card.load()?.then(() => paint(card, button));
  return item;
}

function headingItem({ reason, count }) {
  return make('li', { class: 'reason', title: reason },
    make('span', { class: 'count' }, count.toLocaleString('en')), ' not explained: ', reason);
}

function failureItem(card) {
  const [item, button] = itemOf(card, 'failed', { 'aria-label': `${card.path}: not explained: ${card.reason}` });
  button.append(make('span', { class: 'line', title: card.path }, card.path.slice(base.length)));
  return item;
}

/** Draws again what is near the window. */
function repaint() {
  for (const [card, item] of cardList.drawn) paint(card, item.querySelector('.card'));
}

/** Draws a card as the state asks: its map, its numbers, and what to beware of. Its pictures come with its rest. */
function paint(card, button) {
  const view = viewOf(card);
  const mat = make('span', { class: 'picture' });
  if (!card.load()) showPicture(mat, card, view, state.view, true);
  const beside = card.load() ? undefined : besideOf(card, view);
  if (beside) {
    const second = make('span', { class: 'picture' });
    showPicture(second, card, beside.view, beside.which, true);
    const [one, other] = [mat, second].map((picture) => picture.firstElementChild);
    mat.replaceChildren(make('span', { class: 'two' }, one, other));
  }
  const chips = chipsOf(card, view);
  if (chips.length > 0) mat.append(make('span', { class: 'chips' }, ...chips));
  const likely = make('span', { class: 'likely' });
  likely.style.setProperty('--p', data.numbers ? 0 : (card.proba ?? 0));
  const text = make('span', { class: 'text' });
  if (card.predicted !== undefined) {
    text.append(make('span', { class: 'class' },
      make('span', { title: className(card.predicted) }, shortName(card.predicted)),
      make('span', { class: 'number' }, amount(card.proba))));
  }
  if (card.labelled) text.append(verdict(card, 'line'));
  const { found } = card.more;
  if (found) {
    const count = `${found.length} ${found.length === 1 ? 'box' : 'boxes'}`;
    text.append(make('span', { class: 'line' }, count));
  }
  if (view && isOfOther(card, view)) {
    text.append(make('span', { class: 'line' }, `map of ${targetName(view)}, ${amount(view.proba)}`));
  }
  if (data.runs) text.append(make('span', { class: 'line' }, inOther(card)));
  text.append(make('span', { class: 'line', title: card.path }, briefly(card.path)));
  button.setAttribute('aria-label', seen(inWords(card, view)));
  button.replaceChildren(mat, likely, text);
}

/** Whether the prediction is right, said and not only coloured. */
function verdict(card, kind) {
  return card.wrong
    ? make('span', { class: `${kind} wrong` }, `\u2717\uFE0E labelled ${shortName(card.label)}`)
    : make('span', { class: `${kind} right` }, '\u2713\uFE0E right');
}

/** What the second run predicts, in a line. */
function inOther({ second }) {
  if (!second) return `not in ${runName(1)}`;
  const { predicted, proba } = second;
  return predicted === undefined ? `in ${runName(1)}, too` : `${runName(1)}: ${shortName(predicted)}, ${amount(proba)}`;
}

function chipsOf(card, view) {
  const chips = [];
  if (card.second?.changed) chips.push(make('span', { class: 'chip warn', title: 'Another class in the other run' }, 'Changed'));
  const notes = view ? notesOf(view) : [];
  if (notes.length > 0) {
    const title = notes.map((note) => data.notes[note]).join('\n');
    const blank = view.blank !== undefined;
    const more = `${notes.length} ${notes.length === 1 ? 'warning' : 'warnings'}`;
    chips.push(make('span', { class: 'chip warn', title }, blank ? 'Blank map' : more));
  }
  if (card.views.length > 1) chips.push(make('span', { class: 'chip' }, `${card.views.length} maps`));
  return chips;
}

/** The card for those who hear it. */
function inWords(card, view) {
  const parts = [];
  if (card.predicted !== undefined) parts.push(`${shortName(card.predicted)} ${amount(card.proba)}`);
  if (card.labelled) parts.push(card.wrong ? `wrong, labelled ${shortName(card.label)}` : 'right');
  if (data.runs) parts.push(card.second?.changed ? `class changed, ${inOther(card)}` : inOther(card));
  const notes = view ? notesOf(view).length : 0;
  if (notes > 0) parts.push(notes === 1 ? '1 warning' : `${notes} warnings`);
  return `${fileName(card.path)}: ${parts.join(', ')}`;
}

/**
 * Puts a picture into a place: the embedded one if there is one, else the file, else words that there is none.
 * `small` is for the grid, where files are loaded only when they come near the window.
 */
function showPicture(place, card, view, which, small) {
  const original = which === 'original';
  const thumb = original ? card.more.thumb : view?.thumb;
  const file = original ? card.more.original : view?.picture;
  const source = small ? (thumb ?? (data.embedded ? undefined : file)) : (thumb ?? file);
  if (source === undefined) {
    place.replaceChildren(make('span', { class: 'gone' }, original ? 'No original' : 'No picture was saved'));
    return;
  }
  const what = original ? 'Original' : `Map of ${targetName(view)} on`;
  const image = make('img', { alt: `${what} ${fileName(card.path)}`, decoding: 'async' });
  if (small && thumb === undefined) image.loading = 'lazy';
  image.addEventListener('error', () => {
    image.replaceWith(make('span', { class: 'gone' }, `${fileName(card.path)} cannot be shown`));
  });
  image.addEventListener('load', () => sharpen(image));
  image.src = source;
  place.replaceChildren(image);
  // The embedded picture is small: the file itself takes its place, if it is still where it was.
  if (!small && thumb !== undefined && file !== undefined) {
    const whole = new Image();
    whole.addEventListener('load', () => { image.src = file; });
    whole.src = file;
  }
}

/** Shows a small picture that is enlarged as the squares that it is made of, and not blurred. */
function sharpen(image) {
  const scale = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
  image.classList.toggle('pixels', scale >= 2);
}
