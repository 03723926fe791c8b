// The large view: one picture with everything that is known of it.

const large = byId('large');
/** The card in the large view. */
let opened = null;
let boxes = false;
/** Whether a detector's boxes, and where a segmentation's class wins, are drawn. */
let answers = true;
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
async function showLarge(card) {
  opened = card;
  stand(card);
  if (!large.open) {
    large.showModal();
    // Not its first button: keys are for the picture.
    large.focus();
  }
  const loading = card.load();
  if (loading) await loading;
  if (opened === card) paintLarge();
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
  const at = shown.indexOf(card);
  if (at !== -1) go(at);
});

/** The map in the large view: the one chosen there, else the one of the card. */
function chosen(card) {
  return state.map === '' ? viewOf(card) : (card.views[Number(state.map)] ?? viewOf(card));
}

function step(by) {
  const at = shown.indexOf(opened);
  const next = shown[at === -1 ? 0 : at + by];
  if (!next) return;
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
  const place = at === -1 ? '' : `${(at + 1).toLocaleString('en')} of ${shown.length.toLocaleString('en')}`;
  byId('place').textContent = place;
  byId('name').textContent = seen(fileName(card.path));
  byId('name').title = seen(card.path);
  byId('previous').disabled = at <= 0;
  byId('next').disabled = at === shown.length - 1;
  byId('boxes').hidden = !view?.boxes;
  byId('answers').hidden = !(card.more.found || view?.mask);
  byId('answers').textContent = card.more.found ? 'Boxes found' : 'Mask';
  byId('large-view').hidden = card.failed;
  showWhetherPicked(card);
  large.setAttribute('aria-label', seen(card.path));
  paintFrames(card, view);
  paintStrip(card, view);
  byId('details').replaceChildren(...(card.failed ? failureDetails(card) : details(card, view)));
}

/** The map, and next to it another method's or the original, if asked for. */
function paintFrames(card, view) {
  const beside = card.failed ? undefined : besideOf(card, view);
  byId('second').hidden = !beside;
  byId('frames').classList.toggle('two', Boolean(beside));
  byId('frames').style.setProperty('--ratio', card.failed ? 1 : card.more.width / card.more.height);
  byId('boxes').setAttribute('aria-pressed', String(boxes));
  byId('answers').setAttribute('aria-pressed', String(answers));
  const own = state.beside === 'run' ? runName(0) : data.methods[view?.method];
  const name = view && (state.view === 'original' ? 'original' : own);
  paintFrame(byId('frame'), card, { name: beside && name, which: state.view, view });
  if (beside) paintFrame(byId('second'), card, beside);
}

function paintFrame(frame, card, { name, which, view }) {
  if (card.failed) {
    frame.replaceChildren(make('p', { class: 'gone' }, 'Not explained'));
    return;
  }
  showPicture(frame, card, view, which, false);
  if (answers) paintAnswers(frame, card, view);
  for (const place of boxes ? view?.boxes ?? [] : []) frame.append(boxAt(card, place, 'heat'));
  if (name) frame.append(make('span', { class: 'of' }, name));
}

/** What the network itself found: the mask of the class, everything else dimmed, and numbered boxes. */
function paintAnswers(frame, card, view) {
  if (view?.mask) frame.append(make('img', { class: 'mask', src: view.mask, alt: `Where ${shortName(view.class)} wins` }));
  for (const [at, [, , place]] of (card.more.found ?? []).entries()) {
    const box = boxAt(card, place, view?.box === at + 1 ? 'found explained' : 'found');
    box.append(make('span', {}, String(at + 1)));
    frame.append(box);
  }
}

/** A frame at left, top, right and bottom in pixels of the picture; what is outside of the picture is not drawn. */
function boxAt(card, place, kind) {
  const within = (edge, of) => (100 * Math.min(Math.max(edge, 0), of)) / of;
  const [left, right] = [place[0], place[2]].map((edge) => within(edge, card.more.width));
  const [top, bottom] = [place[1], place[3]].map((edge) => within(edge, card.more.height));
  const box = make('div', { class: kind });
  Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
  return box;
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
      make('span', {}, targetName(each)),
      make('span', {}, `${data.methods[each.method]}, ${data.shares ? percent(each.proba) : amount(each.proba)}`));
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
  const { found, top } = card.more;
  if (found) parts.push(make('h3', {}, 'Boxes'), list(card, found.map(([at, proba]) => [at, proba]), 'numbered'));
  if (top) parts.push(make('h3', {}, 'Predictions'), list(card, top, ''));
  if (view) parts.push(make('h3', {}, 'Map'), facts(card, view));
  parts.push(...files(card.more.original, view));
  if (card.second) parts.push(...secondDetails(card, view));
  return parts;
}

