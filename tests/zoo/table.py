"""The tables of docs/zoo.md from the results of a sweep."""

import re
from collections import Counter, defaultdict

from zoo.networks import kind


def table(listed, made, compared):
    families = defaultdict(Counter)
    for library, family, *_ in listed:
        families[library, family]["listed"] += 1
    worst = defaultdict(lambda: [0.0, 0.0])
    kinds, reasons, unexported, open_ = defaultdict(Counter), defaultdict(list), defaultdict(list), []
    for name, entry in sorted(made.items()):
        family = (entry["library"], entry["family"])
        if entry["status"] != "exported":
            unexported[short(entry["why"])].append(bare(name))
            families[family]["not exported"] += 1
            continue
        found = compared.get(name)
        status = found["status"] if found else "not compared"
        if status in ("wrong", "no answer", "not compared", "logits only"):
            open_.append((bare(name), status, found or {}))
        families[family][status] += 1
        kinds[kind(*family)][status] += 1
        if status == "refused":
            reasons[refusal(found["why"])].append(bare(name))
        if status == "right":
            worst[family] = [max(worst[family][0], found["logits"]), max(worst[family][1], found["map"])]
    unreached = [name for library, _, name, *_ in listed if library == "torchvision" and f"{library}.{name}" not in made]
    blank = [name for name in made if compared.get(name, {}).get("blank")]
    unfused = [name for name, entry in made.items() if entry.get("fused") is False and entry["status"] == "exported"]
    return reached(families) + summary(kinds) + notes(blank, unfused) + lists(reasons, unexported, open_, unreached) + by_family(families, worst)


def reached(families):
    """How much of the list there is, of each library."""
    lines = []
    for library in ("torchvision", "timm"):
        counts = [counts for (own, _), counts in families.items() if own == library]
        run = [sum(entry.values()) - entry["listed"] for entry in counts]
        lines.append(f"{sum(run)} of {sum(entry['listed'] for entry in counts)} networks of {library}, of {sum(map(bool, run))} of its {len(run)} families")
    return f"Run so far: {', and '.join(lines)}.\n\n"


def summary(kinds):
    lines = ["| families | compared | imported | right | logits right, map not compared | no stable answer | refused | wrong |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for name, counts in sorted(kinds.items()):
        total, refused = sum(counts.values()) - counts["not compared"], counts["refused"]
        wrong = counts["wrong"] + counts["no answer"]
        imported = total - refused
        lines.append(
            f"| {name} | {total} | {imported} ({imported / total:.0%}) | {counts['right']} | {counts['logits only']} | {counts['unstable']} | {refused} | {wrong} |"
        )
    text = "\n".join(lines)
    return text + (
        "\n\n*No stable answer*: PyTorch and onnxruntime already differ by more than 3e-5 there, because random weights"
        "\namplify rounding; nothing is compared. *Map not compared*: PyTorch has no grid of that shape that was kept.\n\n"
    )


def notes(blank, unfused):
    text = ""
    if blank:
        text += f"The map is blank, here and in PyTorch, of {named(blank)}: no score depends on the layer.\n\n"
    if unfused:
        text += f"Exported with `timm.layers.set_fused_attn(False)`, because PyTorch's exporter does not know their attention: {named(unfused)}.\n\n"
    return text


def named(names):
    return ", ".join(f"`{bare(name)}`" for name in sorted(names))


def by_family(families, worst):
    lines = ["| library | family | listed | exported | right | no stable answer | refused | logits | map |", "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for (library, family), counts in sorted(families.items()):
        exported = sum(counts.values()) - counts["not exported"] - counts["listed"]
        numbers = [f"{number:.1e}" if counts["right"] else "" for number in worst[library, family]]
        lines.append(f"| {library} | {family} | {counts['listed']} | {exported} | {counts['right']} | {counts['unstable'] or ''} | {counts['refused'] or ''} | {numbers[0]} | {numbers[1]} |")
    return "## By family\n\n" + "\n".join(lines) + "\n\n"


def lists(reasons, unexported, open_, unreached):
    text = "## Refused\n\n" + bullets(reasons)
    if open_:
        text += "## Not right\n\n" + "".join(f"* `{name}`: {status}{detail(found)}\n" for name, status, found in open_) + "\n"
    missing = {"Of torchvision, not reached": unreached} if unreached else {}
    return text + "## Not run\n\n" + bullets(unexported | missing)


def detail(found):
    if "logits" not in found:
        return f" ({found['why'][:120]})" if found else ""
    grid = "no map to compare" if found["map"] == float("inf") else f"map {found['map']:.1e}"
    return f" (logits {found['logits']:.1e}, {grid} at `{found['layer']}`)"


def bullets(reasons):
    lines = [f"* {why}: {', '.join(f'`{name}`' for name in names)}\n" for why, names in sorted(reasons.items(), key=lambda pair: -len(pair[1]))]
    return ("".join(lines) or "None.\n") + "\n"


def bare(name):
    return name.partition(".")[2]


def refusal(why):
    why = why.split(".onnx': ", 1)[-1]
    return re.sub(r"^node '[^']*' ", "", re.sub(r" \(used by.*", "", why))[:160].replace("|", "/")


def short(why):
    return why.split(":")[0] + ":" + why.split(":", 1)[-1][:80]
