// The report in a real browser: PAGE is the file, BROWSER the program, SHOTS the folder for screenshots.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

// COMPARED is a page that compares two versions; its tests are left out without it.
const { PAGE, BROWSER, SHOTS, PROGRAM, COMPARED } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// What lies beside the page says how many figures it must have, and how many of them draw points.
const figures = readdirSync(dirname(PAGE)).filter((name) => name.endsWith(".svg")).length;
const data = join(dirname(PAGE), "data");
const charted = readdirSync(data).filter((name) => name.endsWith(".csv") && readFileSync(join(data, name), "utf8").trim().includes("\n")).length;
let browser;
let page;
const noise = [];

before(async () => {
  browser = await puppeteer.launch({ executablePath: BROWSER, headless: true, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  page = await open();
  // Timed, not judged.
  console.log(`load, ms: ${await page.evaluate(() => Math.round(performance.getEntriesByType("navigation")[0].loadEventEnd))}`);
});
after(() => browser?.close());

async function open(features = [], place = "", file = PAGE) {
  const opened = await browser.newPage();
  opened.on("console", (message) => noise.push(`${message.type()}: ${message.text()}`));
  opened.on("pageerror", (error) => noise.push(`error: ${error.message}`));
  opened.on("request", (request) => { if (!/^(file|data|blob):/.test(request.url())) noise.push(`network: ${request.url()}`); });
  await opened.setViewport({ width: 1280, height: 900 });
  await opened.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }, ...features]);
  await opened.goto(pathToFileURL(file).href + place, { waitUntil: "load" });
  return opened;
}

// What is shown as recorded stands in a section of its own, on some pages.
const OWN = "main > section:not(#recorded)";
const count = (selector) => page.$$eval(selector, (found) => found.length);
const shot = (name, on = page) => on.screenshot({ path: join(SHOTS, `${name}.png`) });

test("the page is one file of at most 9 MB with every figure, claim and table", async () => {
  assert.ok(statSync(PAGE).size <= 9_000_000);
  assert.equal(await count("article.figure"), figures);
  assert.equal(await count(`${OWN} article.claim`), 39);
  assert.equal(await count(`${OWN} article.table`), 8);
  const pictures = await page.$$eval("article.figure img", (images) => images.map((image) => [image.naturalWidth, image.alt]));
  for (const [width, alt] of pictures) assert.ok(width > 100 && alt.length > 20, alt);
  await shot("light");
});

test("the verdict line counts the badges below it", async () => {
  const line = await page.$eval(".verdict-line", (p) => p.textContent);
  const holds = (await count(`${OWN} .claim .badge.holds`)) + (await count(`${OWN} .claim .badge.corrected`));
  // `All 14` or `13 of 14`, and how many of the others.
  const told = line.match(/^(?:All (14)|(\d+) of 14) claims that the paper makes of its own models hold.* Of 25 that go beyond them (\d+) holds?\b/s);
  assert.ok(told, line);
  assert.equal(Number(told[1] ?? told[2]) + Number(told[3]), holds, line);
});

test("it begins with a story, and each claim stands once, beside a figure that shows it if there is one", async () => {
  assert.equal(await count(".story li"), 5);
  assert.equal(await count(".story .drawing svg title"), 1);
  assert.equal(await count(".verdicts tbody tr"), 39);
  assert.ok((await count("article.figure article.claim")) > 25);
  const claims = await page.$$eval(`${OWN} article.claim`, (cards) => cards.map((card) => ({
    id: card.id, heading: card.querySelector("h4").textContent, of: card.querySelector(".numbers .of dd").textContent, placed: Boolean(card.closest("article.figure, #verdicts")),
  })));
  assert.equal(new Set(claims.map(({ id }) => id)).size, 39);
  for (const { id, heading, of, placed } of claims) {
    assert.ok(placed, id);
    assert.ok(of.length > 10 && !of.includes("{"), `${id}: ${of}`);
    // What begins so says nothing to who comes by a link.
    assert.doesNotMatch(heading, /^(That|The same)\b|^.{0,40}\b(it|that loss)\b/i, id);
  }
  const sections = await page.$$eval("main > section", (sections) => sections.map((section) => section.id));
  assert.deepEqual(sections.slice(0, 2), ["came-out", "section-1"]);
});

