// Source, IR, kernel and assembly side by side; a selection in one is a selection in all.

class TextViews {
  constructor(app) {
    this.app = app;
    this.source = document.getElementById("source");
    this.ir = document.getElementById("ir");
    this.kernelSource = document.getElementById("kernel-source");
    this.assembly = document.getElementById("assembly");
    this.files = document.getElementById("file");
    this.kernels = document.getElementById("kernel");
    this.makeMenus();
    onLine(this.source, line => app.select(this.nodesOfLine(this.file, line), "source"));
    onLine(this.ir, (line, row) => app.select(row.dataset.node ? [Number(row.dataset.node)] : [], "ir"));
    onLine(this.kernelSource, () => this.selectKernel());
    onLine(this.assembly, () => this.selectKernel());
  }

  makeMenus() {
    const { data } = this.app.model;
    for (const file of Object.keys(data.sources)) this.files.add(new Option(fileName(file), file));
    this.files.addEventListener("change", () => this.showFile(this.files.value));
    for (const kernel of data.kernels) this.kernels.add(new Option(kernel.title, kernel.number));
    this.kernels.addEventListener("change", () => {
      this.showKernel(data.kernels[this.kernels.value - 1]);
      this.selectKernel();
    });
    if (this.files.options.length) this.showFile(this.files.value);
    if (data.kernels.length) this.showKernel(data.kernels[0]);
  }

  // -- what is shown --------------------------------------------------------------------------------------------
  showFile(file) {
    this.file = this.files.value = file;
    fill(this.source, this.app.model.data.sources[file].split("\n"), true);
    this.mark();
  }

  showStage(stage) {
    this.stage = stage;
    const gone = this.app.showsChange ? stage.removed : [];
    const rows = [];
    const { graph } = stage;
    rows.push({ text: `graph ${graph.name}(${graph.inputs.map(i => `${stage.nameOf(i)}: ${stage.model.nodes[i].type}`).join(", ")})` });
    for (const line of stage.lines)
      rows.push(line.title ? { text: "  ".repeat(line.depth + 1) + line.title }
        : { text: "  ".repeat(line.depth + 1) + stage.text(line.node), node: line.node, place: stage.placeText(line.node) });
    for (const [name, node] of graph.updates) rows.push({ text: `  update ${name} = ${stage.nameOf(node)}` });
    rows.push({ text: `  return ${graph.outputs.map(o => stage.nameOf(o)).join(", ")}` });
    if (gone.length) rows.push({ text: "" }, { text: `# not there any more: ${gone.length}` });
    for (const node of gone) rows.push({ text: "  " + stage.before.text(node), gone: node, place: stage.before.placeText(node) });
    document.getElementById("stage-title").textContent = stage.title;
    this.ir.replaceChildren(...rows.map(row => {
      const made = document.createElement("div");
      made.className = "line";
      made.textContent = row.text;
      if (row.node !== undefined) made.dataset.node = row.node;
      if (row.gone !== undefined) made.classList.add("gone");
      if (row.node !== undefined && this.app.showsChange && stage.made.has(row.node)) made.classList.add("made");
      if (row.place) {
        const place = document.createElement("span");
        place.className = "place";
        place.textContent = "  # " + row.place;
        made.append(place);
      }
      return made;
    }));
    this.rows = new Map([...this.ir.children].filter(r => r.dataset.node).map(r => [Number(r.dataset.node), r]));
    this.mark();
  }

  showKernel(kernel) {
    if (this.kernel === kernel) return;
    this.kernel = kernel;
    this.kernels.value = kernel.number;
    fill(this.kernelSource, kernel.source.trimEnd().split("\n"), false);
    fill(this.assembly, (kernel.assembly || "(left out: view --no-code)").trimEnd().split("\n"), false);
    const code = kernel.code;
    document.getElementById("machine").textContent = code
      ? `${code.vector_bits || "no"} bit vectors, ${code.spills} spilled (${code.spills_in_loops} in loops), `
        + `${code.float_operations ? Math.round(100 * code.fused / code.float_operations) : 0}% fused` : "";
  }

  selectKernel() {
    const nodes = new Set(this.kernel.nodes.filter(n => !isLeaf(this.app.model.nodes[n])));
    const { model, stage } = this.app;
    this.app.select([...model.carry(nodes, model.last.index, stage.index)].filter(n => stage.all.has(n)), "kernel");
  }

  // -- what is marked -------------------------------------------------------------------------------------------
  nodesOfLine(file, line) {
    return [...this.stage.all].filter(n => this.stage.placesOf.get(n).some(p => p.file === file && p.line === line));
  }

  // Mark the selection in all panes; `from` is where it was made, which does not move.
  mark(from) {
    if (!this.stage) return;
    const { selected, found, atLast, model } = this.app;
    for (const [node, row] of this.rows) {
      row.classList.toggle("selected", selected.has(node));
      row.classList.toggle("found", found.has(node));
    }
    const [first] = selected;
    if (first !== undefined && from !== "ir" && this.rows.has(first)) this.rows.get(first).scrollIntoView({ block: "nearest" });
    const lines = new Set();
    for (const node of selected)
      for (const place of this.stage.placesOf.get(node) || []) if (place.file) lines.add(`${place.file}:${place.line}`);
    const [line] = lines;
    if (line && from !== "source" && ![...lines].some(l => l.startsWith(this.file + ":"))) {
      const file = line.slice(0, line.lastIndexOf(":"));
      if (file in model.data.sources) return this.showFile(file);
    }
    let shown = null;
    [...this.source.children].forEach((row, i) => {
      const isOn = lines.has(`${this.file}:${i + 1}`);
      row.classList.toggle("selected", isOn);
      if (isOn && !shown) shown = row;
    });
    if (shown && from !== "source") shown.scrollIntoView({ block: "nearest" });
    if (from !== "kernel") {
      const kernel = [...atLast].map(n => (model.kernelsOf.get(n) || [])[0]).find(Boolean);
      if (kernel) this.showKernel(kernel);
    }
    const isOn = [...atLast].some(n => this.kernel && this.kernel.nodes.includes(n));
    this.kernelSource.classList.toggle("linked", isOn);
    this.assembly.classList.toggle("linked", isOn);
  }
}

// Fill a pane with lines of text.
function fill(pane, lines, numbered) {
  pane.replaceChildren(...lines.map((text, i) => {
    const row = document.createElement("div");
    row.className = "line";
    if (numbered) row.dataset.number = i + 1;
    row.textContent = text || " ";
    return row;
  }));
}

// Call `act` with the number of the line that is clicked, and the line.
function onLine(pane, act) {
  pane.addEventListener("click", event => {
    const row = event.target.closest(".line");
    if (row && !String(getSelection())) act([...pane.children].indexOf(row) + 1, row);
  });
}
