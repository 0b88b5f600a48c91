"use strict";
// Interaction alone: without this script the page has all pictures, verdicts and the head of each table.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const short = (value) => (value === null || value === undefined ? "" : String(Number(Number(value).toPrecision(5))));
  const charts = [];

  // ---- light and dark
  const prefers = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme || (prefers.matches ? "dark" : "light")) === "dark";
  const button = document.getElementById("theme");
  const repaint = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", dark() ? "Use light colours" : "Use dark colours");
    charts.forEach((draw) => draw());
  };
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; repaint(); });
  prefers.addEventListener("change", repaint);

  // ---- copying commands
  all(".copy").forEach((copy) => copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(copy.dataset.copy);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(copy.previousElementSibling);
      copy.textContent = "Selected";
    }
  }));

  // ---- what is shown, as a file: the page may have come without those beside it
  const csv = (rows) => rows.map((row) => row.map((value) => {
    const text = String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",")).join("\n") + "\n";
  const save = (name, rows) => {
    const address = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
    make("a", { href: address, download: name }).click();
    URL.revokeObjectURL(address);
  };

  // ---- interactive figures
  const tip = (panel, curve, point, shown) => {
    const row = panel.rows.length ? panel.rows[point[1]] : point[1];
    const lines = [[panel.x.label || "x", point[0]], [panel.y.label || (panel.rows.length ? "row" : "y"), row]];
    if (point[2] !== null) lines.push(["standard error", point[2]]);
    if (point[3] !== null) lines.push(["exact", point[3]]);
    const text = ([name, value]) => make("div", { textContent: `${name}: ${typeof value === "string" ? value : short(value)}` });
    // What the others are at the same place, the highest first, as they stand in the picture.
    const others = panel.rows.length ? [] : shown.filter((other) => other !== curve)
      .flatMap((other) => other.points.filter(([x, y]) => x === point[0] && y !== null).slice(0, 1).map(([, y]) => [other, y]))
      .sort(([, a], [, b]) => b - a);
    const rest = others.map(([other, y]) => make("tr", {}, make("td", { textContent: other.name }), make("td", { textContent: short(y) })));
    const table = rest.length ? [make("table", {}, make("caption", { textContent: `also at ${short(point[0])}` }), ...rest)] : [];
    return make("div", { className: "tip" }, make("b", { textContent: curve.name }), ...lines.map(text), ...table);
  };
  // The shapes of the figures as outlines.
  const outlines = {
    circle: "M5 0A5 5 0 1 1 4.99 0Z", square: "M0 0H10V10H0Z", diamond: "M5 0L10 5L5 10L0 5Z", triangle: "M5 0L10 9H0Z", triangle_down: "M0 0H10L5 9Z",
    star: "M5 0L6.1 3.5H9.8L6.8 5.7L7.9 9.2L5 7L2.1 9.2L3.2 5.7L0.2 3.5H3.9Z",
    plus: "M4 0H6V4H10V6H6V10H4V6H0V4H4Z", cross: "M1 0L5 4L9 0L10 1L6 5L10 9L9 10L5 6L1 10L0 9L4 5L0 1Z",
  };
  // The library's own where it has one.
  const symbols = { circle: "circle", square: "rect", diamond: "diamond", triangle: "triangle", ...Object.fromEntries(["triangle_down", "star", "plus", "cross"].map((name) => [name, `path://${outlines[name]}`])) };
  // What stands for a curve beside its name: its marker, or a piece of its line.
  const swatch = (curve, color) => {
    const drawn = (name, attributes, ...inside) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
      made.append(...inside);
      return made;
    };
    const outline = curve.marker ? outlines[curve.shape] ?? outlines.circle : "M-1 5H11";
    const fill = curve.marker && curve.marker !== "hollow" ? color : "none";
    const filled = drawn("path", { d: outline, fill, style: curve.marker === "half" ? "clip-path: inset(0 50% 0 0)" : "" });
    const edge = drawn("path", { d: outline, fill: "none", stroke: color, "stroke-width": 1.6, "stroke-dasharray": curve.marker ? "none" : { solid: "none", dashed: "3 2", dotted: "1 2" }[curve.line] ?? "4 1.5 1 1.5" });
    return drawn("svg", { class: "swatch", viewBox: "-1 -1 12 12", "aria-hidden": true, opacity: curve.light ?? 1 }, filled, edge);
  };
  // Where the page compares two versions: the other's curves, each beside the one of its name.
  const against = JSON.parse(document.getElementById("against-data")?.textContent ?? "null");
  const compared = (holder, data) => {
    const other = against?.figures[holder.closest("article").id];
    data.panels.forEach((panel, at) => other?.panels[at]?.series.forEach((curve) => {
      const row = (y) => {
        if (!panel.rows.length) return y;
        const name = other.panels[at].rows[y];
        return panel.rows.includes(name) ? panel.rows.indexOf(name) : panel.rows.push(name) - 1;
      };
      const points = curve.points.map(([x, y, error = null]) => [x, row(y), error, null]);
      panel.series.push({ ...curve, name: `${curve.name}, ${against.name}`, line: curve.line && (curve.line === "solid" ? "dashed" : "dotted"), light: 0.5, points });
    }));
    return data;
  };
  // Alone a panel says what in the picture the one above or beside it says for it.
  const alone = (data) => {
    const titled = data.panels.findIndex(({ title }) => !title);
    data.panels.forEach((panel, at) => {
      panel.name = panel.title || at + 1;
      if (titled > 0 && !panel.title) {
        panel.title = data.panels[at % titled].title;
        panel.name = `${panel.title}: ${panel.x.label}`;
      }
      if (at && !panel.rows.length && !panel.y.label) panel.y.label = data.panels[at - 1].y.label;
    });
    return data;
  };
  const option = (panel, state) => {
    const css = getComputedStyle(root);
    const [ink, quiet, rule] = ["--ink", "--quiet", "--rule"].map((name) => css.getPropertyValue(name).trim());
    // The darkest ink of the figures would vanish on a dark ground.
    const color = (curve) => (dark() && /^#([0-3][0-9a-f]){3}$/i.test(curve.color) ? ink : curve.color);
    // As in the pictures a half filled marker has its left half filled.
    const interior = (curve) => {
      const ground = css.getPropertyValue("--raised").trim();
      if (curve.marker === "hollow") return ground;
      if (curve.marker !== "half") return color(curve);
      const halves = [[0, color(curve)], [0.5, color(curve)], [0.5, ground], [1, ground]];
      return { type: "linear", x: 0, y: 0, x2: 1, y2: 0, colorStops: halves.map(([offset, ink]) => ({ offset, color: ink })) };
    };
    const axis = (which, log, name) => ({
      name, nameLocation: "middle", nameGap: which === "x" ? 26 : 42, nameTextStyle: { color: quiet, fontSize: 12 },
      // Less than a decade or so has one power of ten to mark, or none.
      type: log ? "log" : "value", scale: true, logBase: panel[which].high / panel[which].low < 20 ? 2 : 10,
      min: state.whole || (log && panel[which].low <= 0) ? undefined : panel[which].low ?? undefined,
      max: state.whole ? undefined : panel[which].high ?? undefined,
      axisLabel: { color: quiet, hideOverlap: true, showMinLabel: log ? false : null, showMaxLabel: log ? false : null, formatter: (value) => short(value) },
      axisLine: { show: true, onZero: false, lineStyle: { color: quiet } }, splitLine: { lineStyle: { color: rule } },
    });
    const log = { x: state.x ?? panel.x.log, y: state.y ?? panel.y.log };
    const usable = (point) => point[0] !== null && point[1] !== null && !(log.x && point[0] <= 0) && !(log.y && !panel.rows.length && point[1] <= 0);
    const series = [];
    // On a row the curves lie below each other, as in the picture; how far, in heights of a row.
    const names = [...new Set(panel.series.map(({ name }) => name))];
    const below = (curve) => (panel.rows.length ? (names.indexOf(curve.name) - (names.length - 1) / 2) * Math.min(0.16, 0.72 / names.length) : 0);
    panel.series.forEach((curve) => {
      if (state.off.has(curve.name)) return;
      const ready = curve.points.filter(usable).map(([x, y, error = null, exact = null]) => [x, y, error, exact, y + below(curve)]);
      const asLine = curve.line && !panel.rows.length;
      series.push({
        name: curve.name, type: asLine ? "line" : "scatter", data: ready, encode: { x: 0, y: 4 }, animation: false, clip: true,
        symbol: symbols[curve.shape] || "circle", symbolSize: curve.shape === "star" ? 10 : curve.marker ? 7 : 5, showSymbol: Boolean(curve.marker) || !asLine,
        itemStyle: { color: interior(curve), borderColor: color(curve), borderWidth: curve.marker ? 1.5 : 0, opacity: curve.light ?? 1 },
        lineStyle: { color: color(curve), width: 1.6, opacity: curve.light ?? 1, type: { dashed: "dashed", dotted: "dotted", dash_dot: [6, 3, 1, 3], dash_dot_dot: [6, 3, 1, 3, 1, 3] }[curve.line] || "solid" },
        emphasis: { focus: "series", lineStyle: { width: 2.4 } },
        tooltip: { formatter: (shown) => tip(panel, curve, shown.data, panel.series.filter(({ name }) => !state.off.has(name))) },
      });
      // As far as in the picture; one standard error where that draws none.
      const reach = curve.reach ?? 1;
      // On rows they lie along x.
      const [across, least] = panel.rows.length ? [0, log.x] : [1, log.y];
      const bars = ready.filter((point) => point[2] > 0 && !(least && point[across] - reach * point[2] <= 0))
        .flatMap(([x, , error, , y]) => [...[-1, 1].map((side) => (across ? [x, y + side * reach * error] : [x + side * reach * error, y])), [null, null]]);
      if (bars.length) {
        series.push({ type: "line", data: bars, showSymbol: false, silent: true, animation: false, connectNulls: false, lineStyle: { color: color(curve), width: 1.2, opacity: curve.light ?? 1 }, tooltip: { show: false }, z: 1 });
      }
    });
    // What curves are read against, dotted as in the picture; on an axis that can show the place.
    const guides = panel.lines.filter(([which, at]) => at > 0 || !log[which]).map(([which, at, color]) => ({
      [which === "x" ? "xAxis" : "yAxis"]: at, lineStyle: { color: dark() && /^#([0-3][0-9a-f]){3}$/i.test(color) ? ink : color },
    }));
    if (guides.length) {
      series.push({ type: "scatter", data: [], silent: true, animation: false, tooltip: { show: false }, markLine: { symbol: "none", silent: true, animation: false, label: { show: false }, lineStyle: { type: "dotted", width: 1.2 }, data: guides } });
    }
    const rows = {
      type: "value", min: -1, max: panel.rows.length, interval: 1, inverse: true,
      axisLabel: { color: quiet, width: 140, lineHeight: 14, overflow: "break", formatter: (at) => panel.rows[at] ?? "" }, axisTick: { show: false }, axisLine: { show: true, onZero: false, lineStyle: { color: quiet } }, splitLine: { lineStyle: { color: rule } },
    };
    return {
      backgroundColor: "transparent", animation: false, textStyle: { fontFamily: "system-ui, sans-serif", color: ink },
      title: panel.title ? { text: panel.title, left: "center", top: 0, textStyle: { fontSize: 13, fontWeight: 600, color: ink } } : undefined,
      grid: { left: panel.rows.length ? 84 : 62, right: 16, top: panel.title ? 30 : 14, bottom: 44 },
      tooltip: { trigger: "item", confine: true, backgroundColor: css.getPropertyValue("--raised").trim(), borderColor: quiet, textStyle: { color: ink } },
      xAxis: axis("x", log.x, panel.x.label), yAxis: panel.rows.length ? rows : axis("y", log.y, panel.y.label), series,
    };
  };
  // How far the bars reach, of all curves that have any.
  const reaches = (data) => {
    const with_bars = data.panels.flatMap((panel) => panel.series).filter((curve) => curve.points.some((point) => point[2] > 0));
    const known = [...new Set(with_bars.map((curve) => curve.reach ?? 1))];
    const most = known.length === 1 && known[0] === 1 ? "one standard error" : `${known.join(" or ")} standard errors`;
    return known.length ? `Bars reach ${most} (s.e.) to each side${known.length > 1 && with_bars.some((curve) => curve.reach === null) ? "; where the picture has none, 1" : ""}.` : "";
  };
  const build = (holder, data) => {
    // Each panel has the axes of the picture, until somebody chooses for all of them.
    const state = { off: new Set(), whole: false, x: null, y: null };
    const names = new Map(data.panels.flatMap((panel) => panel.series.map((curve) => [curve.name, curve])));
    const toggle = (pressed, change, ...content) => {
      const element = make("button", { type: "button" }, ...content);
      element.setAttribute("aria-pressed", String(pressed));
      element.addEventListener("click", () => {
        const now = element.getAttribute("aria-pressed") !== "true";
        element.setAttribute("aria-pressed", String(now));
        change(now);
        draw();
      });
      return element;
    };
    const switches = make("div", { className: "switches" });
    switches.setAttribute("role", "group");
    switches.setAttribute("aria-label", "Series");
    names.forEach((curve, name) => {
      // As in the charts, the darkest ink turns with the ground.
      const color = /^#([0-3][0-9a-f]){3}$/i.test(curve.color) ? "var(--ink)" : curve.color;
      switches.append(toggle(true, (on) => (on ? state.off.delete(name) : state.off.add(name)), swatch(curve, color), name));
    });
    const plots = make("div", { className: "plots" });
    const axes = make("div", { className: "switches axes" });
    axes.setAttribute("role", "group");
    axes.setAttribute("aria-label", "Axes");
    const logarithmic = (which) => toggle(data.panels.some((panel) => panel[which].log), (on) => { state[which] = on; }, `${which} logarithmic`);
    axes.append(logarithmic("x"));
    if (!data.panels.every((panel) => panel.rows.length)) axes.append(logarithmic("y"));
    axes.append(toggle(false, (on) => { state.whole = on; }, "all of the data"));
    const saved = make("button", { type: "button", textContent: "save as CSV" });
    saved.addEventListener("click", () => save(`${holder.closest("article").id.replace("figure-", "")}.csv`, [
      ["panel", "series", "x", "y", "std_error", "exact"],
      ...data.panels.flatMap((panel) => panel.series.flatMap((curve) => curve.points.map(([x, y, error, exact]) => [panel.name, curve.name, x, panel.rows.length ? panel.rows[y] : y, error, exact]))),
    ]));
    axes.append(saved);
    holder.append(switches, plots, axes, make("p", { className: "quiet", textContent: `Point at a value for its standard error and, where there is one, its exact value. ${reaches(data)}` }));
    const drawn = data.panels.map((panel) => {
      const plot = make("div", { className: panel.rows.length > 3 ? "plot tall" : "plot" });
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", `Interactive chart${panel.title ? `: ${panel.title}` : ""}; its values are in the CSV file`);
      plots.append(plot);
      const chart = echarts.init(plot, null, { renderer: "canvas" });
      new ResizeObserver(() => chart.resize()).observe(plot);
      return [chart, panel];
    });
    const draw = () => drawn.forEach(([chart, panel]) => chart.setOption(option(panel, state), true));
    charts.push(draw);
    draw();
  };
  all(".explore").forEach((explore) => {
    explore.hidden = false;
    explore.addEventListener("click", () => {
      const holder = document.getElementById(explore.getAttribute("aria-controls"));
      holder.hidden = !holder.hidden;
      explore.setAttribute("aria-expanded", String(!holder.hidden));
      explore.textContent = holder.hidden ? "Explore the data" : "Close";
      if (!holder.childElementCount) build(holder, alone(compared(holder, JSON.parse(holder.nextElementSibling.textContent))));
    });
  });

  // ---- tables: sort by a column, filter by words
  const FIRST = 50;
  all("article.table").forEach((article) => {
    const [body, tools] = [article.querySelector("tbody"), article.querySelector(".tools")];
    const [input, count, more] = [tools.querySelector("input"), tools.querySelector(".count"), tools.querySelector(".all")];
    const headers = all("th", article);
    const numeric = headers.map((header) => header.classList.contains("number"));
    let rows = null;
    let order = null;
    let whole = false;
    const fitting = () => {
      rows ??= JSON.parse(article.querySelector(".data").textContent);
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = rows.filter((row) => { const text = row.join(" ").toLowerCase(); return words.every((word) => text.includes(word)); });
      if (order) {
        const [column, sign] = order;
        const empty = (row) => row[column] === "";
        found = found.toSorted((a, b) => (empty(a) - empty(b)) || sign * (numeric[column] ? a[column] - b[column] : a[column].localeCompare(b[column])));
      }
      return found;
    };
    const show = () => {
      const found = fitting();
      const shown = whole ? found : found.slice(0, FIRST);
      const cell = (value, column) => make("td", { className: numeric[column] ? "number" : "", textContent: numeric[column] && value !== "" ? short(value) : value, title: numeric[column] && short(value) !== value ? value : "" });
      body.replaceChildren(...shown.map((row) => make("tr", {}, ...row.map(cell))));
      count.textContent = `${shown.length} of ${found.length} rows`;
      more.hidden = shown.length === found.length;
    };
    tools.hidden = false;
    // At once: what changes its height while somebody follows a link to below it moves the place away.
    article.querySelector(".more")?.remove();
    count.textContent = "";
    input.addEventListener("input", show);
    more.addEventListener("click", () => { whole = true; show(); });
    const names = headers.map((header) => header.textContent);
    tools.querySelector(".save").addEventListener("click", () => save(`${article.id.replace("table-", "")}.csv`, [names, ...fitting()]));
    headers.forEach((header, column) => {
      const sort = make("button", { type: "button", textContent: header.textContent });
      header.replaceChildren(sort);
      sort.addEventListener("click", () => {
        const up = header.getAttribute("aria-sort") !== "ascending";
        headers.forEach((other) => other.removeAttribute("aria-sort"));
        header.setAttribute("aria-sort", up ? "ascending" : "descending");
        order = [column, up ? 1 : -1];
        show();
      });
    });
    new IntersectionObserver((seen, observer) => {
      if (seen.some((entry) => entry.isIntersecting)) { observer.disconnect(); show(); }
    }, { rootMargin: "400px" }).observe(article);
  });

  // ---- the stage graph: what a stage reads and who reads it
  const nodes = new Map(all(".graph a").map((node) => [node.dataset.node, node]));
  const edges = all(".graph path");
  const light = (name) => {
    edges.forEach((edge) => {
      const on = edge.dataset.from === name || edge.dataset.to === name;
      edge.classList.toggle("on", on);
      if (on) edge.parentNode.append(edge);
    });
  };
  nodes.forEach((node, name) => {
    node.addEventListener("mouseenter", () => light(name));
    node.addEventListener("focus", () => light(name));
  });

  // ---- what a word means: beside it, when it is pointed at or has the focus
  const meaning = make("div", { id: "meaning", hidden: true });
  meaning.setAttribute("role", "tooltip");
  document.body.append(meaning);
  let told = null;
  const hush = () => { meaning.hidden = true; told?.removeAttribute("aria-describedby"); told = null; };
  const tell = (term) => {
    const entry = document.getElementById(term.getAttribute("href").slice(1));
    if (!entry) return;
    hush();
    told = term;
    meaning.replaceChildren(make("b", { textContent: entry.querySelector("dt").textContent }), `: ${entry.querySelector("dd").textContent}`);
    meaning.hidden = false;
    term.setAttribute("aria-describedby", "meaning");
    const box = term.getBoundingClientRect();
    const below = box.bottom + meaning.offsetHeight + 12 < innerHeight;
    meaning.style.left = `${Math.max(8, Math.min(box.left, root.clientWidth - meaning.offsetWidth - 8)) + scrollX}px`;
    meaning.style.top = `${(below ? box.bottom + 6 : box.top - meaning.offsetHeight - 6) + scrollY}px`;
  };
  const termAt = (event) => event.target.closest?.("a.term");
  document.addEventListener("mouseover", (event) => { const term = termAt(event); if (term) tell(term); else if (told && !meaning.contains(event.target)) hush(); });
  document.addEventListener("focusin", (event) => { const term = termAt(event); if (term) tell(term); else hush(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hush(); });
  // A finger has no hover: the first tap tells, the next one leads to the list.
  document.addEventListener("click", (event) => { const term = termAt(event); if (term && event.pointerType === "touch" && term.dataset.tapped !== "1") { event.preventDefault(); all("a.term[data-tapped]").forEach((other) => delete other.dataset.tapped); term.dataset.tapped = "1"; tell(term); } });

  // ---- search: what has a heading, a claim's words, or a term
  const search = document.getElementById("search");
  const [query, found, heard] = [search.querySelector("input"), document.getElementById("found"), search.querySelector("p")];
  search.hidden = false;
  let places = null;
  const collect = () => {
    const plain = (element) => { const copy = element.cloneNode(true); all(".here", copy).forEach((link) => link.remove()); return copy.textContent.trim().replace(/\s+/g, " "); };
    const place = (element, kind, more = "") => {
      const heading = element.querySelector("h2, h3, h4");
      return heading && { id: element.id, kind, title: plain(heading), text: `${plain(heading)} ${element.id} ${more}`.toLowerCase() };
    };
    const text = (element, selector) => element.querySelector(selector)?.textContent ?? "";
    return [
      ...all("main > section[id]").map((section) => place(section, "section")),
      ...all("article.figure[id]").map((figure) => place(figure, "figure", text(figure, "figcaption"))),
      ...all("article.claim[id]").map((claim) => place(claim, `claim, ${text(claim, ".badge")}`, text(claim, ".numbers"))),
      ...all("article.table[id]").map((table) => place(table, "table", text(table, "p"))),
      ...all(".terms > div").map((term) => ({ id: term.id, kind: text(term, "dd"), title: text(term, "dt"), text: term.textContent.toLowerCase() })),
      ...all("article.node[id]").map((node) => place(node, "stage")),
    ].filter(Boolean);
  };
  const look = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    places ??= collect();
    const hits = words.length ? places.filter((place) => words.every((word) => place.text.includes(word))) : [];
    // What is called so comes before what only mentions it.
    const called = (place) => words.every((word) => place.title.toLowerCase().includes(word));
    const shown = [...hits.filter(called), ...hits.filter((place) => !called(place))].slice(0, 12);
    found.replaceChildren(...shown.map((place) => make("li", {}, make("a", { href: `#${place.id}` }, place.title, make("small", { textContent: place.kind })))));
    if (words.length && !hits.length) found.append(make("li", { className: "quiet", textContent: "Nothing on this page." }));
    found.hidden = !words.length;
    heard.textContent = words.length ? `${hits.length} found` : "";
  };
  query.addEventListener("input", look);
  query.addEventListener("focus", look);
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter") found.querySelector("a")?.click();
    if (event.key === "ArrowDown") { event.preventDefault(); found.querySelector("a")?.focus(); }
  });
  found.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const links = all("a", found);
    (links[links.indexOf(document.activeElement) + step] ?? query).focus();
  });
  found.addEventListener("click", (event) => { if (event.target.closest("a")) found.hidden = true; });
  document.addEventListener("click", (event) => { if (!search.contains(event.target)) found.hidden = true; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") found.hidden = true;
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { event.preventDefault(); query.focus(); }
  });

  repaint();
})();
