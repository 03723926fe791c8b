//! What is to be seen over all pictures: where the heat is, mean maps per class, recognised and confused classes, wrong reasons.
//!
//! Receives the summary of the run; gives HTML without a script. Its size depends on the number of methods and classes shown, not on that of pictures.

mod classes;

use std::fmt::Write as _;

use anyhow::Result;
use burncam::record::{ClassHeat, Heat, ObjectHeat, Summary, WrongReason, percent};
use burncam_picture::render::Look;
use image::{Rgb, RgbImage};

use super::small::encoded_exactly;
use crate::html::text as safe;
use crate::text::counted;

/// Mean maps shown per method: those of the classes with most maps. `summary.json` has all.
const MOST_MEANS: usize = 24;

/// Wrong reasons shown per method.
const MOST_REASONS: usize = 10;

/// The section, or nothing for a single picture.
pub(super) fn section(summary: &Summary) -> Result<String> {
    let mut page = String::new();
    if summary.explained < 2 {
        return Ok(page);
    }
    let heats = summary.heat.ranked();
    let title = counted(summary.explained, "picture");
    let _ = writeln!(page, "<details class=\"whole\"><summary>All {title} together</summary>");
    if !heats.is_empty() {
        places(&mut page, &heats);
    }
    for heat in &heats {
        means(&mut page, heat)?;
    }
    classes::table(&mut page, summary);
    classes::matrix(&mut page, summary);
    for heat in heats.iter().filter(|heat| !heat.wrong_reasons.is_empty()) {
        reasons(&mut page, heat);
    }
    page.push_str("</details>\n");
    Ok(page)
}

/// A table with a line per method.
fn places(page: &mut String, heats: &[&Heat]) {
    let with_objects = heats.iter().any(|heat| heat.objects.is_some());
    let on = if with_objects { "<th>on the objects</th><th>missed</th>" } else { "" };
    let _ = writeln!(
        page,
        "<h2>Where the heat is</h2>\n<div class=\"wide\"><table>\n<tr><th></th><th>maps</th><th>on the border</th><th>centre, from left and top</th>{on}</tr>"
    );
    for heat in heats {
        let [across, down] = heat.centre;
        let _ = write!(
            page,
            "<tr><th>{}</th><td>{}</td><td>{} <span class=\"quiet\">of {}</span></td><td>{across:.2}, {down:.2}</td>",
            safe(&heat.method),
            heat.maps,
            percent(heat.border),
            percent(heat.border_area)
        );
        if with_objects {
            on_objects(page, heat.objects.as_ref());
        }
        page.push_str("</tr>\n");
    }
    let missed = if with_objects {
        " Objects are missed when they have no more of the heat than their share of the area."
    } else {
        ""
    };
    let _ = writeln!(
        page,
        "</table></div>\n<p class=\"quiet\">After <i>of</i>: the share of the area, which evenly spread heat would have, or the number of maps. The border is a tenth of each side.{missed}</p>"
    );
}

/// The cells of objects.
fn on_objects(page: &mut String, on: Option<&ObjectHeat>) {
    let Some(ObjectHeat { maps, energy, area, missed }) = on else {
        return page.push_str("<td>-</td><td>-</td>");
    };
    let of = |value: &str, all: &str| format!("<td>{value} <span class=\"quiet\">of {all}</span></td>");
    page.push_str(&of(&percent(*energy), &percent(*area)));
    page.push_str(&of(&missed.to_string(), &maps.to_string()));
}

fn means(page: &mut String, heat: &Heat) -> Result<()> {
    let classes = heat.classes.ranked();
    let _ = writeln!(page, "<h2>Mean maps of {}</h2>\n<ul class=\"means\">", safe(&heat.method));
    for class in classes.iter().take(MOST_MEANS) {
        let name = safe(&class.class_name);
        let _ = writeln!(
            page,
            "<li><img src=\"{}\" alt=\"Mean map of {name}\" width=\"112\" height=\"112\"><span>{name}</span><span class=\"quiet\">{}, {} on the border</span></li>",
            picture(class)?,
            counted(class.maps, "map"),
            percent(class.border)
        );
    }
    page.push_str("</ul>\n");
    if let Some(more) = classes.len().checked_sub(MOST_MEANS).filter(|more| *more > 0) {
        let _ =
            writeln!(page, "<p class=\"quiet\">{more} more classes with fewer maps are in summary.json.</p>");
    }
    Ok(())
}

/// A mean map in the colours that maps have by default, from 0 to its own greatest value, as a data URI.
fn picture(class: &ClassHeat) -> Result<String> {
    let most = class.mean.iter().flatten().fold(0.0, |most: f64, value| most.max(*value));
    let width = class.mean.first().map_or(1, Vec::len).max(1) as u32;
    let colormap = Look::default().colormap;
    let colour = |x: u32, y: u32| {
        let value = class.mean.get(y as usize).and_then(|row| row.get(x as usize)).copied();
        let share = value.filter(|_| most > 0.0).map_or(0.0, |value| value / most);
        Rgb(colormap.color(share as f32))
    };
    encoded_exactly(&RgbImage::from_fn(width, class.mean.len().max(1) as u32, colour))
}

fn reasons(page: &mut String, heat: &Heat) {
    let _ = writeln!(
        page,
        "<h2>Most frequent wrong reasons of {}</h2>\n<div class=\"wide\"><table>\n<tr><th>explained class</th><th class=\"text\">most of the heat is on</th><th>maps</th><th>on its own objects</th></tr>",
        safe(&heat.method)
    );
    for reason in heat.wrong_reasons.ranked().into_iter().take(MOST_REASONS) {
        let WrongReason { explained, on, count, energy, area } = reason;
        let on = on.as_ref().map_or("no other object", |class| &class.class_name);
        let _ = writeln!(
            page,
            "<tr><th>{}</th><td class=\"text\">{}</td><td>{count}</td><td>{} <span class=\"quiet\">of {}</span></td></tr>",
            safe(&explained.class_name),
            safe(on),
            percent(*energy),
            percent(*area)
        );
    }
    page.push_str("</table></div>\n");
}
