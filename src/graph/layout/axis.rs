//! What an axis of a tensor holds: a product of parts, each rows or columns of the picture, channels, or something else.
//!
//! A reshape splits axes and joins them; parts say which rows and columns are where afterwards. Windows of a picture
//! that are taken apart and put together again are rows and columns again, a list of positions knows its grid.

/// What a part of an axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Batch,
    /// Channels, or groups of them.
    Channels,
    Rows,
    Columns,
    /// Unknown, or several things at once.
    Other,
}

/// A factor of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) of: Of,
    pub(super) size: usize,
    /// Rows or columns from one element to the next: 7 for the first row of each window of 7.
    pub(super) step: usize,
}

/// An axis: elements before the picture (class tokens), then parts, the outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(super) prefix: usize,
    pub(super) parts: Vec<Part>,
}

impl Axis {
    pub(super) fn new(of: Of, size: usize) -> Self {
        Self { prefix: 0, parts: vec![Part { of, size, step: 1 }] }
    }

    pub(super) fn unknown(size: usize) -> Self {
        Self::new(Of::Other, size)
    }

    pub(super) fn size(&self) -> usize {
        self.prefix + self.parts.iter().map(|part| part.size).product::<usize>()
    }

    /// What the whole axis counts, one by one from the first; `Other` when it is several things or some of one.
    pub(super) fn of(&self) -> Of {
        match self.parts[..] {
            [Part { of, step: 1, .. }] if self.prefix == 0 => of,
            // Groups of channels and channels within a group are channels together.
            _ if self.prefix == 0 && self.parts.iter().all(|part| part.of == Of::Channels) => Of::Channels,
            _ => Of::Other,
        }
    }

    /// The tokens before a list of all positions, row by row, and the list's rows and columns.
    pub(crate) fn positions(&self) -> Option<(usize, [usize; 2])> {
        match self.parts[..] {
            [
                Part { of: Of::Rows, size: rows, step: 1 },
                Part { of: Of::Columns, size: columns, step: 1 },
            ] => Some((self.prefix, [rows, columns])),
            _ => None,
        }
    }

    /// As [`Axis::positions`], also of a list of columns alone, which are one row.
    pub(super) fn tokens(&self) -> Option<(usize, [usize; 2])> {
        match self.parts[..] {
            [Part { of: Of::Columns, size, step: 1 }] => Some((self.prefix, [1, size])),
            _ => self.positions(),
        }
    }

    /// Whether any part counts rows or columns.
    pub(crate) fn holds_picture(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.of, Of::Rows | Of::Columns) && part.size > 1)
    }

    /// The same kind of thing in another number, as after a pool, a slice or a resize.
    pub(super) fn resized(&self, size: usize) -> Self {
        if self.size() == size { self.clone() } else { Self::new(self.of(), size) }
    }

    /// The elements from `start` up to `end`.
    pub(super) fn part(&self, start: usize, end: usize, step: usize) -> Self {
        match (self.prefix, end >= self.size()) {
            // Cut within the prefix: class tokens are dropped, and the positions stay whole.
            (prefix, true) if step == 1 && start <= prefix => {
                Self { prefix: prefix - start, parts: self.parts.clone() }
            }
            (0, _) => self.resized((end.min(self.size()) - start).div_ceil(step)),
            _ => Self::unknown((end.min(self.size()) - start).div_ceil(step)),
        }
    }

    /// Axes side by side: parts of one kind, or tokens before a list of positions.
    pub(super) fn joined(axes: &[Self], size: usize) -> Self {
        let Some((last, before)) = axes.split_last() else { return Self::unknown(size) };
        let are_alike = before.iter().all(|axis| axis.of() == last.of());
        match last.tokens() {
            // Feature maps side by side along channels are channels, and columns next to columns are columns, single ones, too.
            _ if are_alike && last.of() != Of::Other => Self::new(last.of(), size),
            Some(_) if before.iter().all(|axis| !axis.holds_picture()) => {
                Self { prefix: size - (last.size() - last.prefix), parts: last.parts.clone() }
            }
            // A mixture.
            _ => Self::unknown(size),
        }
    }
}

