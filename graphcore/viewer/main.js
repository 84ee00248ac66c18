// Ties the views together: the stage, the selection, search, heat, keys.

class App {
  constructor(model) {
    this.model = model;
    this.stage = model.last;
    this.selected = new Set();          // nodes of the present stage
    this.atLast = new Set();            // what they have become in the last stage
    this.found = new Set();
    this.heat = new Map();
    this.graph = new GraphView(document.getElementById("graph"), this);
    this.texts = new TextViews(this);
    this.memory = new MemoryView(document.getElementById("memory"), this);
    this.makeControls();
    this.makeTables();
    this.showStage(this.stage.index);
    this.graph.fit(0.7);
    document.body.dataset.ready = "yes";
  }

  get showsChange() {
    return this.stage.index > 0;
  }

  // -- stage ----------------------------------------------------------------------------------------------------
  showStage(index) {
    const stage = this.model.stages[Math.min(Math.max(index, 0), this.model.stages.length - 1)];
    const selected = this.model.carry(this.selected, this.stage.index, stage.index);
    this.stage = stage;
    this.selected = new Set([...selected].filter(n => stage.all.has(n)));
    byId("stage").value = stage.index;
    byId("previous").disabled = stage.index === 0;
    byId("next").disabled = stage === this.model.last;
    byId("change").textContent = stage.before ? `+${stage.made.size} \u2212${stage.removed.length}` : `${stage.all.size} values`;
    this.heat = this.heatOf(byId("heat").value);
    this.search(byId("search").value);
    this.graph.show(stage);
    this.texts.showStage(stage);
    this.refresh();
  }

  heatOf(name) {
    const atLast = this.model.heats[name], heat = new Map();
    if (this.stage === this.model.last) return atLast;
    for (const [node, amount] of atLast) {
      const own = [...this.model.carry([node], this.model.last.index, this.stage.index)];
      for (const n of own) heat.set(n, (heat.get(n) || 0) + amount / own.length);
    }
    return heat;
  }

  // -- selection ------------------------------------------------------------------------------------------------
  select(nodes, from) {
    this.selected = new Set(nodes);
    this.refresh(from);
    const [first] = this.selected;
    if (first !== undefined && from !== "graph" && this.selected.size < 40) this.graph.reveal(first);
  }

  selectAtLast(nodes, from) {
    const own = this.model.carry(nodes, this.model.last.index, this.stage.index);
    this.select([...own].filter(n => this.stage.all.has(n)), from);
  }

  refresh(from) {
    this.atLast = this.model.carry(this.selected, this.stage.index, this.model.last.index);
    this.graph.mark();
    this.texts.mark(from);
    this.memory.mark();
    this.showDetails();
  }

  // The value before or after the selected one.
  step(by) {
    const order = this.stage.lines.filter(l => l.node !== undefined && !isLeaf(this.model.nodes[l.node])).map(l => l.node);
    const [first] = this.selected;
    const at = order.indexOf(first);
    const next = order[Math.min(Math.max(at + by, 0), order.length - 1)];
    if (next !== undefined) this.select([next], "keys");
  }

  search(text) {
    const nodes = this.stage.search(text);
    this.found = new Set(nodes);
    byId("found").textContent = text.trim() ? (nodes.length ? `${nodes.length} found` : "nothing found") : "";
    if (this.graph.hierarchy) this.graph.mark();
    this.texts.mark("search");
    return nodes;
  }

