# SPDX-License-Identifier: BSD-3-Clause
"""The deepest stack of a program, from the call graphs that gcc writes with -fcallgraph-info=su.

A call through a pointer has no target in these graphs. budget.json names them under "calls":
    "caller": ["callee*", ...]     functions (shell patterns) that `caller` reaches through a pointer
    "caller": []                   targets are not ours: a back end, a callback of the user
Tail calls count like calls, so the result may be a little too high; functions of libgcc count as 0."""
import fnmatch
import re

NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
POINTER = "__indirect_call"


class StackError(Exception):
    pass


def plain(title):
    """src/core/x.c:answer.constprop.0 -> answer"""
    return re.sub(r"\.(constprop|isra|part|cold|lto_priv)\b.*", "", title.split(":")[-1])


def load(graphs, alive):
    """Frame sizes, places and edges of the functions in `alive`, from the text of .ci files."""
    frames, places, edges = {}, {}, {}
    for text in graphs:
        for title, label in NODE.findall(text):
            size = re.search(r"(\d+) bytes \((\w[\w,]*)\)", label)
            if size and plain(title) in alive:
                place = label.split("\\n")[1].rsplit(":", 1)[0]
                if size[2] == "dynamic":
                    raise StackError(f"{place}: the stack of {plain(title)} has no bound (alloca or array of variable size)")
                frames[title], places[title] = int(size[1]), place
        for source, target in EDGE.findall(text):
            edges.setdefault(source, set()).add(target)
    return frames, places, edges


def follow_pointers(frames, places, edges, calls):
    """Replaces calls through pointers by the targets that budget.json names."""
    unknown = []
    for title in frames:
        targets = edges.get(title, set())
        if POINTER not in targets:
            continue
        targets.discard(POINTER)
        patterns = [p for caller, p in calls.items() if fnmatch.fnmatchcase(plain(title), caller)]
        if not patterns:
            unknown.append(f"{places[title]}: {plain(title)} calls through a pointer: name its targets in budget.json, \"calls\"")
        for pattern in sum(patterns, []):
            targets.update(t for t in frames if fnmatch.fnmatchcase(plain(t), pattern))
    if unknown:
        raise StackError("\n".join(sorted(unknown)))


def deepest(graphs, alive, calls):
    """(bytes, [function and frame, ...]) of the deepest chain of calls; main itself does not count."""
    frames, places, edges = load(graphs, alive)
    follow_pointers(frames, places, edges, calls)
    done, active = {}, []

    def depth(title):
        if title in active:
            loop = " > ".join(plain(t) for t in active[active.index(title):] + [title])
            raise StackError(f"{places[title]}: recursion: {loop}")
        if title not in done:
            active.append(title)
            below = max((depth(t) for t in sorted(edges.get(title, ())) if t in frames), default=(0, []))
            active.pop()
            done[title] = (frames[title] + below[0], [f"{plain(title)} {frames[title]}"] + below[1])
        return done[title]

    return max((depth(t) for t in sorted(frames) if plain(t) != "main"), default=(0, []))
