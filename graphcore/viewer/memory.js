// The arena over the steps of a run: a rectangle is a buffer, from its first to its last step, at its offset.

class MemoryView {
  constructor(section, app) {
    this.app = app;
    this.section = section;
  }

  show() {
    const { memory } = this.app.model.data;
    if (this.drawn) return this.mark();
    this.drawn = true;
    const heading = document.createElement("p");
    heading.textContent = `arena ${bytesText(memory.arena)}; most in use ${bytesText(memory.peak)}`
      + (memory.peak_at ? ` at step ${memory.peak_at} (${memory.steps[memory.peak_at - 1].title})` : "");
    const tip = document.createElement("p");
    tip.className = "tip";
    const width = Math.max(600, 8 * memory.steps.length), height = 320;
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", width: "100%", height });
    const x = step => (step - 1) * width / Math.max(memory.steps.length, 1);
    const y = offset => height - offset * height / Math.max(memory.arena, 1);
    this.rectangles = [];
    for (const buffer of memory.buffers) {
      if (buffer.offset === null || buffer.first === null) continue;
      const rectangle = element("rect", {
        x: x(buffer.first), width: x(buffer.last + 1) - x(buffer.first), y: y(buffer.offset + buffer.bytes),
        height: Math.max(0.5, y(buffer.offset) - y(buffer.offset + buffer.bytes)), class: "buffer",
        style: `fill: hsl(${hue(buffer.name)} 55% 60%)` });
      const title = element("title", {});
      title.textContent = `${buffer.name} ${buffer.dtype}, ${bytesText(buffer.bytes)} at ${buffer.offset}, steps ${buffer.first} to `
        + `${buffer.last}${buffer.takes_over ? ", in place of buffer " + buffer.takes_over : ""}`;
      rectangle.append(title);
      rectangle.addEventListener("pointerenter", () => { tip.textContent = title.textContent; });
      rectangle.addEventListener("click", () => this.app.selectAtLast(this.valuesOf(buffer), "memory"));
      svg.append(rectangle);
      this.rectangles.push([buffer, rectangle]);
    }
    const used = memory.steps.map((step, i) => `${i ? "L" : "M"}${x(step.number)},${y(step.used)} L${x(step.number + 1)},${y(step.used)}`);
    svg.append(element("path", { d: used.join(" "), class: "used", "vector-effect": "non-scaling-stroke" }));
    const steps = document.createElement("div");
    steps.className = "legend";
    steps.textContent = `${memory.steps.length} steps from left to right, offsets upwards; the line is what is in use`;
    this.section.replaceChildren(heading, svg, steps, tip);
    this.mark();
  }

  mark() {
    if (!this.drawn) return;
    for (const [buffer, rectangle] of this.rectangles)
      rectangle.classList.toggle("selected", this.valuesOf(buffer).some(n => this.app.atLast.has(n)));
  }

  // The values that a buffer holds; of memory that a kernel needs for itself, those that the kernel computes.
  valuesOf(buffer) {
    if (buffer.nodes.length) return buffer.nodes;
    if (!this.writers) {
      this.writers = new Map();
      for (const launch of this.app.model.data.launches)
        for (const number of launch.writes) for (const node of launch.nodes) append(this.writers, number, node);
    }
    return (this.writers.get(buffer.number) || []).filter(n => !isLeaf(this.app.model.nodes[n]));
  }
}

function hue(text) {
  let value = 0;
  for (const letter of text) value = (value * 31 + letter.charCodeAt(0)) % 360;
  return value;
}