test("every section, figure, claim and table has a link to itself", async () => {
  const without = await page.$$eval("main > section, article.figure[id], article.claim, article.table[id]", (found) => found
    .filter((element) => element.querySelector(".here")?.getAttribute("href") !== `#${element.id}`).map((element) => element.id));
  assert.deepEqual(without, []);
});

test("a term says what it means when it is pointed at or has the focus", async () => {
  const fresh = await open();
  const said = () => fresh.$eval("#meaning", (box) => (box.hidden ? null : box.textContent));
  const terms = await fresh.$$eval(".story a.term", (found) => found.map((term) => document.querySelector(`${term.getAttribute("href")} dd`).textContent));
  assert.ok(terms.length >= 3);
  await (await fresh.$(".story a.term")).hover();
  assert.ok((await said()).endsWith(terms[0]));
  await shot("term", fresh);
  await fresh.keyboard.press("Escape");
  assert.equal(await said(), null);
  await fresh.$$eval(".story a.term", (found) => found[1].focus());
  assert.ok((await said()).endsWith(terms[1]));
  await fresh.close();
});

test("search finds claims, terms and stages, by the keyboard alone", async () => {
  const fresh = await open();
  await fresh.keyboard.press("/");
  await fresh.keyboard.type("balance law");
  const found = await fresh.$$eval("#found a", (links) => links.map((link) => link.getAttribute("href")));
  assert.ok(found.includes("#claim-balance-law") && found.includes("#figure-balance_law"), found.join(" "));
  await shot("search", fresh);
  await fresh.keyboard.press("Enter");
  assert.equal(await fresh.evaluate(() => location.hash), found[0]);
  await fresh.$eval("#search input", (input) => { input.value = ""; input.focus(); });
  await fresh.keyboard.type("zzzz");
  assert.match(await fresh.$eval("#found", (list) => list.textContent), /Nothing/);
  await fresh.close();
});

test("the sliders compute what `icl-repro risk` does, and the address keeps them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "what-if-"));
  const risk = ({ v, q }, theta, noise) => {
    writeFileSync(join(folder, "params.json"), JSON.stringify({ v, q }));
    writeFileSync(join(folder, "task.json"), JSON.stringify(theta));
    const args = ["risk", "--params", join(folder, "params.json"), "--task", join(folder, "task.json"), "--shots", "0..40", "--noise-var", String(noise), "--json"];
    return JSON.parse(execFileSync(PROGRAM, args)).errors.map(({ error }) => error);
  };
  // Any model at all, so that every term of the formula counts; then the three of the page.
  let seed = 7;
  const next = () => { seed = (seed * 16807) % 2147483647; return (2 * seed) / 2147483647 - 1; };
  const any = (d) => ({ v: Array.from({ length: d + 2 }, next), q: Array.from({ length: d + 2 }, () => Array.from({ length: d + 2 }, next)) });
  const cases = [1, 3, 8].flatMap((d) => [0, 0.3].map((noise) => ({ d, noise, model: any(d), theta: Array.from({ length: d }, next) })));
  for (const tuned of ["all", "value", "none"]) {
    const model = await page.evaluate((tuned) => whatIf.model({ tuned, d: 5, noise: 0.1, w: 0.66 }), tuned);
    cases.push({ d: 5, noise: 0.1, model, theta: [1, 0, 0, 0, 0] }, { d: 5, noise: 0.1, model, theta: [-1, 0, 0, 0, 0] });
  }
  for (const { noise, model, theta } of cases) {
    const exact = risk(model, theta, noise);
    const drawn = await page.evaluate((model, theta, noise, n) => Array.from({ length: n }, (_, at) => whatIf.testError(model, theta, at, noise)), model, theta, noise, exact.length);
    exact.forEach((value, n) => assert.ok(Math.abs(drawn[n] / value - 1) < 1e-12, `${n}: ${drawn[n]} is not ${value}`));
  }
  // The mean over random tasks is the mean over unit vectors, and the best w is best.
  const state = { tuned: "value", task: "random", d: 5, n: 20, noise: 0.1, w: 0.7 };
  const model = await page.evaluate((state) => whatIf.model(state), state);
  const units = Array.from({ length: 10 }, (_, at) => Array.from({ length: 5 }, (_, i) => (i === at % 5 ? (at < 5 ? 1 : -1) : 0)));
  const mean = units.reduce((sum, theta) => sum + risk(model, theta, 0.1)[20], 0) / 10;
  assert.ok(Math.abs((await page.evaluate((state) => whatIf.error(state, 20), state)) / mean - 1) < 1e-12);
  for (const task of ["same", "opposite", "random"]) {
    const around = await page.evaluate((state) => {
      const w = whatIf.best(state, 20);
      return [-0.01, 0, 0.01].map((step) => whatIf.error({ ...state, w: w + step }, 20));
    }, { ...state, task });
    assert.ok(around[1] < around[0] && around[1] < around[2], task);
  }
  rmSync(folder, { recursive: true });

  const fresh = await open();
  const rows = () => fresh.$$eval("form.what-if dl div", (found) => Object.fromEntries(found.map((row) => [row.querySelector("dt").textContent, row.querySelector("dd").textContent])));
  assert.equal((await rows())["best w at n = 20"], "0.6541");
  await fresh.$eval('form.what-if input[name="n"]', (input) => { input.focus(); });
  await fresh.keyboard.press("ArrowRight");
  assert.equal((await rows())["best w at n = 21"], "0.6626");
  const address = await fresh.evaluate(() => location.hash);
  assert.match(address, /^#what-if:.*n=21/);
  await fresh.$eval("#what-if", (section) => section.scrollIntoView());
  await shot("what-if", fresh);
  await fresh.goto(`${pathToFileURL(PAGE).href}#what-if:tuned=all&task=opposite&d=8&n=10&noise=0.2&w=0.5`, { waitUntil: "load" });
  await fresh.reload();
  assert.deepEqual(await fresh.evaluate(() => whatIf.read()), { tuned: "all", task: "opposite", d: 8, n: 10, noise: 0.2, w: 0.5 });
  await fresh.close();
});

