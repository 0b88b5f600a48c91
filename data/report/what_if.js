"use strict";
// The closed forms of one layer of linear attention, and the sliders that move them. Formulas: docs/theory.md.
const whatIf = (() => {
  const zeros = (rows, columns) => Array.from({ length: rows }, () => new Array(columns).fill(0));
  const dot = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0);
  const times = (matrix, vector) => matrix.map((row) => dot(row, vector));
  const trace = (matrix) => matrix.reduce((sum, row, at) => sum + row[at], 0);
  const trace_of_square = (matrix) => matrix.reduce((sum, row, i) => sum + row.reduce((part, value, j) => part + value * matrix[j][i], 0), 0);

  // Exact test error, label noise included, of the model with last value row v and key-query matrix q (both over the
  // coordinates 1, x, y) on the task theta with n examples; covariates N(0, I).
  const testError = ({ v, q }, theta, n, noise) => {
    const d = theta.length;
    const size = d + 2;
    const covariance = zeros(size, size);
    for (let i = 1; i <= d; i += 1) {
      covariance[i][i] = 1;
      covariance[i][d + 1] = covariance[d + 1][i] = theta[i - 1];
    }
    covariance[d + 1][d + 1] = dot(theta, theta) + noise;
    const kv = times(covariance, v);
    const s = dot(v, kv);
    const v0 = v[0];
    const vx = v.slice(1, d + 1);
    const mu = kv.slice();
    mu[0] += v0;
    // Covariance of z (v.z) for a token z of the context.
    const spread = zeros(size, size);
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j < size; j += 1) {
        const first = (i === 0 ? kv[j] : 0) + (j === 0 ? kv[i] : 0);
        spread[i][j] = (v0 * v0 + s) * covariance[i][j] + 2 * kv[i] * kv[j] + 2 * v0 * first - mu[i] * mu[j];
      }
    }
    spread[0][0] += v0 * v0 + s;
    const k = 1 / (n + 1);
    const answer = times(q, mu);
    const beside = Array.from({ length: d }, (_, i) => q[0][i + 1] + q[i + 1][0]);
    const block = zeros(d, d).map((row, i) => row.map((_, j) => (q[i + 1][j + 1] + q[j + 1][i + 1]) / 2));
    const constant = -n * k * answer[0] - k * q[0][0] * v0;
    const linear = theta.map((value, i) => value - n * k * answer[i + 1] - k * (q[0][0] * vx[i] + v0 * beside[i]));
    const square = block.map((row, i) => row.map((value, j) => -k * (v0 * value + (beside[i] * vx[j] + beside[j] * vx[i]) / 2)));
    const cubic = vx.map((value) => -k * value);
    const even = constant ** 2 + 2 * constant * trace(square) + trace(square) ** 2 + 2 * trace_of_square(square);
    const turned = times(block, cubic);
    const tr = trace(block);
    const odd = dot(linear, linear) + 2 * (tr * dot(linear, cubic) + 2 * dot(linear, turned))
      + dot(cubic, cubic) * (tr ** 2 + 2 * trace_of_square(block)) + 4 * tr * dot(cubic, turned) + 8 * dot(turned, turned);
    let sampling = 0;
    for (let i = 0; i <= d; i += 1) sampling += dot(q[i], times(spread, q[i]));
    return even + odd + n * k * k * sampling + noise;
  };

  // The optima: pretrained on m examples, and fine-tuned from there without any; the target is the first unit vector.
  const model = ({ tuned, d, noise, w }, m = 20) => {
    const [v, q] = [new Array(d + 2).fill(0), zeros(d + 2, d + 2)];
    v[d + 1] = 1;
    if (tuned === "all") {
      v[1] = w;
      q[0][0] = 1 / w;
      return { v, q };
    }
    const scale = tuned === "none" ? (m + 1) / (m + 1 + d + d * noise) : 1;
    for (let i = 1; i <= d; i += 1) q[i][i] = scale;
    if (tuned === "value") {
      v[1] = 1 / (d + 4);
      v[d + 1] = w;
    }
    return { v, q };
  };
  const unit = (d, at, sign = 1) => Array.from({ length: d }, (_, i) => (i === at ? sign : 0));
  // The mean over random unit tasks is that over the positive and negative unit vectors, of which all but two pairs are alike.
  const error = (state, n) => {
    const { d, noise, task } = state;
    const on = (theta) => testError(model(state), theta, n, noise);
    if (task === "same") return on(unit(d, 0));
    if (task === "opposite") return on(unit(d, 0, -1));
    const along = (on(unit(d, 0)) + on(unit(d, 0, -1))) / 2;
    return d === 1 ? along : (along + (d - 1) * on(unit(d, 1))) / d;
  };
  // The w with the least error at n examples: in closed form for the value matrix, else by search over w.
  const best = (state, n) => {
    if (state.tuned === "none" || n === 0) return null;
    const { d, noise } = state;
    if (state.tuned === "value") {
      const cosine = { same: 1, opposite: -1, random: 0 }[state.task];
      return ((n + 1) - (cosine * (n + 3 + 2 * d)) / (d + 4)) / (n + 1 + d + d * noise);
    }
    const at = (power) => error({ ...state, w: 10 ** power }, n);
    let middle = 0;
    for (let power = -2; power <= 2; power += 0.05) if (at(power) < at(middle)) middle = power;
    let [low, high] = [middle - 0.05, middle + 0.05];
    for (let step = 0; step < 40; step += 1) {
      const [a, b] = [low + 0.382 * (high - low), low + 0.618 * (high - low)];
      if (at(a) < at(b)) high = b; else low = a;
    }
    return 10 ** ((low + high) / 2);
  };

  const form = document.querySelector("form.what-if");
  const [svg, list] = [form.querySelector("svg"), form.querySelector("dl")];
  const PAPER = { d: 5, n: 20, noise: 0.1 };
  // The w that zero-shot training comes to: of all matrices as the authors draw it, near what the balance law says; of the
  // value matrix what pretraining had, (m+1)/(m+1+d+d sigma2), for no zero-shot gradient moves it.
  const PAPER_W = { all: 0.52, value: 0.79, none: 1 };
  const field = (name) => form.elements.namedItem(name);
  const read = () => ({ tuned: field("tuned").value, task: field("task").value, d: Number(field("d").value), n: Number(field("n").value), noise: Number(field("noise").value), w: Number(field("w").value) });
  const shown = (value) => (value === null ? "any" : value === 0 ? "0" : String(Number(value.toPrecision(4))));

  const element = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.textContent = text;
    return made;
  };
  const [LEFT, RIGHT, TOP, BOTTOM, MOST, LOW, HIGH] = [62, 510, 12, 258, 60, 0.02, 20];
  const drawn = (value) => value >= LOW && value <= HIGH;
  const x = (n) => LEFT + (n / MOST) * (RIGHT - LEFT);
  const y = (value) => BOTTOM - ((Math.log(value) - Math.log(LOW)) / (Math.log(HIGH) - Math.log(LOW))) * (BOTTOM - TOP);
  const draw = (state) => {
    const parts = [];
    [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].forEach((tick) => parts.push(element("path", { class: "rule", d: `M${LEFT} ${y(tick)}H${RIGHT}` }), element("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, String(tick))));
    [0, 10, 20, 30, 40, 50, 60].forEach((tick) => parts.push(element("text", { x: x(tick), y: BOTTOM + 16, "text-anchor": "middle" }, String(tick))));
    parts.push(element("text", { x: (LEFT + RIGHT) / 2, y: BOTTOM + 34, "text-anchor": "middle" }, "number of examples n"));
    parts.push(element("text", { transform: `translate(16 ${(TOP + BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle" }, "test error"));
    parts.push(element("path", { class: "at", d: `M${x(state.n)} ${TOP}V${BOTTOM}` }));
    // What is beyond the frame is left out.
    const path = (of) => {
      let open = false;
      return Array.from({ length: MOST + 1 }, (_, n) => {
        const value = error(of, n);
        const inside = drawn(value);
        const step = inside ? `${open ? "L" : "M"}${x(n).toFixed(1)} ${y(value).toFixed(1)}` : "";
        open = inside;
        return step;
      }).join("");
    };
    const before = { ...state, tuned: "none" };
    parts.push(element("path", { class: "before", d: path(before) }));
    if (state.tuned !== "none") parts.push(element("path", { class: `after ${state.tuned}`, d: path(state) }));
    // The paper's own point, with the same choice of matrices and task.
    const paper = { ...state, ...PAPER, w: PAPER_W[state.tuned] };
    const point = error(paper, PAPER.n);
    if (drawn(point)) parts.push(element("circle", { class: `paper-point ${state.tuned}`, cx: x(PAPER.n), cy: y(point), r: 5 }));
    // What is what, in the corner.
    const entries = state.tuned === "none" ? [["before", "pretrained"]] : [["before", "pretrained"], [`after ${state.tuned}`, "fine-tuned"]];
    entries.forEach(([name, words], at) => parts.push(element("path", { class: name, d: `M${RIGHT - 108} ${TOP + 12 + 16 * at}h26` }), element("text", { x: RIGHT - 76, y: TOP + 16 + 16 * at }, words)));
    svg.replaceChildren(...parts);
    return paper;
  };
  const tell = (state, paper) => {
    const before = { ...state, tuned: "none" };
    const a = model(before).q[1][1];
    const weight = best(state, state.n);
    const threshold = (state.d * a * (1 + state.noise)) / (2 - a) - 1;
    const rows = [[`pretrained, n = ${state.n}`, shown(error(before, state.n))]];
    if (state.tuned !== "none") {
      rows.push([`fine-tuned, n = ${state.n}`, shown(error(state, state.n))]);
      rows.push([`fine-tuned, d = ${PAPER.d}, n = ${PAPER.n}, σ² = ${PAPER.noise}`, shown(error(paper, PAPER.n))]);
      // Some errors fall as far as w is looked for.
      const inside = weight === null || (weight > 0.0101 && weight < 99);
      rows.push([`best w at n = ${state.n}`, inside ? shown(weight) : weight < 1 ? "below 0.01" : "above 100, the larger the better"]);
      if (weight !== null && inside) rows.push(["error there", shown(error({ ...state, w: weight }, state.n))]);
      if (state.n > 0) rows.push(["fine-tuned, n = 0", shown(error(state, 0))]);
    }
    rows.push(["pretrained, n examples beat none for", threshold < 0 ? "every n" : `n > ${shown(threshold)}`]);
    const row = ([name, value]) => {
      const [group, dt, dd] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
      dt.textContent = name;
      dd.textContent = value;
      group.append(dt, dd);
      return group;
    };
    list.replaceChildren(...rows.map(row));
  };
  const show = () => {
    const state = read();
    field("w").disabled = state.tuned === "none";
    form.querySelectorAll("output").forEach((output) => { output.textContent = output.previousElementSibling.value; });
    tell(state, draw(state));
    return state;
  };

  // ---- the state in the address: #what-if:tuned=all&d=8
  const MARK = "#what-if:";
  const load = () => {
    if (!location.hash.startsWith(MARK)) return;
    new URLSearchParams(location.hash.slice(MARK.length)).forEach((value, name) => { const known = field(name); if (known) known.value = value; });
    document.getElementById("what-if").scrollIntoView();
    show();
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  const keep = () => history.replaceState(null, "", `${MARK}${new URLSearchParams(show())}`);
  form.addEventListener("input", (event) => {
    // Another choice of matrices is another family of optima: it begins where training of these ends.
    if (event.target.name === "tuned") field("w").value = PAPER_W[field("tuned").value];
    keep();
  });
  form.querySelector(".paper-numbers").addEventListener("click", () => {
    Object.entries({ ...PAPER, w: PAPER_W[field("tuned").value] }).forEach(([name, value]) => { field(name).value = value; });
    keep();
  });
  addEventListener("hashchange", load);
  show();
  load();
  return { testError, model, error, best, read };
})();