/** What the second run says of the picture, and its files. */
function secondDetails(card, view) {
  const { second } = card.more;
  const map = inSecond(card, view);
  const parts = [make('h2', { class: 'run' }, `In ${runName(1)}`)];
  if (card.second.changed) parts.push(make('p', { class: 'verdict' }, 'Another class'));
  if (second.right !== undefined) {
    const words = second.right ? '\u2713\uFE0E Right' : '\u2717\uFE0E Wrong';
    parts.push(make('p', { class: `verdict ${second.right ? 'right' : 'wrong'}` }, words));
  }
  for (const note of map ? notesOf(map) : []) parts.push(make('p', { class: 'note' }, data.notes[note]));
  if (second.top) parts.push(make('h3', {}, 'Predictions'), list(card, second.top, ''));
  if (!map) return parts;
  const [, alike] = view?.second ?? [];
  const rows = [
    ['Class', `${className(map.class)}, ${amount(map.proba)}`],
    ['Method', data.methods[map.method]],
    ['Layer', map.layer === undefined ? undefined : data.layers[map.layer]],
    ['Both runs', (alike ?? null) === null ? undefined : `rank correlation of their maps ${alike.toFixed(2)}`],
  ];
  return [...parts, make('h3', {}, 'Map'), factList(rows), ...files(undefined, map)];
}

/** Classes with what is said of each. */
function list(card, rows, kind) {
  return make('ol', { class: `bars ${kind}` }, ...rows.map(([at, proba]) => {
    const bar = make('span', { class: 'likely' });
    bar.style.setProperty('--p', data.numbers ? 0 : proba);
    const name = make('span', { class: at === card.label ? 'right' : undefined }, className(at));
    return make('li', {}, name, make('span', { class: 'number' }, amount(proba)), bar);
  }));
}

/** What a target is called, where it is no class. */
const TARGETS = { numbers: 'Number', embedding: 'Likeness' };

function facts(card, view) {
  const index = isNameless(view.class) ? '' : ` (${data.classes[view.class][0]})`;
  const rank = view.rank > 1 ? `, rank ${view.rank}` : '';
  const rows = [
    ['Task', data.task],
    [view.box === undefined ? TARGETS[data.task] ?? 'Class' : `Box ${view.box}`,
      `${className(view.class)}${index}, ${amount(view.proba)}${rank}`],
    ['Compared with', view.against === undefined ? undefined : className(view.against)],
    ['Summed over', view.pixels === undefined ? undefined : `${view.pixels.toLocaleString('en')} pixels of the output`],
    ['Method', data.methods[view.method]],
    ['Layer', view.layer === undefined ? undefined : data.layers[view.layer]],
    ['Heat', view.boxes?.map(([l, t, r, b]) => `${r - l} \u00D7 ${b - t} at ${l}, ${t}`).join('; ')],
    ['Given class', card.given === undefined ? undefined : `${percent(card.given)}, rank ${card.more.place ?? '?'}`],
    ['Methods', card.agreement === undefined ? undefined : `rank correlation of their maps ${card.agreement.toFixed(2)}`],
    ['Outside', card.outside === undefined ? undefined : `${percent(card.outside)} of the heat outside of the boxes`],
    ['Picture', `${card.more.width} \u00D7 ${card.more.height}, ${card.more.format}`],
  ];
  return factList(rows);
}

/** Names with values, those that are known. */
function factList(rows) {
  const known = rows.filter(([, value]) => value !== undefined);
  return make('dl', { class: 'facts' }, ...known.map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value))));
}

/** The files themselves. Their addresses are made of percent-encoded path segments only. */
function files(original, view) {
  const own = (view?.files ?? []).map(([kind, file]) => [data.kinds[kind], file]);
  const links = [...(original === undefined ? [] : [['original', original]]), ...own];
  if (links.length === 0) return [];
  const anchors = links.map(([kind, file]) => make('a', { href: file, target: '_blank', rel: 'noreferrer' }, kind));
  return [make('h3', {}, 'Files'), make('p', { class: 'files' }, ...anchors)];
}

/** Goes on with a finger moved across. */
let touched = null;
large.addEventListener('touchstart', (event) => {
  touched = event.touches.length === 1 ? event.touches[0] : null;
}, { passive: true });
large.addEventListener('touchend', (event) => {
  if (!touched || window.visualViewport?.scale > 1) return;
  const { clientX, clientY } = event.changedTouches[0];
  const [across, down] = [clientX - touched.clientX, clientY - touched.clientY];
  touched = null;
  if (event.target.closest('.strip') || Math.abs(across) < 50 || Math.abs(across) < 2 * Math.abs(down)) return;
  step(across < 0 ? 1 : -1);
}, { passive: true });
