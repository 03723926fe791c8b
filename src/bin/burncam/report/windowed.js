// A long list of which only what is near the window exists: a page of 50,000 cards has as many elements as one of 100.

class Windowed {
  /** `make` gives the list item of a thing, all of one height. */
  constructor(element, make) {
    Object.assign(this, { element, make, things: [], drawn: new Map(), height: 0 });
  }

  /** Shows these things from now on. */
  fill(things) {
    this.things = things;
    this.draw();
  }

  /** How many things stand next to each other, how high a row is, and how far apart rows are. */
  measure() {
    const style = getComputedStyle(this.element);
    this.columns = style.gridTemplateColumns.split(' ').length;
    this.gap = Number.parseFloat(style.rowGap) || 0;
    if (this.height > 0) return;
    const item = this.make(this.things[0]);
    this.element.prepend(item);
    this.height = item.getBoundingClientRect().height;
    item.remove();
  }

  /** After the width of the window or the letters' size changed. */
  remeasure() {
    this.height = 0;
    this.draw();
  }

  /** Makes what is near the window, and removes the rest. */
  draw() {
    const { element, things } = this;
    element.hidden = things.length === 0;
    if (element.hidden) {
      this.put([]);
      return;
    }
    this.measure();
    const pitch = this.height + this.gap;
    const rows = Math.ceil(things.length / this.columns);
    const top = element.getBoundingClientRect().top;
    const row = (y) => Math.max(0, Math.min(rows, y));
    const first = row(Math.floor((-0.75 * innerHeight - top) / pitch));
    const last = row(Math.ceil((1.75 * innerHeight - top) / pitch));
    element.style.paddingTop = `${first * pitch}px`;
    element.style.height = `${rows * pitch - this.gap}px`;
    this.put(things.slice(first * this.columns, last * this.columns));
  }

  /** Makes the first things, all rows of them, and not those near the window. */
  print(count) {
    this.element.style.paddingTop = '';
    this.element.style.height = '';
    this.put(this.things.slice(0, count));
  }

  /** Brings the elements in line with these things; those that stay keep the keyboard and their pictures. */
  put(things) {
    const wanted = new Set(things);
    for (const [thing, item] of this.drawn) {
      if (wanted.has(thing)) continue;
      item.remove();
      this.drawn.delete(thing);
    }
    let next = this.element.firstElementChild;
    for (const thing of things) {
      const item = this.drawn.get(thing) ?? this.make(thing);
      this.drawn.set(thing, item);
      if (item === next) next = next.nextElementSibling;
      else this.element.insertBefore(item, next);
    }
  }

  /** Scrolls so that a thing is in the window, below what sticks to its top, and makes it. */
  show(thing) {
    const at = this.things.indexOf(thing);
    if (at === -1) return;
    this.draw();
    const pitch = this.height + this.gap;
    const top = this.element.getBoundingClientRect().top + Math.floor(at / this.columns) * pitch;
    const above = document.querySelector('.bar').getBoundingClientRect().height + 8;
    const below = innerHeight - (byId('picked').hidden ? 8 : byId('picked').getBoundingClientRect().height + 8);
    if (top < above) window.scrollBy(0, top - above);
    else if (top + this.height > below) window.scrollBy(0, top + this.height - below);
    this.draw();
  }
}