test("every link within the page and to a file beside it leads somewhere", async () => {
  const links = await page.$$eval("a[href]", (found) => found.map((link) => link.getAttribute("href")));
  const ids = new Set(await page.$$eval("[id]", (found) => found.map((element) => element.id)));
  const folder = dirname(PAGE);
  for (const link of new Set(links)) {
    if (link.startsWith("#")) assert.ok(ids.has(link.slice(1)), link);
    else if (!link.startsWith("https://arxiv.org/")) assert.ok(existsSync(join(folder, link)), link);
  }
  assert.equal(ids.size, (await page.$$eval("[id]", (found) => found.length)));
});

test("every interactive figure draws", async () => {
  const drawn = await page.evaluate(async () => {
    const results = [];
    for (const button of document.querySelectorAll(".explore")) {
      button.click();
      const holder = document.getElementById(button.getAttribute("aria-controls"));
      const expected = JSON.parse(holder.nextElementSibling.textContent).panels;
      const charts = [...holder.querySelectorAll(".plot")].map((plot) => echarts.getInstanceByDom(plot));
      const inked = (chart) => {
        const canvas = chart.getDom().querySelector("canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value, at) => at % 4 === 3 && value > 0);
      };
      for (const chart of charts) chart.getZr().flush();
      results.push({ id: holder.id, panels: charts.length === expected.length, series: charts.every((chart, at) => chart.getOption().series.length >= expected[at].series.length), inked: charts.every(inked) });
    }
    return results;
  });
  // What is recorded has its data in a file alone.
  assert.equal(drawn.length, charted - (await count("#recorded article.figure")));
  for (const { id, panels, series, inked } of drawn) assert.ok(panels && series && inked, id);
});

test("interactive figures have the guides, the marked points, the names and the bars of the pictures", async () => {
  const parts = (figure) => page.$eval(`#figure-${figure}-chart`, (holder) => [...holder.querySelectorAll(".plot")].map((plot) => {
    const option = echarts.getInstanceByDom(plot).getOption();
    const guides = option.series.flatMap((series) => series.markLine?.data ?? []);
    return { guides: guides.length, symbols: [...new Set(option.series.map((series) => series.symbol))].filter(Boolean), title: option.title?.[0]?.text };
  }));
  assert.equal((await parts("optimal_pretrained"))[0].guides, 5);
  const marked = await parts("optimal_zs_finetune_v_only_with_c");
  assert.ok(marked[1].symbols.some((symbol) => symbol.startsWith("path://M5 0L6.1")), "w*(20) is a star");
  const rows = await page.$eval("#figure-bridge-chart .plot", (plot) => {
    const { series, yAxis: [{ axisLabel, max }] } = echarts.getInstanceByDom(plot).getOption();
    const points = series.filter(({ type }) => type === "scatter").flatMap(({ data }) => data);
    // A bar on a row is level with its point, and reaches as far to both sides.
    const ends = series.filter(({ type }) => type === "line").flatMap(({ data }) => data.filter(([x]) => x !== null));
    const held = ends.filter((_, at) => at % 2 === 0).map((left, at) => [left, ends[2 * at + 1]])
      .map(([left, right]) => left[1] === right[1] && left[0] < right[0] && points.some(([x, , , , y]) => y === left[1] && Math.abs(x - (left[0] + right[0]) / 2) < 1e-9));
    return { names: Array.from({ length: max }, (_, at) => axisLabel.formatter(at)), held, places: points.map(([, row, , , y]) => Math.abs(y - row)) };
  });
  assert.ok(rows.names.length > 3 && rows.names.every((row) => row && !row.includes("@")), rows.names.join(", "));
  assert.ok(rows.held.length > 3 && rows.held.every(Boolean), `${rows.held.length} bars`);
  assert.ok(rows.places.every((off) => off < 0.5), "each point is nearest to its own row");
  const titles = (await parts("bridge_explained")).map(({ title }) => title);
  assert.ok(titles.length > 2 && titles.every(Boolean), titles.join(", "));
  const words = await page.$eval("#figure-linear_tf_pretrained-chart", (holder) => holder.textContent);
  assert.match(words, /Bars reach 2 standard errors/);
});

test("a name's sign has the shape and the filling of its points", async () => {
  const signs = await page.$$eval("#figure-linear_tf_thetas-chart .switches button", (buttons) => Object.fromEntries(buttons.filter((button) => button.querySelector(".swatch")).map((button) => [button.textContent, [...button.querySelectorAll(".swatch path")].map((path) => [path.getAttribute("d"), path.getAttribute("fill")])])));
  const [hollow, filled, lone] = [signs["ZS (KQ)"], signs["ZS+FS (KQ)"], signs.Pretrained];
  assert.equal(hollow[0][0], "M0 0H10V10H0Z");
  assert.ok(hollow[0][1] === "none" && filled[0][1] !== "none" && filled[0][0] === hollow[0][0]);
  assert.notEqual(lone[0][0], hollow[0][0]);
});

test("a page that compares shows both versions, says what differs, and has the other's curves in its charts", { skip: !COMPARED && "no COMPARED page" }, async () => {
  const fresh = await open([], "", COMPARED);
  const name = await fresh.evaluate(() => JSON.parse(document.getElementById("against-data").textContent).name);
  const section = await fresh.$eval("#against", (against) => ({ title: against.querySelector("h2").textContent, titles: [...against.querySelectorAll("h3")].map((h3) => h3.textContent), heads: [...against.querySelectorAll("table")].map((table) => [...table.querySelectorAll("thead th")].map((th) => th.textContent)), pictures: against.querySelector("details summary").textContent }));
  assert.ok(section.title.includes(name), section.title);
  assert.deepEqual(section.titles, ["Settings that differ", "Verdicts", "Tables that differ"]);
  assert.ok(section.heads.length > 2 && section.heads.every((head) => head.includes(name) && head.includes("this page")), JSON.stringify(section.heads));
  // Tables come before the data of pictures.
  assert.match(section.pictures, /tables\//);
  assert.equal(await fresh.$eval('nav a[href="#against"]', (link) => link.textContent), "Compared");
  const both = await fresh.$eval("#figure-linear_tf_thetas .explore", (button) => {
    button.click();
    const names = [...document.querySelectorAll("#figure-linear_tf_thetas-chart .switches button")].map((switched) => switched.textContent);
    const chart = echarts.getInstanceByDom(document.querySelector("#figure-linear_tf_thetas-chart .plot"));
    return { names, lighter: chart.getOption().series.filter((series) => series.lineStyle?.opacity === 0.5).length };
  });
  assert.ok(both.names.includes("ZS (V)") && both.names.includes(`ZS (V), ${name}`), both.names.join());
  assert.ok(both.lighter > 0);
  await fresh.$eval("#against", (against) => against.scrollIntoView());
  await shot("compared", fresh);
  await fresh.close();
});

const CHART = "#figure-linear_tf_thetas-chart";

test("pointing at a value shows it with its standard error and exact value", async () => {
  const place = await page.$eval(CHART, (holder) => {
    holder.scrollIntoView({ block: "center" });
    const plot = holder.querySelector(".plot");
    const chart = echarts.getInstanceByDom(plot);
    const [x, y] = chart.convertToPixel({ seriesIndex: 0 }, chart.getOption().series[0].data[7]);
    const box = plot.getBoundingClientRect();
    return [box.x + x, box.y + y];
  });
  await page.mouse.move(place[0] - 30, place[1] - 30);
  await page.mouse.move(...place, { steps: 5 });
  await page.waitForFunction((chart) => {
    const tip = document.querySelector(`${chart} .tip`);
    return tip?.offsetParent && /standard error: \d/.test(tip.textContent) && /exact: \d/.test(tip.textContent);
  }, { timeout: 5000 }, CHART);
  // And every other curve at the same place.
  const [told, expected] = await page.evaluate((chart) => {
    const told = [...document.querySelectorAll(`${chart} .tip tr`)].map((row) => [...row.cells].map((cell) => cell.textContent));
    const { series } = JSON.parse(document.querySelector(chart).nextElementSibling.textContent).panels[0];
    const at = (curve) => curve.points.find(([x]) => x === series[0].points[7][0]);
    // Curves that meet there lie on each other.
    const pointed = document.querySelector(`${chart} .tip b`).textContent;
    return [told, series.filter((curve) => curve.name !== pointed && at(curve)).map((curve) => [curve.name, String(Number(at(curve)[1].toPrecision(5)))])];
  }, CHART);
  assert.ok(expected.length >= 3, JSON.stringify(expected));
  assert.deepEqual(told.sort(), expected.sort());
  await shot("hover");
});

test("series and axes can be switched", async () => {
  const state = () => page.$eval(CHART, (holder) => {
    const option = echarts.getInstanceByDom(holder.querySelector(".plot")).getOption();
    return { series: option.series.filter((s) => s.name && !s.silent).map((s) => s.name), y: option.yAxis[0].type, x: option.xAxis[0].type };
  });
  const before = await state();
  await page.click(`${CHART} .switches button`);
  const after = await state();
  assert.deepEqual(after.series, before.series.slice(1));
  assert.equal(before.y, "log");
  await page.$$eval(`${CHART} .axes button`, ([x, y]) => { x.click(); y.click(); });
  const turned = await state();
  assert.deepEqual([turned.y, turned.x], ["value", "log"]);
});

test("the data of figures and tables can be saved from the page alone", async () => {
  const folder = join(SHOTS, "saved");
  rmSync(folder, { recursive: true, force: true });
  const session = await browser.target().createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder, eventsEnabled: true });
  const saved = async (button, name) => {
    const done = new Promise((resolve) => session.on("Browser.downloadProgress", ({ state }) => state === "completed" && resolve()));
    await page.$eval(button, (element) => element.click());
    await done;
    return readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
  };
  const points = await page.$eval(CHART, (holder) => JSON.parse(holder.nextElementSibling.textContent).panels.flatMap((panel) => panel.series.flatMap((curve) => curve.points)).length);
  const lines = await saved(`${CHART} .axes button:last-child`, "linear_tf_thetas.csv");
  assert.equal(lines[0], "panel,series,x,y,std_error,exact");
  assert.equal(lines.length, 1 + points);
  const rows = await page.$eval("#table-errors .data", (data) => JSON.parse(data.textContent));
  const table = await saved("#table-errors .save", "errors.csv");
  assert.equal(table.length, 1 + rows.length);
  assert.deepEqual(table.slice(1).map((line) => line.split(",").length), rows.map((row) => row.length));
});

