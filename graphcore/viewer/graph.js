// The drawing of a stage's graph: boxes and links as SVG, with folding, moving, zooming.

const SVG = "http://www.w3.org/2000/svg";

class GraphView {
  constructor(section, app) {
    this.app = app;
    this.svg = section.querySelector("svg");
    this.layer = this.svg.querySelector("g");
    this.open = new Set();
    this.view = { x: 0, y: 0, scale: 1 };
    this.svg.addEventListener("wheel", event => this.wheel(event), { passive: false });
    this.svg.addEventListener("pointerdown", event => this.grab(event));
  }

  show(stage) {
    this.hierarchy = new Hierarchy(stage);
    this.stage = stage;
    if (!this.shownOnce) this.openFew();
    this.shownOnce = true;
    this.draw();
  }

  // Unfold Cells from the outside on, as long as the drawing stays small.
  openFew() {
    let more = 0;
    let queue = this.hierarchy.root.children.filter(c => c instanceof Group);
    while (queue.length) {
      const group = queue.shift();
      more += group.children.length - 1;
      if (more > 60) return;
      this.open.add(group.key);
      queue = queue.concat(group.children.filter(c => c instanceof Group));
    }
  }

  draw() {
    this.links = layout(this.hierarchy, this.open);
    this.layer.replaceChildren();
    this.elements = new Map();
    this.origin = new Map();
    const edges = element("g", { class: "edges" });
    this.drawGroup(this.hierarchy.root, this.layer, 0, 0);
    this.layer.prepend(edges);
    this.ways = element("g", { class: "ways" });
    this.layer.append(this.ways);
    this.mark();
  }

  drawGroup(group, parent, x, y) {
    this.origin.set(group, { x, y });
    const edges = element("g", { class: "edges" });
    parent.append(edges);
    for (const [from, tos] of this.links.get(group) || [])
      for (const to of tos) edges.append(element("path", { d: curve(from, to), class: from.order < to.order ? "" : "back" }));
    for (const child of group.children) {
      const box = element("g", { transform: `translate(${child.x},${child.y})`, "data-key": child.key, tabindex: -1 });
      const isGroup = child instanceof Group, isOpen = isGroup && this.open.has(child.key);
      box.setAttribute("class", isGroup ? (isOpen ? "cell open" : "cell") : "value");
      box.append(element("rect", { width: child.width, height: child.height, rx: isGroup ? 6 : 4 }));
      if (isGroup) {
        const title = element("text", { x: BOX.pad, y: 17, class: "title" });
        title.textContent = `${isOpen ? "\u25be" : "\u25b8"} ${child.title}`;
        box.append(title);
        if (!isOpen) {
          const count = element("text", { x: BOX.pad, y: 33, class: "count" });
          count.textContent = child.count === 1 ? "1 value" : `${child.count} values`;
          box.append(count);
        }
      } else {
        const title = element("text", { x: BOX.pad / 2, y: 17 });
        title.textContent = nodeTitle(this.stage, child.node);
        box.append(title);
        if (isLeaf(this.stage.model.nodes[child.node])) box.classList.add("leaf");
      }
      box.addEventListener("click", event => this.click(event, child));
      box.addEventListener("dblclick", event => { event.stopPropagation(); if (isGroup) this.toggle(child); });
      parent.append(box);
      this.elements.set(child.key, box);
      if (isOpen) this.drawGroup(child, box, x + child.x, y + child.y);
      else if (isGroup) this.origin.set(child, { x: x + child.x, y: y + child.y });
    }
  }

  click(event, child) {
    event.stopPropagation();
    if (this.moved) return;
    if (child instanceof Group && event.target.classList.contains("title") && child.node === undefined) this.toggle(child);
    else this.app.select(child instanceof Group ? this.nodesOf(child) : [child.node], "graph");
  }

  nodesOf(group) {
    const own = group.node === undefined ? [] : [group.node];
    return own.concat(...group.children.map(c => c instanceof Group ? this.nodesOf(c) : [c.node]));
  }

  toggle(group) {
    if (!this.open.delete(group.key)) this.open.add(group.key);
    this.draw();
  }

  toggleSelected() {
    const [node] = this.app.selected;
    const box = this.hierarchy.boxes.get(node);
    if (!box) return;
    const closed = this.hierarchy.way(box).find(b => b instanceof Group && !this.open.has(b.key));
    const group = closed || (box instanceof Group ? box : box.parent);
    if (group !== this.hierarchy.root) this.toggle(group);
  }

  setAll(isOpen) {
    this.open.clear();
    const visit = group => {
      for (const child of group.children) {
        if (!(child instanceof Group)) continue;
        if (isOpen) this.open.add(child.key);
        visit(child);
      }
    };
    visit(this.hierarchy.root);
    this.draw();
    this.fit();
  }

  // The box that stands for a node now: its own, or the outermost folded Cell around it.
  shownBox(node) {
    const box = this.hierarchy.boxes.get(node);
    if (!box) return null;
    return this.hierarchy.way(box).find(b => b instanceof Group && !this.open.has(b.key)) || box;
  }

