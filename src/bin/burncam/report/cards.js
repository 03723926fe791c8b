// The grid: a card for each picture, made when it is first shown.

const grid = byId('grid');
/** As many cards as a large screen shows at once; the rest follows in steps that do not hold up the page. */
const FIRST = 60;
const STEP = 250;

let shown = [];
let drawn = 0;
let turn = 0;
/** The card that the keyboard stands on. */
let current = null;

const cardOf = new WeakMap();
/** The cards in the window and about it. */
const near = new Set();
const watcher = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const card = cardOf.get(target);
    near[isIntersecting ? 'add' : 'delete'](card);
    if (isIntersecting) refresh(card);
  }
}, { rootMargin: '50% 0px' });

/** What the cards in the grid answer. */
const question = () => JSON.stringify([state.q, state.show, state.class, state.label, state.warning, state.sort]);
let answered = '';

/** Lays the cards that answer the state into the grid. */
function lay() {
  answered = question();
  shown = answer();
  drawn = 0;
  turn += 1;
  grid.replaceChildren();
  draw(FIRST);
  drawLater(turn);
  stand(shown.includes(current) ? current : shown[0]);
  const all = data.cards.length;
  const pictures = (count) => `${count.toLocaleString('en')} ${count === 1 ? 'picture' : 'pictures'}`;
  byId('status').textContent =
    shown.length === all ? pictures(all) : `${shown.length.toLocaleString('en')} of ${pictures(all)}`;
  byId('nothing').hidden = shown.length > 0;
}

function draw(count) {
  grid.append(...shown.slice(drawn, drawn + count).map((card) => elementOf(card).parentNode));
  drawn = Math.min(drawn + count, shown.length);
}

function drawLater(mine) {
  if (drawn >= shown.length) return;
  setTimeout(() => {
    // Another question was asked meanwhile.
    if (mine !== turn) return;
    draw(STEP);
    drawLater(mine);
  });
}

/** Makes a card the one that Tab leads to. */
function stand(card) {
  current?.element?.setAttribute('tabindex', '-1');
  current = card ?? null;
  if (current) elementOf(current).setAttribute('tabindex', '0');
}

/** Moves the keyboard to the card at a place of the grid. */
function go(place) {
  if (shown.length === 0) return;
  const at = Math.max(0, Math.min(place, shown.length - 1));
  if (at >= drawn) draw(at + 1 - drawn);
  stand(shown[at]);
  current.element.focus({ preventScroll: true });
  current.element.scrollIntoView({ block: 'nearest' });
}

const columns = () => getComputedStyle(grid).gridTemplateColumns.split(' ').length;

/** The card's button; its parent is the item of the list. */
function elementOf(card) {
  if (!card.element) {
    card.element = make('button', { type: 'button', class: 'card', tabindex: '-1' });
    cardOf.set(make('li', {}, card.element), card);
    watcher.observe(card.element.parentNode);
    card.element.addEventListener('click', () => openLarge(card));
    card.element.addEventListener('focus', () => stand(card));
    if (card.failed) paintFailure(card);
    refresh(card);
  }
  return card.element;
}

/** Draws a card anew if it shows something else than is asked for. */
function refresh(card) {
  const look = `${state.view} ${state.method} ${state.target}`;
  if (card.failed || card.look === look) return;
  card.look = look;
  paint(card);
}

/** Draws what is in sight anew. The rest follows when it comes near the window. */
function repaint() {
  for (const card of near) refresh(card);
}

function paintFailure(card) {
  card.element.classList.add('failed');
  card.element.setAttribute('aria-label', seen(`${card.path}: not explained: ${card.reason}`));
  card.element.append(
    make('span', { class: 'picture' }, 'Not explained'),
    make('span', { class: 'text' },
      make('span', { class: 'line', title: card.path }, briefly(card.path)),
      make('span', { class: 'why' }, card.reason)),
  );
}

/** Draws a card as the state asks: its map, its numbers, and what to beware of. */
function paint(card) {
  const view = viewOf(card);
  const mat = make('span', { class: 'picture' });
  showPicture(mat, card, view, state.view, true);
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
  if (card.found) {
    const count = `${card.found.length} ${card.found.length === 1 ? 'box' : 'boxes'}`;
    text.append(make('span', { class: 'line' }, count));
  }
  if (view && (view.class !== card.predicted || view.box !== undefined)) {
    text.append(make('span', { class: 'line' }, `map of ${targetName(view)}, ${amount(view.proba)}`));
  }
  text.append(make('span', { class: 'line', title: card.path }, briefly(card.path)));
  card.element.setAttribute('aria-label', seen(inWords(card, view)));
  card.element.replaceChildren(mat, likely, text);
}

/** Whether the prediction is right, said and not only coloured. */
function verdict(card, kind) {
  return card.wrong
    ? make('span', { class: `${kind} wrong` }, `\u2717\uFE0E labelled ${shortName(card.label)}`)
    : make('span', { class: `${kind} right` }, '\u2713\uFE0E right');
}

function chipsOf(card, view) {
  const chips = [];
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
  const thumb = original ? card.thumb : view?.thumb;
  const file = original ? card.original : view?.picture;
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
  image.src = source;
  place.replaceChildren(image);
  // The embedded picture is small: the file itself takes its place, if it is still where it was.
  if (!small && thumb !== undefined && file !== undefined) {
    const whole = new Image();
    whole.addEventListener('load', () => { image.src = file; });
    whole.src = file;
  }
}