test("every table sorts, filters and can be saved, recorded or not", async () => {
  const working = await page.$$eval("article.table", (tables) => tables.map((table) => [table.id, !table.querySelector(".tools").hidden, table.querySelectorAll("th button").length === table.querySelectorAll("th").length, JSON.parse(table.querySelector(".data").textContent).length > 0]));
  assert.deepEqual(working.filter(([, ...parts]) => !parts.every(Boolean)), []);
});

test("a link leads to its place, and nothing that comes later moves it away", async () => {
  for (const id of ["verify", "stages", "table-digits_strict"]) {
    const fresh = await open([], `#${id}`);
    // Two frames: what observers do comes before the second.
    await fresh.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const [top, low] = await fresh.$eval(`#${id}`, (place) => [place.getBoundingClientRect().top, document.documentElement.scrollHeight - scrollY - innerHeight]);
    // The last section is too short to come up to the top.
    assert.ok(top >= -2 && (top < 200 || low < 2), `${id}: ${top}`);
    await fresh.close();
  }
});

test("the sliders begin where zero-shot training ends, for each choice of matrices", async () => {
  const fresh = await open();
  const state = () => fresh.evaluate(() => whatIf.read());
  assert.equal((await state()).w, 0.79);
  await fresh.click('form.what-if input[value="all"]');
  assert.deepEqual([(await state()).tuned, (await state()).w], ["all", 0.52]);
  await fresh.$eval('form.what-if input[name="d"]', (input) => { input.value = 9; input.dispatchEvent(new Event("input", { bubbles: true })); });
  await fresh.click("form.what-if .paper-numbers");
  assert.deepEqual(await state(), { tuned: "all", task: "same", d: 5, n: 20, noise: 0.1, w: 0.52 });
  await fresh.close();
});

