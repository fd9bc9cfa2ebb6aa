"use strict";
// Charts can be read point by point, replays chosen, and a live page follows its campaign. Without this script the page
// shows all the same: charts are drawn already, and the legend's switches are plain style rules.

const MINUS = "\u2212";

function shown(value, size) {
  const places = size >= 1000 ? 0 : size >= 20 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places }).replace("-", MINUS);
}

function position(value, unit) {
  if (unit === "steps") return `${Math.round(value).toLocaleString("en")} steps`;
  return unit === "%" ? `${(100 * value).toFixed(0)} % of the steps` : `\u03c4 = ${shown(value, 1)}`;
}

function switchedOn(method) {
  const box = document.getElementById(`method-${method}`);
  return !box || box.checked;
}

function piece(name, className, holder) {
  const made = document.createElement(name);
  made.className = className;
  holder.append(made);
  return made;
}

function near(xs, x) {
  let best = 0;
  for (let i = 1; i < xs.length; i++) if (Math.abs(xs[i] - x) < Math.abs(xs[best] - x)) best = i;
  return best;
}

function probe(holder) {
  const chart = JSON.parse(holder.dataset.chart), [low, high] = chart.x;
  const size = Math.max(...chart.y.map(Math.abs)), say = value => shown(value, size);
  const stops = [...new Set(chart.series.flatMap(series => series.x))].sort((a, b) => a - b);
  let at = -1, parts = [];
  holder.tabIndex = 0;
  holder.setAttribute("role", "group");
  holder.setAttribute("aria-label", `${holder.dataset.title}: arrow keys read its values`);

  function clear() {
    for (const part of parts) part.remove();
    parts = [];
  }

  function show(stop) {
    clear();
    at = Math.max(0, Math.min(stops.length - 1, stop));
    const x = stops[at], left = chart.left + (chart.right - chart.left) * (x - low) / ((high - low) || 1);
    const cross = piece("div", "cross", holder), box = piece("div", "readout", holder);
    parts = [cross, box];
    Object.assign(cross.style, { left: `${100 * left}%`, top: `${100 * chart.top}%`, height: `${100 * (chart.bottom - chart.top)}%` });
    box.setAttribute("role", "status");
    box.append(position(x, chart.unit));
    const live = chart.series.filter(series => switchedOn(series.m) && x <= series.x.at(-1) && x >= series.x[0]);
    for (const series of live.sort((a, b) => b.y[near(b.x, x)] - a.y[near(a.x, x)])) {
      const i = near(series.x, x), colour = `m${series.m % 7}`, y = series.y[i];
      const share = (y - chart.y[0]) / (chart.y[1] - chart.y[0]);
      if (share >= 0 && share <= 1) {
        const dot = piece("div", `dot ${colour}`, holder);
        dot.style.left = `${100 * left}%`;
        dot.style.top = `${100 * (chart.bottom - (chart.bottom - chart.top) * share)}%`;
        parts.push(dot);
      }
      const row = piece("div", colour, box);
      piece("b", "", row).textContent = series.name;
      const ends = series.low[i] === null ? "" : `  [${say(series.low[i])}, ${say(series.high[i])}]`;
      row.append(`  ${say(y)}${ends}`);
    }
    if (left < 0.5) box.style.left = `calc(${100 * left}% + 12px)`;
    else box.style.right = `calc(${100 * (1 - left)}% + 12px)`;
  }

  holder.addEventListener("pointermove", event => {
    const room = holder.getBoundingClientRect(), share = (event.clientX - room.left) / room.width;
    show(near(stops, low + (high - low) * (share - chart.left) / (chart.right - chart.left)));
  });
  holder.addEventListener("pointerleave", () => { if (document.activeElement !== holder) clear(); });
  holder.addEventListener("focus", () => { if (holder.matches(":focus-visible")) show(at < 0 ? stops.length - 1 : at); });
  holder.addEventListener("blur", clear);
  holder.addEventListener("keydown", event => {
    const page = Math.max(1, Math.round(stops.length / 10));
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at + page, PageDown: at - page, Home: 0, End: stops.length - 1 };
    if (event.key === "Escape") clear();
    else if (event.key in next) { event.preventDefault(); show(next[event.key]); }
  });
}

// A replay is loaded when it comes into sight, and ends when another is chosen.
const inSight = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries)
    if (isIntersecting && !target.hasAttribute("srcdoc")) target.srcdoc = target.dataset.page;
}, { rootMargin: "300px" });

function choose(select) {
  for (const option of select.options) {
    const frame = document.getElementById(option.value);
    frame.hidden = !option.selected;
    if (frame.hidden) frame.removeAttribute("srcdoc");
  }
}

document.querySelectorAll(".probe").forEach(probe);
document.querySelectorAll("iframe").forEach(frame => inSight.observe(frame));
document.querySelectorAll(".chooser").forEach(select => select.addEventListener("change", () => choose(select)));

window.addEventListener("message", event => {
  const height = event.data && event.data.replayHeight;
  if (!Number.isFinite(height)) return;
  for (const frame of document.querySelectorAll("iframe"))
    if (frame.contentWindow === event.source) frame.style.height = `${Math.min(Math.max(height, 120), 1600)}px`;
});

// Paper has no folds.
let unfolded = [];
window.addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details:not([open])")];
  for (const part of unfolded) part.open = true;
});
window.addEventListener("afterprint", () => { for (const part of unfolded) part.open = false; });

// A live page asks whether the files have changed, and comes back to where its reader was.
const KEEP = "coterie-report";

function keep() {
  const state = { y: window.scrollY, off: [], open: {}, chosen: [] };
  for (const box of document.querySelectorAll("input[type=checkbox]")) if (!box.checked) state.off.push(box.id);
  for (const part of document.querySelectorAll("details")) state.open[part.id] = part.open;
  for (const select of document.querySelectorAll("select")) state.chosen.push(select.value);
  sessionStorage.setItem(KEEP, JSON.stringify(state));
}

function restore() {
  const state = JSON.parse(sessionStorage.getItem(KEEP) || "null");
  sessionStorage.removeItem(KEEP);
  if (!state) return;
  for (const id of state.off) { const box = document.getElementById(id); if (box) box.checked = false; }
  for (const part of document.querySelectorAll("details")) if (part.id in state.open) part.open = state.open[part.id];
  document.querySelectorAll("select").forEach(select => {
    const there = [...select.options].find(option => state.chosen.includes(option.value));
    if (there) { select.value = there.value; choose(select); }
  });
  document.documentElement.style.scrollBehavior = "auto";
  window.scrollTo(0, state.y);
  document.documentElement.style.scrollBehavior = "";
}

async function follow() {
  const said = document.getElementById("live-state");
  try {
    const { state } = await (await fetch("status", { cache: "no-store" })).json();
    const changed = state !== document.body.dataset.live;
    said.textContent = changed ? "newer results wait" : "live";
    if (changed && document.getElementById("follow").checked && !document.hidden) { keep(); location.reload(); return; }
  } catch {
    said.textContent = "the server has ended; this is its last page";
  }
  setTimeout(follow, 3000);
}

if (document.body.dataset.live) {
  history.scrollRestoration = "manual";
  restore();
  setTimeout(follow, 3000);
}
