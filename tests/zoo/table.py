"""The tables of docs/zoo.md from the results of a sweep."""

import re
from collections import Counter, defaultdict

from zoo.networks import kind

def table(made, compared):
    families = defaultdict(Counter)
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
    return summary(kinds) + by_family(families, worst) + lists(reasons, unexported, open_)


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


def by_family(families, worst):
    lines = ["| library | family | exported | right | no stable answer | refused | logits | map |", "|---|---|---:|---:|---:|---:|---:|---:|"]
    for (library, family), counts in sorted(families.items()):
        exported = sum(counts.values()) - counts["not exported"]
        if exported:
            numbers = [f"{number:.1e}" if counts["right"] else "" for number in worst[library, family]]
            lines.append(f"| {library} | {family} | {exported} | {counts['right']} | {counts['unstable'] or ''} | {counts['refused'] or ''} | {numbers[0]} | {numbers[1]} |")
    return "## By family\n\n" + "\n".join(lines) + "\n\n"


def lists(reasons, unexported, open_):
    text = "## Refused\n\n" + bullets(reasons)
    if open_:
        text += "## Not right\n\n" + "".join(f"* `{name}`: {status}{detail(found)}\n" for name, status, found in open_) + "\n"
    return text + "## Not run\n\n" + bullets(unexported)


def detail(found):
    return f" (logits {found['logits']:.1e}, map {found['map']:.1e} at `{found['layer']}`)" if "logits" in found else f" ({found['why'][:120]})" if found else ""


def bullets(reasons):
    lines = [f"* {why}: {', '.join(f'`{name}`' for name in names)}\n" for why, names in sorted(reasons.items(), key=lambda pair: -len(pair[1]))]
    return ("".join(lines) or "None.\n") + "\n"


def bare(name):
    return name.partition(".")[2]


def refusal(why):
    why = why.split(".onnx': ", 1)[-1]
    return re.sub(r"^node '[^']*' ", "", re.sub(r" \(used by.*", "", why))[:160].replace("|", "/")


def short(why):
    if "million parameters" in why:
        return "too many parameters (`--most`)"
    if "Failed to convert" in why or "ConversionError" in why:
        return "PyTorch's exporter fails"
    return why.split(":")[0] + ":" + why.split(":", 1)[-1][:80]