test("rows of a chart stand as in its picture", async () => {
  const rows = await page.$eval("#figure-bridge-chart", (holder) => JSON.parse(holder.nextElementSibling.textContent).panels[0].rows);
  assert.equal(rows[0], "linear attention, one head");
});

test("tables sort and filter", async () => {
  const table = "#table-errors";
  await page.$eval(table, (article) => article.scrollIntoView());
  await page.waitForFunction((selector) => document.querySelector(`${selector} .count`).textContent.includes("rows"), {}, table);
  const heads = await page.$$eval(`${table} th`, (cells) => cells.map((cell) => cell.textContent));
  const column = heads.indexOf("error");
  const values = () => page.$$eval(`${table} tbody tr`, (rows, at) => rows.map((row) => Number(row.cells[at].textContent)), column);
  const sort = (await page.$$(`${table} th button`))[column];
  await sort.click();
  const up = await values();
  assert.ok(up.length > 10);
  assert.deepEqual(up, up.toSorted((a, b) => a - b));
  await sort.click();
  const down = await values();
  assert.deepEqual(down, down.toSorted((a, b) => b - a));
  assert.ok(down[0] >= up.at(-1));
  await page.type(`${table} input`, "-theta0 zs_v");
  const words = await page.$$eval(`${table} tbody tr`, (rows) => rows.map((row) => row.textContent));
  assert.ok(words.length > 0 && words.every((row) => row.includes("-theta0") && row.includes("zs_v")));
});