/// Adjacent parts that count the same thing in one order become one part.
fn merged(parts: Vec<Part>) -> Vec<Part> {
    let mut merged: Vec<Part> = Vec::new();
    for part in parts {
        match merged.last_mut() {
            Some(last) if last.of == part.of && last.step == part.step * part.size => {
                *last = Part { of: part.of, size: last.size * part.size, step: part.step };
            }
            Some(last) if last.of == part.of && !matches!(part.of, Of::Rows | Of::Columns) => {
                last.size *= part.size;
            }
            _ => merged.push(part),
        }
    }
    merged
}

/// The axes of a tensor after a reshape to `to`.
pub(super) fn reshaped(axes: &[Axis], to: &[usize]) -> Vec<Axis> {
    let from: Vec<usize> = axes.iter().map(Axis::size).collect();
    let mut found = Vec::with_capacity(to.len());
    let (mut i, mut j) = (0, 0);
    while i < from.len() && j < to.len() {
        let (first, start) = (i, j);
        let (mut a, mut b) = (from[i], to[j]);
        while a != b {
            if a < b && i + 1 < from.len() {
                i += 1;
                a *= from[i];
            } else if b < a && j + 1 < to.len() {
                j += 1;
                b *= to[j];
            } else {
                return to.iter().map(|size| Axis::unknown(*size)).collect();
            }
        }
        (i, j) = (i + 1, j + 1);
        found.extend(regrouped(&axes[first..i], &to[start..j]));
    }
    found.extend(to[j..].iter().map(|size| Axis::unknown(*size)));
    found
}

/// Axes whose product is that of the sizes in `to`.
fn regrouped(axes: &[Axis], to: &[usize]) -> Vec<Axis> {
    let unknown = || to.iter().map(|size| Axis::unknown(*size)).collect();
    let wide: Vec<&Axis> = axes.iter().filter(|axis| axis.size() > 1).collect();
    if let ([axis], 1) = (&wide[..], to.iter().filter(|size| **size > 1).count()) {
        let place = |size: &usize| if *size > 1 { (*axis).clone() } else { Axis::unknown(1) };
        return to.iter().map(place).collect();
    }
    if let ([axis], [_]) = (axes, to) {
        return vec![axis.clone()];
    }
    if wide.iter().any(|axis| axis.prefix > 0) {
        return unknown();
    }
    let mut parts: Vec<Part> = wide.iter().flat_map(|axis| axis.parts.iter().copied()).collect();
    parts.reverse();
    let taken: Option<Vec<Axis>> = to.iter().map(|size| taken(&mut parts, *size)).collect();
    taken.unwrap_or_else(unknown)
}

/// Takes an axis of this size from the outermost parts, which are at the end of `rest`.
fn taken(rest: &mut Vec<Part>, size: usize) -> Option<Axis> {
    let mut open = size;
    let mut parts = Vec::new();
    while open > 1 {
        let Part { of, size, step } = rest.pop()?;
        if size <= open {
            if size > 1 {
                parts.push(Part { of, size, step });
            }
            open = if open.is_multiple_of(size) { open / size } else { return None };
        } else if size.is_multiple_of(open) {
            let inner = size / open;
            parts.push(Part { of, size: open, step: step * inner });
            rest.push(Part { of, size: inner, step });
            open = 1;
        } else {
            return None;
        }
    }
    let none = || vec![Part { of: Of::Other, size: 1, step: 1 }];
    Some(Axis { prefix: 0, parts: if parts.is_empty() { none() } else { merged(parts) } })
}

/// Rows that are the only ones left of their direction are all of its rows: the grid became coarser.
pub(super) fn settled(mut axes: Vec<Axis>) -> Vec<Axis> {
    for direction in [Of::Rows, Of::Columns] {
        let mut parts = axes.iter_mut().flat_map(|axis| &mut axis.parts).filter(|part| part.of == direction);
        if let (Some(only), None) = (parts.next(), parts.next()) {
            only.step = 1;
        }
    }
    axes
}
