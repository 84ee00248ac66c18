// The data of a compilation, with the tables that lead from one thing to another.

class Model {
  constructor(data) {
    this.data = data;
    this.nodes = data.nodes;
    this.stages = data.stages.map((stage, index) => new Stage(this, stage, index));
    this.last = this.stages[this.stages.length - 1];
    this.kernelsOf = new Map();                 // node of the last stage -> kernels that compute it
    for (const kernel of data.kernels)
      for (const node of kernel.nodes) append(this.kernelsOf, node, kernel);
    for (const kernels of this.kernelsOf.values()) kernels.sort((a, b) => b.flops - a.flops);
    this.buffersOf = new Map();
    for (const buffer of data.memory.buffers)
      for (const node of buffer.nodes) append(this.buffersOf, node, buffer);
    this.decisions = new Map();
    for (const [node, text] of data.decisions) append(this.decisions, node, text);
    this.heats = this.makeHeats();
  }

  // Numbers for each node of the last stage, by what they tell.
  makeHeats() {
    const heats = { none: new Map() };
    const kinds = { flops: l => l.flops, bytes: l => l.bytes };
    const profile = this.data.profile;
    if (profile) kinds.time = l => profile.launches[l.number] || 0;
    for (const [name, amount] of Object.entries(kinds)) {
      const heat = heats[name] = new Map();
      for (const launch of this.data.launches) {
        const nodes = launch.nodes.filter(n => !isLeaf(this.nodes[n]));
        for (const node of nodes) heat.set(node, (heat.get(node) || 0) + amount(launch) / nodes.length);
      }
    }
    return heats;
  }

  // The nodes of stage `to` that nodes of stage `from` come from, or have become.
  carry(nodes, from, to) {
    let current = new Set(nodes);
    for (let i = from; i > to; i--) {
      const stage = this.stages[i], before = new Set();
      for (const node of current)
        for (const source of stage.sources(node)) before.add(source);
      current = before;
    }
    for (let i = from; i < to; i++) {
      const stage = this.stages[i + 1], after = new Set();
      for (const node of stage.all)
        if (stage.sources(node).some(source => current.has(source))) after.add(node);
      current = after;
    }
    return current;
  }
}

// The graph after a pass.
class Stage {
  constructor(model, stage, index) {
    Object.assign(this, { model, index, title: stage.title, name: stage.name, graph: stage.graph });
    this.cameFrom = new Map(Object.entries(stage.came_from).map(([node, from]) => [Number(node), from]));
    this.all = new Set();                       // nodes, those of regions too
    this.lines = [];                            // of the text, in order
    this.labels = new Map();
    this.placesOf = new Map();
    this.collect(stage.graph, 0);
    this.users = new Map();
    for (const node of this.all)
      for (const input of model.nodes[node].inputs) append(this.users, input, node);
    this.updates = new Map(stage.graph.updates.map(([name, node]) => [node, name]));
  }

  collect(graph, depth) {
    for (const [node, label, places] of graph.nodes) {
      this.all.add(node);
      this.labels.set(node, label);
      this.placesOf.set(node, places.map(p => this.model.data.places[p]));
      if (this.model.nodes[node].op === "input" && depth === 0) continue;
      this.lines.push({ node, label, depth, graph });
      for (const inner of this.regions(node)) {
        this.lines.push({ title: `${inner.key}(${inner.graph.inputs.map(i => graphLabel(inner.graph, i)).join(", ")})`,
                          depth: depth + 1 });
        this.collect(inner.graph, depth + 1);
        this.lines.push({ title: "return " + inner.graph.outputs.map(o => this.labels.get(o)).join(", "),
                          depth: depth + 1 });
      }
    }
  }

  // The graphs that a node holds: [{key, graph}].
  regions(node) {
    return Object.entries(this.model.nodes[node].attributes)
      .filter(([, value]) => value !== null && typeof value === "object" && "graph" in value)
      .map(([key, value]) => ({ key, graph: this.model.data.graphs[value.graph] }));
  }

  sources(node) {
    return this.cameFrom.get(node) || [node];
  }

  get before() {
    return this.index ? this.model.stages[this.index - 1] : null;
  }

  // Nodes that are not in the stage before.
  get made() {
    if (!this._made) this._made = new Set(this.before ? [...this.all].filter(n => !this.before.all.has(n)) : []);
    return this._made;
  }

  get removed() {
    return this.before ? [...this.before.all].filter(n => !this.all.has(n)) : [];
  }

  scope(node) {
    const places = this.placesOf.get(node) || [];
    return places.length ? places[places.length - 1].scope : "";
  }

  // One line of IR.
  text(node) {
    const { op, inputs, attributes, type } = this.model.nodes[node];
    const label = this.labels.get(node);
    if (op === "param") return `param ${label}: ${type}`;
    if (op === "input") return `input ${label}: ${type}`;
    if (op === "const") return `${label} = const ${attributes.value.first.join(", ")}`
      + `${attributes.value.elements > attributes.value.first.length ? ", ..." : ""} : ${type}`;
    const shown = Object.entries(attributes).filter(([, v]) => v === null || typeof v !== "object" || !("graph" in v));
    const list = shown.map(([key, value]) => `${key}=${attributeText(value)}`).join(", ");
    return `${label} = ${op}(${inputs.map(i => this.nameOf(i)).join(", ")})${list ? ` {${list}}` : ""} : ${type}`;
  }

  nameOf(node) {
    const { op, attributes } = this.model.nodes[node];
    const label = this.labels.get(node);
    if (label) return label;
    return op === "const" ? attributes.value.first.join(",") : attributes.name || op;
  }

  placeText(node) {
    return (this.placesOf.get(node) || [])
      .map(p => [p.scope, p.file && `${fileName(p.file)}:${p.line}`].filter(Boolean).join("  ")).filter(Boolean).join("; ");
  }

  // The nodes that a search means.
  search(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return [];
    return [...this.all].filter(node => {
      const { op, type, attributes } = this.model.nodes[node];
      const texts = [op, type, this.labels.get(node), attributes.name, this.scope(node), this.placeText(node)];
      return wanted.startsWith("%") ? this.labels.get(node) === wanted
        : texts.some(t => t && String(t).toLowerCase().includes(wanted));
    });
  }
}

function append(map, key, value) {
  if (!map.has(key)) map.set(key, []);
  map.get(key).push(value);
}

function isLeaf(node) {
  return node.op === "input" || node.op === "param" || node.op === "const";
}

function attributeText(value) {
  return Array.isArray(value) ? `(${value.map(attributeText).join(",")})` : String(value);
}

function graphLabel(graph, node) {
  const found = graph.nodes.find(([n]) => n === node);
  return found ? found[1] : "?";
}

function fileName(path) {
  return path.split("/").pop();
}

function bytesText(count) {
  for (const unit of ["B", "KiB", "MiB"]) {
    if (count < 10000) return `${count < 100 && unit !== "B" ? count.toFixed(1) : Math.round(count).toLocaleString("en")} ${unit}`;
    count /= 1024;
  }
  return `${count.toFixed(1)} GiB`;
}

function countText(count) {
  for (const unit of ["", " k", " M", " G"]) {
    if (count < 10000) return `${count < 100 && unit ? count.toFixed(1) : Math.round(count).toLocaleString("en")}${unit}`;
    count /= 1000;
  }
  return `${count.toFixed(1)} T`;
}
