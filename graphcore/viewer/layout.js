// Where the boxes of a graph stand: Cells are boxes that hold their values and Cells, folded or not.
//
// The boxes within one Cell form a graph of their own: they stand in ranks, by the longest way from the inputs; within a
// rank they are ordered by where their operands stand.

const BOX = { height: 26, letter: 6.6, pad: 16, gapX: 18, gapY: 30, head: 24, inset: 12, foldedHeight: 40 };

class Group {
  constructor(path, parent) {
    Object.assign(this, { path, parent, children: [], groups: new Map(), order: Infinity, count: 0, key: "g:" + path });
  }

  get title() {
    return this.path.split(/[./]/).pop();
  }
}

// The tree of Cells of a stage; node -> its box by `boxes`.
class Hierarchy {
  constructor(stage) {
    this.stage = stage;
    this.root = new Group("", null);
    this.boxes = new Map();
    this.addGraph(stage.graph, this.root, "");
    this.count(this.root);
  }

  addGraph(graph, root, prefix) {
    graph.nodes.forEach(([node], order) => {
      const { op } = this.stage.model.nodes[node];
      if (op === "param" || op === "const" || this.boxes.has(node)) return;
      const group = prefix ? root : this.group(this.stage.scope(node));
      const regions = this.stage.regions(node);
      const box = { node, order: this.boxes.size, parent: group, key: "n:" + node };
      if (regions.length) {
        const inner = new Group(`${prefix || group.path}/${this.stage.labels.get(node)} ${op}`, group);
        Object.assign(inner, { node, order: box.order, key: "r:" + node });
        this.boxes.set(node, inner);
        group.children.push(inner);
        for (const region of regions) this.addGraph(region.graph, inner, inner.path);
      } else {
        this.boxes.set(node, box);
        group.children.push(box);
      }
    });
  }

  group(scope) {
    let group = this.root, path = "";
    for (const part of scope ? scope.split(".") : []) {
      path = path ? `${path}.${part}` : part;
      if (!group.groups.has(part)) {
        const made = new Group(path, group);
        group.groups.set(part, made);
        group.children.push(made);
      }
      group = group.groups.get(part);
    }
    return group;
  }

  count(group) {
    for (const child of group.children) {
      if (child instanceof Group) this.count(child);
      group.count += child instanceof Group ? child.count : 1;
      group.order = Math.min(group.order, child.order);
    }
  }

  // The boxes from the outermost Cell to the one that holds a node.
  way(box) {
    const way = [];
    for (let b = box; b && b !== this.root; b = b.parent) way.unshift(b);
    return way;
  }
}

// Sizes and places of all boxes that are shown; `open` holds the keys of Cells that are unfolded.
function layout(hierarchy, open) {
  const { stage } = hierarchy, links = liftedEdges(hierarchy);
  const place = group => {
    for (const child of group.children) {
      if (child instanceof Group && open.has(child.key)) {
        place(child);
      } else if (child instanceof Group) {
        child.width = Math.max(90, child.title.length * BOX.letter + 2 * BOX.pad);
        child.height = BOX.foldedHeight;
      } else {
        child.width = nodeTitle(stage, child.node).length * BOX.letter + BOX.pad;
        child.height = BOX.height;
      }
    }
    arrange(group, links.get(group) || new Map());
  };
  place(hierarchy.root);
  return links;
}

function nodeTitle(stage, node) {
  const { op, type, attributes } = stage.model.nodes[node];
  return op === "input" ? `${attributes.name}: ${type}` : `${stage.labels.get(node)} ${op}`;
}

// group -> Map(child -> Set of children of the same group that use it): edges between nodes, as the boxes see them.
function liftedEdges(hierarchy) {
  const links = new Map();
  for (const [node, box] of hierarchy.boxes) {
    for (const input of hierarchy.stage.model.nodes[node].inputs) {
      const from = hierarchy.boxes.get(input);
      if (!from) continue;
      const a = hierarchy.way(from), b = hierarchy.way(box);
      let depth = 0;
      while (depth < a.length - 1 && depth < b.length - 1 && a[depth] === b[depth]) depth++;
      if (a[depth] === b[depth]) continue;
      const group = a[depth].parent;
      if (!links.has(group)) links.set(group, new Map());
      const table = links.get(group);
      if (!table.has(a[depth])) table.set(a[depth], new Set());
      table.get(a[depth]).add(b[depth]);
    }
  }
  return links;
}

// Place the children of a group; a link against their order (a Cell used by the backward pass) does not count.
function arrange(group, links) {
  const children = [...group.children].sort((a, b) => a.order - b.order);
  const before = new Map(children.map(c => [c, []]));
  for (const [from, tos] of links) for (const to of tos) if (from.order < to.order) before.get(to).push(from);
  const ranks = [];
  for (const child of children) {
    child.rank = Math.max(-1, ...before.get(child).map(b => b.rank)) + 1;
    (ranks[child.rank] = ranks[child.rank] || []).push(child);
  }
  let y = group.parent ? BOX.head : 0;
  for (const rank of ranks) {
    for (const child of rank) {
      const above = before.get(child);
      child.wish = above.length ? above.reduce((sum, b) => sum + b.x + b.width / 2, 0) / above.length : 0;
    }
    rank.sort((a, b) => a.wish - b.wish || a.order - b.order);
    let x = -Infinity;
    for (const child of rank) {
      child.x = Math.max(x, child.wish - child.width / 2);
      x = child.x + child.width + BOX.gapX;
    }
    // what was pushed to the right is taken back by half of it on the whole
    const push = rank.reduce((sum, c) => sum + c.x + c.width / 2 - c.wish, 0) / rank.length;
    for (const child of rank) {
      child.x -= push;
      child.y = y;
    }
    y += Math.max(...rank.map(c => c.height)) + BOX.gapY;
  }
  const left = Math.min(0, ...children.map(c => c.x));
  for (const child of children) child.x += BOX.inset - left;
  group.width = Math.max(group.title.length * BOX.letter + 40, ...children.map(c => c.x + c.width + BOX.inset));
  group.height = y - BOX.gapY + BOX.inset;
}