  showDetails() {
    const section = byId("details");
    if (!this.selected.size) {
      const { data } = this.model;
      section.replaceChildren(...paragraphs([
        ["", `${data.name}: ${this.stage.all.size} values at ${this.stage.title}, ${data.kernels.length} kernels, `
             + `${data.launches.filter(l => !l.prologue).length} launches in a run, arena ${bytesText(data.memory.arena)}.`],
        ["", "Select a value, a line, a kernel or a buffer."]]));
      return;
    }
    if (this.selected.size > 1) {
      const counts = new Map();
      for (const node of this.selected) counts.set(this.model.nodes[node].op, (counts.get(this.model.nodes[node].op) || 0) + 1);
      section.replaceChildren(...paragraphs([
        ["", `${this.selected.size} values`],
        ["operators", [...counts].sort((a, b) => b[1] - a[1]).map(([op, n]) => `${op} ${n}`).join(", ")],
        ["kernels", this.kernelsText()], ["memory", this.buffersText()]]));
      return;
    }
    const [node] = this.selected;
    const { stage, model } = this, before = stage.before && stage.sources(node).filter(n => n !== node);
    section.replaceChildren(...paragraphs([
      ["", stage.text(node)],
      ["lines", stage.placeText(node)],
      ["Parameter's new value", stage.updates.get(node) || ""],
      ["used by", (stage.users.get(node) || []).map(u => `${stage.nameOf(u)} ${model.nodes[u].op}`).join(", ")],
      ["before this pass", before && before.length ? before.map(n => stage.before.text(n)).join("\n") : ""],
      ["kernels", this.kernelsText()],
      ["fusion", [...this.atLast].flatMap(n => model.decisions.get(n) || []).join("; ")],
      ["memory", this.buffersText()]]));
  }

  kernelsText() {
    const kernels = new Set([...this.atLast].flatMap(n => isLeaf(this.model.nodes[n]) ? [] : this.model.kernelsOf.get(n) || []));
    return [...kernels].map(k => `${k.title} (${countText(k.flops)} flops, ${bytesText(k.bytes)})`).join(", ");
  }

  buffersText() {
    const buffers = new Set([...this.atLast].flatMap(n => this.model.buffersOf.get(n) || []));
    return [...buffers].slice(0, 12).map(b => `${b.name} ${bytesText(b.bytes)}${b.offset === null ? ` (${b.kind})`
      : ` at ${b.offset}, steps ${b.first}\u2013${b.last}`}`).join("; ");
  }

  // -- tables ---------------------------------------------------------------------------------------------------
  makeTables() {
    const { data } = this.model;
    const indexOf = new Map(this.model.stages.map(s => [s.title, s.index]));
    byId("passes").replaceChildren(table(
      ["pass", "values before", "after", "seconds", "rules"],
      data.passes.map(p => [p.title, p.before, p.after, p.seconds === undefined ? "" : p.seconds.toFixed(4),
        Object.entries(p.rules).map(([rule, times]) => `${rule} ${times}`).join(", ")]),
      i => indexOf.has(data.passes[i].title) && this.showStage(indexOf.get(data.passes[i].title)),
      i => data.passes[i].changed ? "changed" : ""));
    const profile = data.profile;
    const seconds = k => profile ? k.launches.reduce((sum, l) => sum + (profile.launches[l] || 0), 0) : 0;
    byId("kernels").replaceChildren(table(
      ["kernel", "launches", "flops", "bytes", ...(profile ? ["\u00b5s"] : []), "computes"],
      data.kernels.map(k => [k.title, k.launches.length, countText(k.flops), bytesText(k.bytes),
        ...(profile ? [(1e6 * seconds(k)).toFixed(1)] : []), k.operators.join(", ")]),
      i => { this.texts.showKernel(data.kernels[i]); this.texts.selectKernel(); }));
    byId("parameters").replaceChildren(table(
      ["Parameter", "type", "bytes", "requires_grad", "readers", "writers"],
      data.parameters.map(p => [p.name, p.type, p.bytes === null ? "" : p.bytes.toLocaleString("en"), p.requires_grad === null ? "" : p.requires_grad ? "yes" : "no",
        p.readers.join(" "), p.writers.join(" ")]),
      i => this.select([...this.stage.all].filter(n => this.stage.model.nodes[n].attributes.name === data.parameters[i].name
        || this.stage.model.nodes[n].inputs.some(j => this.model.nodes[j].op === "param"
                                                      && this.model.nodes[j].attributes.name === data.parameters[i].name)))));
  }

