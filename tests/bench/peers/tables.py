"""Makes the tables: times, and in brackets how many times burncam's time each peer takes."""

from tasks import TASKS


def time(result):
    if result["unit"] == "s":
        return f"{result['median']:.2f} s, {result['cpu']:.2f} s, {result['peak_mb']:.0f} MB"
    return f"{result['median']:.1f}" if result["median"] >= 10 else f"{result['median']:.2f}"


def cell(result, base):
    if result is None:
        return "-"
    if base is None or result["contender"].startswith("burncam"):
        return time(result)
    return f"{time(result)} ({result['median'] / base['median']:.2f}x)"


def table(task, results, contenders):
    rows = {}
    for result in results:
        if result["task"] == task:
            key = (result["model"], result["threads"], result["what"])
            rows.setdefault(key, {})[result["contender"]] = result
    present = [one for one in contenders if any(one in row for row in rows.values())]
    head = ["network", "threads", "photos" if task == "process" else "batch", *present]
    lines = [f"### {TASKS[task].title}{'' if task == 'process' else ', ms per image'}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for (model, threads, what), row in rows.items():
        # The engine that is chosen by itself, where this build has it.
        base = row.get("burncam native", row.get("burncam burn"))
        cells = [model, str(threads), str(what), *(cell(row.get(one), base) for one in present)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n" if rows else ""


def write(about, results, contenders):
    lines = [
        f"{about['cpu']}, {about['cores']} cores ({', '.join(about['flags'])}), {about['memory_gib']} GiB, "
        f"{about['system']}. {about['rust']}, Python {about['python']}; burncam at {about['burncam']}; "
        f"{', '.join(about['libraries'])}. Load average when it began: {about['load_before']:.1f}.",
        "",
        "In brackets: how many times burncam's time (its first column) that library takes; above 1 burncam is faster.",
        "",
    ]
    parts = [table(task, results, contenders[task]) for task in TASKS]
    return "\n".join(lines) + "\n" + "\n".join(part for part in parts if part)
