// Controls, keys and the address, and the first drawing of the page.

/** Takes a change of what is asked; `lists` when other cards may answer. */
function change(changes, lists = true) {
  Object.assign(state, changes);
  writeAddress();
  showControls();
  if (lists) {
    lay();
    if (byId('grid').getBoundingClientRect().top < 0) window.scrollTo(0, 0);
  } else {
    repaint();
    if (opened) paintLarge();
  }
}

function toggleView() {
  change({ view: state.view === 'overlay' ? 'original' : 'overlay' }, false);
}

/** Makes the controls that this run has a use for. */
function makeControls() {
  for (const group of GROUPS) {
    const count = data.cards.filter(group.has).length;
    if (count === 0 && group.name !== 'all') continue;
    const button = make('button', { type: 'button', 'data-show': group.name }, group.title,
      make('span', { class: 'count' }, count.toLocaleString('en')));
    button.addEventListener('click', () => change({ show: group.name }));
    byId('show').append(button);
  }
  const named = (found, name) => [...found].map(([key, count]) => [String(key), `${name(key)} (${count})`, name(key)])
    .sort((a, b) => (a[2] < b[2] ? -1 : Number(a[2] > b[2])));
  const classes = counts((card) => (card.predicted === undefined ? [] : [card.predicted]));
  const labels = counts((card) => (card.labelled ? [card.label] : []));
  const notes = counts((card) => card.notes);
  if (classes.size > 1) makeSelect('class', 'Predicted', [['', 'any class'], ...named(classes, shortName)]);
  if (labels.size > 1) makeSelect('label', 'True class', [['', 'any class'], ...named(labels, shortName)]);
  if (notes.size > 1) makeSelect('warning', 'Warning', [['', 'any or none'], ...named(notes, (note) => data.notes[note])]);
  if (data.methods.length > 1) {
    makeSelect('method', 'Method', data.methods.map((name, at) => [at === 0 ? '' : String(at), name]), false);
  }
  const targets = data.cards.flatMap((card) => card.views).reduce((most, view) => Math.max(most, view.at), 0);
  if (targets > 0) {
    const what = data.task === 'detection' ? 'target' : 'class';
    const places = Array.from({ length: targets + 1 }, (_, at) => [String(at), `${what} ${at + 1} of ${targets + 1}`]);
    makeSelect('target', 'Map of', places, false);
  }
  const amounts = data.numbers ? 'number' : data.shares ? 'share' : 'probability';
  makeSelect('sort', 'Sort by', [
    ['path', 'path'], ['most', `${amounts}, highest first`], ['least', `${amounts}, lowest first`],
  ]);
}

function makeSelect(key, title, choices, lists = true) {
  const select = make('select', { 'data-key': key },
    ...choices.map(([value, text]) => make('option', { value }, text)));
  select.addEventListener('change', () => change({ [key]: select.value }, lists));
  byId('selects').append(make('label', {}, title, select));
}

/** Brings the controls in line with the state. */
function showControls() {
  if (byId('search').value !== state.q) byId('search').value = state.q;
  for (const select of document.querySelectorAll('select[data-key]')) select.value = state[select.dataset.key];
  const press = (name, value) => {
    for (const button of document.querySelectorAll(`[data-${name}]`)) {
      button.setAttribute('aria-pressed', String(button.dataset[name] === value));
    }
  };
  press('show', state.show);
  press('view', state.view);
}

function makeHead() {
  const failed = data.cards.filter((card) => card.failed).length;
  const labelled = data.cards.filter((card) => card.labelled);
  const right = labelled.filter((card) => !card.wrong).length;
  const explained = data.cards.length - failed;
  const parts = [`${explained.toLocaleString('en')} explained`];
  if (failed > 0) parts.push(`${failed.toLocaleString('en')} failed`);
  if (labelled.length > 0) {
    const some = labelled.length < explained ? ` of ${labelled.length.toLocaleString('en')} labelled` : '';
    parts.push(`${percent(right / labelled.length)}${some} right`);
  }
  if (data.methods.length === 1) parts.push(data.methods[0]);
  byId('title').textContent = seen(data.title);
  byId('summary').textContent = parts.join(' \u00B7 ');
  document.title = `${seen(data.title)} \u00B7 burncam report`;
}

