// Controls, keys and the address, and the first drawing of the page.

/** Takes a change of what is asked; `lists` when other cards may answer. */
function change(changes, lists = true) {
  Object.assign(state, changes);
  writeAddress();
  showControls();
  if (lists) {
    fill();
    if (byId('grid').getBoundingClientRect().top < 0) window.scrollTo(0, 0);
    draw();
  } else {
    repaint();
    if (opened && !opened.load()) paintLarge();
  }
}

function toggleView() {
  change({ view: state.view === 'overlay' ? 'original' : 'overlay' }, false);
}

/** Puts the next of what there is next to the maps: nothing, the original, each other method. */
function nextBeside() {
  const all = [...document.querySelectorAll('select[data-key="beside"] option')].map((option) => option.value);
  const values = all.filter((value) => value !== (state.method || '0'));
  change({ beside: values[(values.indexOf(state.beside) + 1) % values.length] }, false);
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
  const methods = data.methods.map((name, at) => [String(at), name]);
  if (methods.length > 1) makeSelect('method', 'Method', [['', data.methods[0]], ...methods.slice(1)], false);
  if (data.targets > 1) {
    const what = data.task === 'detection' ? 'target' : 'class';
    const places = Array.from({ length: data.targets }, (_, at) => [String(at), `${what} ${at + 1} of ${data.targets}`]);
    makeSelect('target', 'Map of', places, false);
  }
  const other = data.runs ? [['run', runName(1)]] : [];
  makeSelect('beside', 'Next to it', [['', 'nothing'], ...other, ['original', 'original'], ...(methods.length > 1 ? methods : [])], false);
  makeOrders();
}

/** The orders that some card has a number for. */
function makeOrders() {
  const amounts = data.numbers ? 'number' : data.shares ? 'share' : 'probability';
  const orders = [
    ['most', `${amounts}, highest first`],
    ['least', `${amounts}, lowest first`],
    ['given', 'probability of the given label, lowest first'],
    ['apart', 'disagreement of methods, greatest first'],
    ['outside', 'heat outside of the boxes, most first'],
    ['moved', 'maps of the two runs, least alike first'],
    ['answers', 'classes of the two runs, farthest apart first'],
  ];
  const known = orders.filter(([key]) => data.cards.some((card) => ORDERS[key][0](card) !== undefined));
  makeSelect('sort', 'Sort by', [['path', 'path'], ...known]);
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
  const parts = [seen(data.title), `${explained.toLocaleString('en')} explained`];
  if (failed > 0) parts.push(`${failed.toLocaleString('en')} failed`);
  if (labelled.length > 0) {
    const some = labelled.length < explained ? ` of ${labelled.length.toLocaleString('en')} labelled` : '';
    parts.push(`${percent(right / labelled.length)}${some} right`);
  }
  if (data.runs) {
    const { first, second, both, only_second: only } = data.runs;
    const others = only === 0 ? '' : `, ${only.toLocaleString('en')} more there`;
    parts.push(seen(`${first} next to ${second}: ${both.toLocaleString('en')} in both${others}`));
  }
  if (data.methods.length > 0 && data.methods.length < 4) parts.push(data.methods.join(', '));
  // A path of many folders says most in its last two.
  const folder = base.split('/').filter(Boolean).slice(-2).join('/');
  const count = pictures(data.cards.length);
  const title = folder === '' ? count : `${folder}: ${count}`;
  byId('title').textContent = seen(title);
  byId('title').title = seen(base);
  byId('summary').textContent = parts.join(' \u00B7 ');
  document.title = `${seen(title)} \u00B7 ${seen(data.title)} \u00B7 burncam report`;
}

/** What the colours mean, and where they end. */
function makeLegend() {
  const { legend } = data;
  if (!legend) return;
  const [least, most] = legend.diverging ? ['against the class', 'for the class'] : ['little heat', 'most heat'];
  byId('legend').append(make('span', {}, least), make('img', { src: legend.bar, alt: `from ${least} to ${most}` }), make('span', {}, most));
  if (legend.crop) byId('legend').append(make('span', {}, `\u00B7 ${legend.crop}`));
}

/** Numbers in the tables of the overview lead to their pictures. Its classes have the indices of the model. */
function linkOverview() {
  const places = new Map(data.classes.map(([index], at) => [String(index), String(at)]));
  const placeOf = (index) => (index === undefined ? '' : places.get(index) ?? 'none');
  for (const button of document.querySelectorAll('.whole button')) {
    button.addEventListener('click', () => {
      const { label, predicted, only } = button.dataset;
      change({ q: '', warning: '', show: only ?? 'all', label: placeOf(label), class: placeOf(predicted) });
      byId('status').scrollIntoView({ block: 'center' });
      draw();
    });
  }
  document.querySelector('.whole')?.addEventListener('toggle', draw);
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
  else fill();
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
  const moves = { ArrowRight: () => at + 1, ArrowLeft: () => at - 1, j: () => at + 1, k: () => at - 1,
    ArrowDown: () => neighbour(current, 1), ArrowUp: () => neighbour(current, -1) };
  if (event.key in moves && current) {
    // The first press takes up the place, the next moves on; above the first row there is nothing.
    const to = document.activeElement?.closest('.card') ? moves[event.key]() : at;
    if (to >= 0) go(to);
  } else if (event.key === 'Home') go(0);
  else if (event.key === 'End') go(shown.length - 1);
  else if (event.key === 'x' && current) pick(current);
  else if (event.key === 'X' && current) pickTo(current);
  else if (event.key === 'a') pickShown();
  else if (event.key === 's') nextBeside();
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
  else if (event.key === 'x') pick(opened);
  else if (event.key === 's') nextBeside();
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
  } else if (!event.target.closest('input:not([type=checkbox]), select')) {
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
byId('large-pick').addEventListener('click', () => pick(opened));
byId('pick-shown').addEventListener('click', pickShown);
byId('copy').addEventListener('click', copy);
for (const button of document.querySelectorAll('[data-save]')) button.addEventListener('click', () => save(button.dataset.save));
byId('unpick').addEventListener('click', () => {
  picked.clear();
  showPicked();
});
large.addEventListener('click', (event) => { if (event.target === large) closeLarge(); });
window.addEventListener('scroll', draw, { passive: true });
let width = innerWidth;
window.addEventListener('resize', () => {
  // The height alone changes when a phone hides its bars, and no card changes with it.
  if (innerWidth !== width) for (const list of [cardList, failureList]) list.remeasure();
  width = innerWidth;
  draw();
});
/** As many cards as printing takes: those that answer first. */
const PRINTED = 200;
window.addEventListener('beforeprint', () => cardList.print(PRINTED));
window.addEventListener('afterprint', draw);
window.addEventListener('popstate', arrive);

makeHead();
makeLegend();
makeControls();
linkOverview();
// The first pictures come with the first drawing.
await data.cards[0]?.load();
arrive();
performance.mark('ready');