test("the stage graph opens a stage, and only that", async () => {
  await page.$eval('.graph a[data-node="finetune"]', (node) => node.focus());
  assert.ok((await count(".graph path.on")) > 1);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#stage-finetune", { visible: true });
  const shown = await page.$$eval("article.node", (nodes) => nodes.filter((node) => node.offsetParent).map((node) => node.id));
  assert.deepEqual(shown, ["stage-finetune"]);
  await page.$eval("#stages", (section) => section.scrollIntoView());
  await shot("graph");
});

test("all controls can be reached by the keyboard", async () => {
  const fresh = await open();
  await fresh.$$eval("#theme, #search input, .explore, nav a, .graph a, .what-if input[type=range], h2 .here", (found) => {
    globalThis.wanted = new Set(found);
    document.addEventListener("focusin", ({ target }) => globalThis.wanted.delete(target));
  });
  const left = () => fresh.evaluate(() => [...globalThis.wanted].map((element) => element.outerHTML.slice(0, 200)));
  assert.ok((await left()).length > 100);
  for (let press = 0; press < 4000 && (await left()).length > 0; press += 50) {
    await Promise.all(Array.from({ length: 50 }, () => fresh.keyboard.press("Tab")));
  }
  assert.deepEqual(await left(), []);
  await fresh.close();
});