/** What the address asks for, shown. */
function arrive() {
  if (leaving) {
    leaving = false;
    writeAddress();
    return;
  }
  readAddress();
  pushed = false;
  showControls();
  if (answered === question()) repaint();
  else lay();
  const card = state.open === '' ? undefined : data.cards.find((each) => each.path === state.open);
  if (card) {
    showLarge(card);
  } else {
    state.open = '';
    closeLarge();
  }
}

function keysOfGrid(event) {
  const at = shown.indexOf(current);
  const onOther = event.target !== document.body && !event.target.closest('.card');
  const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns(), j: 1, k: -1 };
  if (event.key in moves) {
    // The first press takes up the place, the next moves on; above the first row there is nothing.
    const by = document.activeElement?.closest('.card') ? moves[event.key] : 0;
    if (at + by >= 0) go(at + by);
  } else if (event.key === 'Home') go(0);
  else if (event.key === 'End') go(shown.length - 1);
  else if (event.key === 'o' || (event.key === ' ' && !onOther)) toggleView();
  else if (event.key === 'Enter' && event.target === document.body && current) openLarge(current);
  else if (event.key === '/') byId('search').focus();
  else if (event.key === '?') byId('help').showModal();
  else return;
  event.preventDefault();
}

function keysOfLarge(event) {
  const onButton = event.target.closest('button, a');
  if (event.key === 'ArrowRight' || event.key === 'j') step(1);
  else if (event.key === 'ArrowLeft' || event.key === 'k') step(-1);
  else if (event.key === 'o' || (event.key === ' ' && !onButton)) toggleView();
  else if (event.key === 'm') nextMap();
  else if (event.key === 'b') toggleBoxes();
  else if (event.key === 'f') toggleAnswers();
  else if (event.key === '?') byId('help').showModal();
  else return;
  event.preventDefault();
}

function toggleBoxes() {
  boxes = !boxes;
  paintLarge();
}

function toggleAnswers() {
  answers = !answers;
  paintLarge();
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (byId('help').open) {
    if (event.key === '?') byId('help').close();
    return;
  }
  if (large.open) {
    keysOfLarge(event);
  } else if (!event.target.closest('input, select')) {
    keysOfGrid(event);
  } else if (event.target === byId('search') && ['Enter', 'ArrowDown', 'Escape'].includes(event.key)) {
    event.preventDefault();
    go(shown.indexOf(current));
  }
});
// Some browsers press a button when the space bar comes up again.
document.addEventListener('keyup', (event) => {
  if (event.key === ' ' && event.target.closest?.('.card')) event.preventDefault();
});

byId('search').addEventListener('input', () => change({ q: byId('search').value }));
for (const button of document.querySelectorAll('[data-view]')) {
  button.addEventListener('click', () => change({ view: button.dataset.view }, false));
}
byId('keys').addEventListener('click', () => byId('help').showModal());
byId('more').addEventListener('click', () => {
  const open = document.querySelector('.bar').classList.toggle('open');
  byId('more').setAttribute('aria-expanded', String(open));
});
byId('clear').addEventListener('click', () => {
  change({ q: '', show: 'all', class: '', label: '', warning: '' });
  go(0);
});
byId('close').addEventListener('click', closeLarge);
byId('previous').addEventListener('click', () => step(-1));
byId('next').addEventListener('click', () => step(1));
byId('boxes').addEventListener('click', toggleBoxes);
byId('answers').addEventListener('click', toggleAnswers);
large.addEventListener('click', (event) => { if (event.target === large) closeLarge(); });
window.addEventListener('popstate', arrive);

makeHead();
makeControls();
arrive();