  // Unfold what hides a node, and bring it into view.
  reveal(node) {
    const box = this.hierarchy.boxes.get(node);
    if (!box) return;
    const folded = this.hierarchy.way(box).filter(b => b instanceof Group && b !== box && !this.open.has(b.key));
    for (const group of folded) this.open.add(group.key);
    if (folded.length) this.draw();
    const { x, y } = this.centre(box), bounds = this.svg.getBoundingClientRect();
    const at = { x: x * this.view.scale + this.view.x, y: y * this.view.scale + this.view.y };
    if (at.x < 40 || at.y < 40 || at.x > bounds.width - 40 || at.y > bounds.height - 40) {
      this.view.x = bounds.width / 2 - x * this.view.scale;
      this.view.y = bounds.height / 2 - y * this.view.scale;
      this.move();
    }
  }

  centre(box) {
    const at = this.origin.get(box.parent);
    return { x: at.x + box.x + box.width / 2, y: at.y + box.y + box.height / 2 };
  }

  // Classes and colours for what is selected, found, made by the pass, and hot.
  mark() {
    const { selected, found, heat } = this.app;
    const made = this.app.showsChange ? this.stage.made : new Set();
    const sums = new Map();
    for (const element of this.elements.values()) element.classList.remove("selected", "found", "made");
    for (const node of this.hierarchy.boxes.keys()) {
      const box = this.shownBox(node), classes = this.elements.get(box.key).classList;
      if (selected.has(node)) classes.add("selected");
      if (found.has(node)) classes.add("found");
      if (made.has(node)) classes.add("made");
      if (heat.size) sums.set(box.key, (sums.get(box.key) || 0) + (heat.get(node) || 0));
    }
    const most = Math.max(...sums.values(), 0);
    for (const [key, element] of this.elements) {
      const share = most ? (sums.get(key) || 0) / most : 0;
      element.querySelector("rect").style.fill = share ? `color-mix(in srgb, var(--hot) ${Math.round(100 * share)}%, var(--box))` : "";
    }
    this.ways.replaceChildren();
    for (const node of selected) {
      const box = this.hierarchy.boxes.get(node) && this.shownBox(node);
      if (!box || selected.size > 40) continue;
      const ends = [...this.stage.model.nodes[node].inputs.map(i => [i, node]),
                    ...(this.stage.users.get(node) || []).map(u => [node, u])];
      for (const [from, to] of ends) this.drawWay(from, to);
    }
  }

  drawWay(from, to) {
    if (!this.hierarchy.boxes.has(from) || !this.hierarchy.boxes.has(to)) return;
    const a = this.shownBox(from), b = this.shownBox(to);
    if (a === b) return;
    const [pa, pb] = [this.origin.get(a.parent), this.origin.get(b.parent)];
    this.ways.append(element("path", { d: curve({ ...size(a), x: pa.x + a.x, y: pa.y + a.y },
                                                { ...size(b), x: pb.x + b.x, y: pb.y + b.y }) }));
  }

  // -- moving ---------------------------------------------------------------------------------------------------
  // The whole graph, or, with letters that can be read, its beginning.
  fit(least = 0.02) {
    const bounds = this.svg.getBoundingClientRect(), { width, height } = this.hierarchy.root;
    const scale = Math.min(1.2, bounds.width / (width + 20), bounds.height / (height + 20));
    this.view = { scale: Math.max(scale, least), x: 0, y: 10 };
    this.view.x = (bounds.width - width * this.view.scale) / 2;
    this.move();
  }

  move() {
    this.layer.setAttribute("transform", `translate(${this.view.x},${this.view.y}) scale(${this.view.scale})`);
  }

  zoom(factor, x, y) {
    const bounds = this.svg.getBoundingClientRect();
    x = x === undefined ? bounds.width / 2 : x;
    y = y === undefined ? bounds.height / 2 : y;
    const scale = Math.min(4, Math.max(0.02, this.view.scale * factor)), by = scale / this.view.scale;
    this.view = { scale, x: x - (x - this.view.x) * by, y: y - (y - this.view.y) * by };
    this.move();
  }

  wheel(event) {
    event.preventDefault();
    const bounds = this.svg.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey || !event.shiftKey)
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - bounds.left, event.clientY - bounds.top);
    else {
      this.view.x -= event.deltaX || event.deltaY;
      this.move();
    }
  }

  grab(event) {
    if (event.button) return;
    this.moved = false;
    const start = { x: event.clientX - this.view.x, y: event.clientY - this.view.y };
    const from = { x: event.clientX, y: event.clientY };
    const drag = e => {
      if (Math.hypot(e.clientX - from.x, e.clientY - from.y) > 4) this.moved = true;
      if (!this.moved) return;
      this.view.x = e.clientX - start.x;
      this.view.y = e.clientY - start.y;
      this.move();
    };
    const drop = () => {
      window.removeEventListener("pointermove", drag);
      window.removeEventListener("pointerup", drop);
    };
    window.addEventListener("pointermove", drag);
    window.addEventListener("pointerup", drop);
  }
}

function size(box) {
  return { width: box.width, height: box.height };
}

// From the lower edge of one box to the upper edge of another.
function curve(from, to) {
  const x1 = from.x + from.width / 2, x2 = to.x + to.width / 2;
  const [y1, y2] = from.y + from.height <= to.y ? [from.y + from.height, to.y] : [from.y, to.y + to.height];
  const bend = (y2 - y1) / 2;
  return `M${x1},${y1} C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}`;
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