for (const scheme of ["light", "dark"]) {
  test(`axe-core finds nothing (${scheme})`, async () => {
    const fresh = await open([{ name: "prefers-color-scheme", value: scheme }]);
    const ground = await fresh.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(Number(ground.match(/\d+/)[0]) < 128, scheme === "dark");
    await fresh.$$eval("article.figure:first-of-type .explore, article.claim:first-of-type details", (found) => found.forEach((element) => (element.tagName === "DETAILS" ? (element.open = true) : element.click())));
    await shot(`${scheme}-top`, fresh);
    await fresh.$eval("#figure-linear_tf_thetas", (figure) => figure.scrollIntoView());
    await shot(`${scheme}-figure`, fresh);
    await fresh.evaluate(axe);
    // What is dark differs from what is light in colours alone.
    const rules = scheme === "dark" ? { runOnly: ["color-contrast", "link-in-text-block"] } : {};
    const { violations, passes } = await fresh.evaluate((rules) => axe.run(document, { ...rules, resultTypes: ["violations"] }), rules);
    assert.ok(passes.length > 0);
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].html.slice(0, 200), nodes[0].failureSummary]), []);
    await fresh.close();
  });
}

test("the button turns light into dark and back", async () => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await page.$eval("#theme", (button) => button.click());
  assert.notEqual(await ground(), before);
  await page.$eval("#theme", (button) => button.click());
  assert.equal(await ground(), before);
});

test("a phone needs no sideways scrolling", async () => {
  await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2, isMobile: true });
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  await page.$eval("#verdicts", (section) => section.scrollIntoView());
  await shot("phone");
  await page.$eval("#figure-linear_tf_thetas", (figure) => figure.scrollIntoView());
  await shot("phone-figure");
  await page.setViewport({ width: 1280, height: 900 });
  assert.ok(widths[0] <= 390, widths.join(" > "));
});

test("print shows pictures and verdicts, and no controls", async () => {
  const fresh = await open();
  await fresh.pdf({ path: join(SHOTS, "print.pdf"), format: "A4" });
  assert.equal(readFileSync(join(SHOTS, "print.pdf")).subarray(0, 5).toString(), "%PDF-");
  await fresh.emulateMediaType("print");
  const shown = (selector) => fresh.$$eval(selector, (found) => found.filter((element) => element.offsetParent).length);
  assert.deepEqual([await shown("article.figure img"), await shown(`${OWN} .claim .badge`)], [figures, 39]);
  assert.equal(await shown("button:not(th button), nav, .graph, .here, #search"), 0);
  // The heads of tables are in buttons, which print must not drop.
  const heads = await fresh.$$eval("article.table th", (found) => found.map((head) => [head.textContent, head.querySelector("button")?.offsetParent !== null]));
  assert.ok(heads.length > 20 && heads.every(([words, seen]) => words && seen));
  // Tables are printed across: their widest fits a page of 297 mm with margins of 12.
  await fresh.setViewport({ width: Math.floor((297 - 24) / 25.4 * 96), height: 720 });
  const widths = await fresh.$$eval(".table .scroll", (found) => found.map((frame) => [frame.clientWidth, frame.scrollWidth]));
  assert.ok(widths.length >= 8 && widths.every(([page, table]) => table <= page), widths.join(" "));
  await fresh.setViewport({ width: 720, height: 1000 });
  await shot("print", fresh);
  await fresh.close();
});

test("no message, no error, nothing from the network", () => assert.deepEqual(noise, []));