  // -- controls -------------------------------------------------------------------------------------------------
  makeControls() {
    for (const stage of this.model.stages) byId("stage").add(new Option(stage.title, stage.index));
    for (const name of Object.keys(this.model.heats)) byId("heat").add(new Option(name, name));
    byId("stage").addEventListener("change", event => this.showStage(Number(event.target.value)));
    byId("previous").addEventListener("click", () => this.showStage(this.stage.index - 1));
    byId("next").addEventListener("click", () => this.showStage(this.stage.index + 1));
    byId("heat").addEventListener("change", event => { this.heat = this.heatOf(event.target.value); this.graph.mark(); });
    byId("unfold").addEventListener("click", () => this.graph.setAll(true));
    byId("fold").addEventListener("click", () => this.graph.setAll(false));
    byId("fit").addEventListener("click", () => this.graph.fit());
    byId("theme").addEventListener("click", toggleTheme);
    byId("help").addEventListener("click", () => byId("keys").showModal());
    byId("search").addEventListener("input", event => { this.search(event.target.value); this.at = -1; });
    byId("search").addEventListener("keydown", event => {
      if (event.key === "Escape") event.target.blur();
      if (event.key !== "Enter") return;
      const nodes = [...this.found];
      if (nodes.length) this.select([nodes[this.at = ((this.at === undefined ? -1 : this.at) + 1) % nodes.length]], "search");
    });
    document.getElementById("graph").querySelector("svg").addEventListener("click", () => !this.graph.moved && this.select([]));
    for (const tab of document.querySelectorAll("[role=tab]")) tab.addEventListener("click", () => this.showTab(tab.dataset.tab));
    document.addEventListener("keydown", event => this.key(event));
  }

  showTab(name) {
    for (const tab of document.querySelectorAll("[role=tab]")) {
      tab.setAttribute("aria-selected", tab.dataset.tab === name);
      byId(tab.dataset.tab).hidden = tab.dataset.tab !== name;
    }
    if (name === "memory") this.memory.show();
  }

  key(event) {
    if (/INPUT|SELECT|TEXTAREA/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    const tabs = ["code", "memory", "passes", "kernels", "parameters"];
    const actions = {
      "/": () => byId("search").focus(), "[": () => this.showStage(this.stage.index - 1),
      "]": () => this.showStage(this.stage.index + 1), j: () => this.step(1), k: () => this.step(-1),
      ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1), f: () => this.graph.toggleSelected(),
      e: () => this.graph.setAll(true), c: () => this.graph.setAll(false), "+": () => this.graph.zoom(1.25),
      "-": () => this.graph.zoom(0.8), 0: () => this.graph.fit(), t: toggleTheme, Escape: () => this.select([]),
      "?": () => byId("keys").showModal(),
    };
    const action = actions[event.key] || (tabs[event.key - 1] && (() => this.showTab(tabs[event.key - 1])));
    if (!action) return;
    event.preventDefault();
    action();
  }
}

function byId(id) {
  return document.getElementById(id);
}

function toggleTheme() {
  const isDark = getComputedStyle(document.documentElement).colorScheme.startsWith("dark");
  document.documentElement.dataset.theme = isDark ? "light" : "dark";
}

function paragraphs(pairs) {
  return pairs.filter(([, text]) => text).map(([title, text]) => {
    const made = document.createElement("p");
    if (title) {
      const strong = document.createElement("strong");
      strong.textContent = title + " ";
      made.append(strong);
    } else made.className = "first";
    made.append(text);
    return made;
  });
}

function table(headings, rows, act, classOf) {
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  for (const heading of headings) {
    const cell = document.createElement("th");
    cell.textContent = heading;
    head.append(cell);
  }
  const body = made.createTBody();
  rows.forEach((row, i) => {
    const line = body.insertRow();
    if (classOf) line.className = classOf(i);
    for (const value of row) line.insertCell().textContent = value;
    line.addEventListener("click", () => act(i));
  });
  return made;
}

async function start() {
  const text = byId("data").textContent, packed = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  window.app = new App(new Model(await new Response(stream).json()));
}

start();
