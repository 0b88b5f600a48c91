// The report in a real browser: PAGE is the file, BROWSER the program, SHOTS the folder for screenshots.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const { PAGE, BROWSER, SHOTS } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// What lies beside the page says how many figures it must have, and how many of them draw points.
const figures = readdirSync(dirname(PAGE)).filter((name) => name.endsWith(".svg")).length;
const data = join(dirname(PAGE), "data");
const charted = readdirSync(data).filter((name) => readFileSync(join(data, name), "utf8").trim().includes("\n")).length;
let browser;
let page;
const noise = [];

before(async () => {
  browser = await puppeteer.launch({ executablePath: BROWSER, headless: true, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  page = await open();
});
after(() => browser?.close());

async function open(features = []) {
  const opened = await browser.newPage();
  opened.on("console", (message) => noise.push(`${message.type()}: ${message.text()}`));
  opened.on("pageerror", (error) => noise.push(`error: ${error.message}`));
  opened.on("request", (request) => { if (!/^(file|data|blob):/.test(request.url())) noise.push(`network: ${request.url()}`); });
  await opened.setViewport({ width: 1280, height: 900 });
  await opened.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }, ...features]);
  await opened.goto(pathToFileURL(PAGE).href, { waitUntil: "load" });
  return opened;
}

const count = (selector) => page.$$eval(selector, (found) => found.length);
const shot = (name, on = page) => on.screenshot({ path: join(SHOTS, `${name}.png`) });

test("the page is one file of at most 9 MB with every figure, claim and table", async () => {
  assert.ok(statSync(PAGE).size <= 9_000_000);
  assert.equal(await count("article.figure"), figures);
  assert.equal(await count("article.claim"), 39);
  assert.equal(await count("article.table"), 8);
  const pictures = await page.$$eval("article.figure img", (images) => images.map((image) => [image.naturalWidth, image.alt]));
  for (const [width, alt] of pictures) assert.ok(width > 100 && alt.length > 20, alt);
  await shot("light");
});

test("the verdict line counts the badges below it", async () => {
  const line = await page.$eval(".verdict-line", (p) => p.textContent);
  const holds = (await count(".claim .badge.holds")) + (await count(".claim .badge.corrected"));
  assert.ok(line.startsWith(`${holds} of 39 claims hold`), line);
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
  assert.equal(drawn.length, charted);
  for (const { id, panels, series, inked } of drawn) assert.ok(panels && series && inked, id);
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
  const reached = new Set();
  const wanted = await fresh.$$eval("#theme, .explore, nav a, .graph a", (found) => found.map((element, at) => { element.dataset.stop = at; return at; }));
  for (let press = 0; press < 2000 && reached.size < wanted.length; press += 1) {
    await fresh.keyboard.press("Tab");
    const stop = await fresh.evaluate(() => document.activeElement.dataset.stop);
    if (stop !== undefined) reached.add(Number(stop));
  }
  assert.deepEqual(wanted.filter((stop) => !reached.has(stop)), []);
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
    const { violations } = await fresh.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
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
  assert.deepEqual([await shown("article.figure img"), await shown(".badge")], [figures, 39]);
  assert.equal(await shown("button, nav, .graph"), 0);
  await fresh.setViewport({ width: 720, height: 1000 });
  await shot("print", fresh);
  await fresh.close();
});

test("opening is timed, not judged", async () => {
  const times = [];
  for (let run = 0; run < 5; run += 1) {
    const fresh = await open();
    times.push(await fresh.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd));
    await fresh.close();
  }
  console.log(`load, ms: ${times.map(Math.round).join(", ")}`);
});

test("no message, no error, nothing from the network", () => assert.deepEqual(noise, []));
