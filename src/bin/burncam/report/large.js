// The large view: one picture with everything that is known of it.

const large = byId('large');
/** The card in the large view. */
let opened = null;
let boxes = false;
/** True while the address goes back because the view was closed, not because somebody went back. */
let leaving = false;
let pushed = false;

function openLarge(card) {
  state.open = card.path;
  state.map = '';
  writeAddress(true);
  pushed = true;
  showLarge(card);
}

/** Shows a card without touching the address. */
function showLarge(card) {
  opened = card;
  stand(card);
  if (!large.open) {
    large.showModal();
    // Not its first button: keys are for the picture.
    large.focus();
  }
  paintLarge();
}

function closeLarge() {
  if (large.open) large.close();
}

large.addEventListener('close', () => {
  const card = opened;
  opened = null;
  if (state.open !== '') {
    state.open = '';
    state.map = '';
    if (pushed) {
      leaving = true;
      history.back();
    } else {
      writeAddress();
    }
  }
  pushed = false;
  if (card) go(shown.indexOf(card));
});

/** The map in the large view: the one chosen there, else the one of the card. */
function chosen(card) {
  return state.map === '' ? viewOf(card) : (card.views[Number(state.map)] ?? viewOf(card));
}

function step(by) {
  const at = shown.indexOf(opened);
  const next = shown[at === -1 ? 0 : at + by];
  if (!next) return;
  if (shown.indexOf(next) >= drawn) draw(STEP);
  state.open = next.path;
  state.map = '';
  writeAddress();
  showLarge(next);
}

function choose(map) {
  state.map = String(map);
  writeAddress();
  paintLarge();
}

function nextMap() {
  const count = opened.views.length;
  if (count > 1) choose((opened.views.indexOf(chosen(opened)) + 1) % count);
}

function paintLarge() {
  const card = opened;
  const view = card.failed ? undefined : chosen(card);
  const at = shown.indexOf(card);
  byId('place').textContent =
    at === -1 ? seen(fileName(card.path)) : `${(at + 1).toLocaleString('en')} of ${shown.length.toLocaleString('en')}`;
  byId('previous').disabled = at <= 0;
  byId('next').disabled = at === shown.length - 1;
  byId('boxes').hidden = !view?.boxes;
  byId('large-view').hidden = card.failed;
  large.setAttribute('aria-label', seen(card.path));
  paintFrame(card, view);
  paintStrip(card, view);
  byId('details').replaceChildren(...(card.failed ? failureDetails(card) : details(card, view)));
}

function paintFrame(card, view) {
  const frame = byId('frame');
  if (card.failed) {
    frame.replaceChildren(make('p', { class: 'gone' }, 'Not explained'));
    return;
  }
  frame.style.setProperty('--ratio', card.width / card.height);
  showPicture(frame, card, view, state.view, false);
  byId('boxes').setAttribute('aria-pressed', String(boxes));
  if (!boxes) return;
  for (const [left, top, right, bottom] of view?.boxes ?? []) {
    const box = make('div', { class: 'heat' });
    const share = (length, of) => `${(100 * length) / of}%`;
    Object.assign(box.style, {
      left: share(left, card.width), top: share(top, card.height),
      width: share(right - left, card.width), height: share(bottom - top, card.height),
    });
    frame.append(box);
  }
}

/** All maps of the picture side by side, to choose from. */
function paintStrip(card, view) {
  const strip = byId('strip');
  strip.hidden = card.views.length < 2;
  if (strip.hidden) {
    strip.replaceChildren();
    return;
  }
  strip.replaceChildren(...card.views.map((each, at) => {
    const source = each.thumb ?? each.picture;
    const button = make('button', { type: 'button', 'aria-pressed': String(each === view) },
      ...(source === undefined ? [] : [make('img', { src: source, alt: '', loading: 'lazy', decoding: 'async' })]),
      make('span', {}, shortName(each.class)),
      make('span', {}, `${data.methods[each.method]}, ${percent(each.proba)}`));
    button.addEventListener('click', () => {
      choose(at);
      byId('strip').children[at].focus();
    });
    return button;
  }));
}

function failureDetails(card) {
  return [
    make('h2', {}, fileName(card.path)),
    make('p', { class: 'path' }, card.path),
    make('h3', {}, 'Not explained'),
    make('p', { class: 'wrong' }, card.reason),
  ];
}

function details(card, view) {
  const parts = [];
  if (card.predicted !== undefined) parts.push(make('h2', {}, className(card.predicted)));
  parts.push(make('p', { class: 'path' }, card.path));
  if (card.labelled) {
    const text = card.wrong ? `\u2717\uFE0E Wrong: labelled ${className(card.label)}` : '\u2713\uFE0E Right';
    parts.push(make('p', { class: `verdict ${card.wrong ? 'wrong' : 'right'}` }, text));
  }
  for (const note of view ? notesOf(view) : []) parts.push(make('p', { class: 'note' }, data.notes[note]));
  if (card.top.length > 0) parts.push(make('h3', {}, 'Predictions'), predictions(card));
  if (view) parts.push(make('h3', {}, 'Map'), facts(card, view));
  parts.push(...files(card, view));
  return parts;
}

function predictions(card) {
  return make('ol', { class: 'bars' }, ...card.top.map(([at, proba]) => {
    const bar = make('span', { class: 'likely' });
    bar.style.setProperty('--p', data.numbers ? 0 : proba);
    const name = make('span', { class: at === card.label ? 'right' : undefined }, className(at));
    return make('li', {}, name, make('span', { class: 'number' }, percent(proba)), bar);
  }));
}

function facts(card, view) {
  const rank = view.rank > 1 ? `, rank ${view.rank}` : '';
  const rows = [
    ['Class', `${className(view.class)} (${data.classes[view.class][0]}), ${percent(view.proba)}${rank}`],
    ['Method', data.methods[view.method]],
    ['Layer', view.layer === undefined ? undefined : data.layers[view.layer]],
    ['Box', view.boxes?.map(([l, t, r, b]) => `${r - l} \u00D7 ${b - t} at ${l}, ${t}`).join('; ')],
    ['Picture', `${card.width} \u00D7 ${card.height}, ${card.format}`],
  ];
  const known = rows.filter(([, value]) => value !== undefined);
  return make('dl', { class: 'facts' }, ...known.map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value))));
}

/** The files themselves. Their addresses are made of percent-encoded path segments only. */
function files(card, view) {
  const links = [...(card.original === undefined ? [] : [['original', card.original]]), ...(view?.files ?? [])];
  if (links.length === 0) return [];
  const anchors = links.map(([kind, file]) => make('a', { href: file, target: '_blank', rel: 'noreferrer' }, kind));
  return [make('h3', {}, 'Files'), make('p', { class: 'files' }, ...anchors)];
}
