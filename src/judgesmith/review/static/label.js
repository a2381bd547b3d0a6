// One item at a time: show it, keep its answer, go on at once with the next, which is here already.
import { call } from "./calls.js";
import { Clock } from "./clock.js";
import { Outbox } from "./outbox.js";
import { Verdict, inWords } from "./verdict.js";

const AHEAD = 4;
const SHOWN_AFTER = 400;
const desk = document.querySelector("[data-label]");
const slot = document.getElementById("slot");
const saved = document.querySelector(".saved");
const notice = document.querySelector("[data-notice]");
const dialogs = Object.fromEntries([...document.querySelectorAll("dialog")].map((one) => [one.dataset.dialog, one]));
const own = desk.dataset.own === "true";

const clock = new Clock();
const buffer = []; // what comes next: {key, html}
const here = new Map(); // the last items seen, by key, for going back without a connection
const latest = new Map(); // the answer that this tab gave last, by key
const answered = new Set();
const skipped = new Map(); // key: calls for more that began before the skip was saved do not count
let history = []; // what was answered, in order: {item_id, round, question, answer}
let at = null; // place in it while looking back
let now = null; // {key, item, round, article, verdict}
let asked = 0;
let filling = null;
let raw = false;
let undoing = null; // the id of an undo whose reply did not come: sent again, it is the same one

const keyOf = (item, round) => `${round}/${item}`;

// ---- what is saved

const outbox = new Outbox(desk.dataset.store, {
  state(kind, count, ms, why = "") {
    const words = {
      saved: "Everything is saved",
      sending: ms > SHOWN_AFTER ? "Saving …" : null,
      waiting: `Not saved yet: ${count} ${count === 1 ? "answer waits" : "answers wait"} on this device and ${count === 1 ? "is" : "are"} sent again`,
      refused: `Not saved: your link was replaced, or somebody else signed in here. ${count} ${count === 1 ? "answer is" : "answers are"} kept on this device; open your link here`,
    }[kind];
    if (why) tell(why, "bad");
    const lost = count > 0 && !outbox.lasting ? ". This browser keeps nothing: leave the page open" : "";
    saved.dataset.state = kind === "refused" ? "waiting" : kind;
    if (words !== null && saved.textContent !== words + lost) saved.textContent = words + lost;
  },
  saved(answer, data) {
    const key = keyOf(answer.item_id, answer.round);
    if (answer.outcome === "skip") skipped.set(key, asked);
    if (data.progress) progress(data.progress);
  },
  conflict: () => showConflict(),
  refused(answer, why) { tell(`An answer was not saved: ${why}`, "bad"); },
  elsewhere(event) {
    if (!event.newValue || !now) return;
    const held = JSON.parse(event.newValue);
    const key = keyOf(held.answer.item_id, held.answer.round);
    if (key === now.key) tell("You are answering this item in another tab, too.", "wait");
    for (let i = buffer.length - 1; i >= 0; i -= 1) if (buffer[i].key === key) buffer.splice(i, 1);
  },
});

function tell(words, kind = "") {
  notice.className = `notice said ${kind}`;
  notice.textContent = words;
  notice.hidden = !words;
}

function progress({ done, total }) {
  const bar = document.querySelector("[data-progress]");
  if (!bar) return;
  bar.max = Math.max(total, 1);
  bar.value = done;
  document.querySelector("[data-progress-words]").textContent = `${done} of ${total}`;
}

// ---- what is shown

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

function show(key, html) {
  slot.replaceChildren(parse(html));
  remember(key, html);
  begin();
}

function remember(key, html) {
  here.delete(key);
  here.set(key, html);
  if (here.size > 60) here.delete(here.keys().next().value);
}

function begin() {
  const article = slot.querySelector("article.item");
  const { item, round, waits } = article.dataset;
  const key = keyOf(item, round);
  const verdict = new Verdict(article);
  now = { key, item, round, article, verdict, waits: waits === "true", replaces: null };
  const before = latest.get(key) ?? JSON.parse(article.dataset.answer);
  if (before) {
    verdict.fill(before);
    now.replaces = before.id;
    article.querySelector(".before").hidden = before.outcome === "skip";
  }
  setRaw(raw);
  clock.start();
  article.querySelectorAll(".body, .asked").forEach((one) => { one.scrollTop = 0; });
  if (matchMedia("(max-width: 780px)").matches) scrollTo(0, 0);
}

function showEmpty(kind) {
  now = null;
  slot.replaceChildren(document.querySelector(`[data-empty=${kind}]`).content.cloneNode(true));
  slot.querySelector("h1").focus();
}

function setRaw(on) {
  raw = on;
  slot.classList.toggle("as-raw", on);
  slot.querySelector("[data-do=raw]")?.setAttribute("aria-pressed", on);
}

// ---- going on

function fill() {
  filling ??= more().finally(() => { filling = null; });
  return filling;
}

async function more() {
  asked += 1;
  const mine = asked;
  const { status, data } = await call(`/api/next?ahead=${AHEAD + outbox.waiting().length + 1}`);
  if (status !== 200) return status;
  const fresh = data.items.filter(({ item_id: item, round }) => {
    const key = keyOf(item, round);
    return key !== now?.key && !answered.has(key) && !(skipped.get(key) >= mine)
      && !buffer.some((one) => one.key === key);
  });
  buffer.push(...fresh.map(({ item_id: item, round, html }) => ({ key: keyOf(item, round), html })));
  if (data.items.length && !buffer.length && !now && !outbox.waiting().length) {
    answered.clear(); // taken back somewhere else: what the server gives is to be done
    skipped.clear();
  }
  return data.items.length ? 200 : 204;
}

async function advance() {
  at = null;
  now = null;
  tell("");
  if (own) { location.reload(); return; }
  if (!buffer.length) {
    slot.setAttribute("aria-busy", "true");
    await outbox.flush();
    for (let tries = 0; tries < 2 && !buffer.length; tries += 1) {
      const status = await fill();
      if (status === 0 || status >= 500) { waitForConnection(); return; }
      if (status === 204) break;
    }
    slot.removeAttribute("aria-busy");
  }
  const next = buffer.shift();
  if (!next) { showEmpty(outbox.waiting().length ? "waiting" : history.length ? "done" : "empty"); return; }
  show(next.key, next.html);
  if (buffer.length < AHEAD - 1) fill();
}

function waitForConnection() {
  slot.removeAttribute("aria-busy");
  if (!slot.querySelector("[data-waiting]")) {
    showEmpty("waiting");
    slot.firstElementChild.dataset.waiting = "";
  }
  setTimeout(() => { if (slot.querySelector("[data-waiting]")) advance(); }, 3000);
}

// crypto.randomUUID is there only on https and loopback.
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  return [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]].map(([a, b]) => hex.slice(a, b)).join("-");
}

async function save(outcome) {
  const { verdict, item, round, key, article, waits } = now;
  if (outcome === "verdict" && verdict.missing().length) {
    verdict.wrong.textContent = verdict.several()
      ? `Give every score first: ${verdict.missing().map((row) => row.getAttribute("aria-label")).join(", ")}`
      : "Choose a verdict first, or say that you cannot decide.";
    return;
  }
  undoing = null;
  const answer = {
    id: uuid(), item_id: item, round, outcome,
    given: outcome === "verdict" ? verdict.given() : null,
    confidence: outcome === "skip" ? null : verdict.confidence(),
    note: verdict.note.value, seconds: clock.seconds(), replaces: now.replaces,
  };
  const question = article.querySelector(".question .raw")?.textContent.slice(0, 140) ?? "";
  latest.set(key, answer);
  if (outcome === "skip") skipped.set(key, Infinity);
  else answered.add(key);
  history = history.filter((one) => keyOf(one.item_id, one.round) !== key);
  history.push({ item_id: item, round, question, answer });
  const sent = outbox.add(answer, question);
  if (!waits) { advance(); return; }
  article.inert = true;
  const done = await sent;
  article.inert = false;
  if (!done && outbox.pending(item)) {
    tell("No connection: your answer is kept here. This page goes on when it is saved.", "wait");
    setTimeout(() => goOnWhenSaved(item, round), 1000);
    return;
  }
  if (!outbox.stuck("conflict").length) await feedback(item, round);
}

async function goOnWhenSaved(item, round) {
  await outbox.flush();
  if (outbox.pending(item)) setTimeout(() => goOnWhenSaved(item, round), 1000);
  else await feedback(item, round);
}

// Practice: what the item's author says of it, after the own answer.
async function feedback(item, round) {
  if (round !== "calibration") { advance(); return; }
  const { status, data } = await call(`/api/feedback/${encodeURIComponent(item)}`);
  if (status !== 200 || !data.gold) { advance(); return; }
  showEmpty("feedback");
  slot.querySelector("h1").textContent = data.right ? "The same as the known answer" : "The known answer is another one";
  slot.querySelector("[data-gold]").textContent = `Known answer: ${data.gold}. Yours: ${data.yours}.`;
  slot.querySelector("[data-reason]").replaceChildren(parse(data.reason));
  slot.querySelector("[data-do=next]").focus();
}

// ---- going back

async function look(item, round) {
  const key = keyOf(item, round);
  let html = here.get(key);
  if (!html) {
    const { status, data } = await call(`/api/items/${encodeURIComponent(item)}?round=${encodeURIComponent(round)}`);
    if (status !== 200) {
      tell(status === 0 ? "No connection: that item is not on this device." : data.error, "wait");
      return;
    }
    html = data.html;
  }
  tell("");
  putBack(key);
  show(key, html);
}

// An item that has no answer yet comes again after the one that is looked at instead.
function putBack(instead) {
  if (now && now.key !== instead && now.replaces === null) {
    buffer.unshift({ key: now.key, html: here.get(now.key) });
  }
}

function back() {
  const from = at ?? history.findIndex((one) => keyOf(one.item_id, one.round) === now?.key);
  const place = (from < 0 ? history.length : from) - 1;
  if (place < 0) { tell("There is nothing before this item."); return; }
  const one = history[place];
  look(one.item_id, one.round).then(() => { at = place; });
}

async function undo() {
  await outbox.flush();
  if (outbox.waiting().length) {
    tell("Taking back needs the connection. Go back with P and answer again instead.", "wait");
    return;
  }
  undoing ??= uuid();
  const { status, data } = await call("/api/undo", { id: undoing });
  if (status === 0) { tell("No connection: press U again; only one answer is taken back.", "wait"); return; }
  undoing = null;
  if (status !== 200) { tell(data.error, "wait"); return; }
  if (!data.item_id) { tell("There is nothing to take back."); return; }
  const key = keyOf(data.item_id, data.round);
  for (const set of [latest, answered, skipped, here]) set.delete(key);
  history = history.filter((one) => keyOf(one.item_id, one.round) !== key);
  putBack(key);
  if (data.progress) progress(data.progress);
  show(key, data.html);
  tell("Your last answer is taken back.");
}

function jump() {
  const list = dialogs.jump.querySelector("[data-list]");
  const find = dialogs.jump.querySelector("[data-find]");
  const draw = () => {
    const wanted = find.value.toLowerCase();
    const found = [...history].reverse()
      .filter((one) => `${one.question} ${inWords(one.answer)}`.toLowerCase().includes(wanted)).slice(0, 200);
    list.replaceChildren(...found.map((one) => {
      const line = document.createElement("li");
      const link = document.createElement("a");
      link.href = "#";
      link.append(...[["what", inWords(one.answer)], ["words", one.question]].map(([kind, words]) => {
        const part = document.createElement("span");
        part.className = kind;
        part.dir = "auto";
        part.textContent = words;
        return part;
      }));
      link.addEventListener("click", (event) => {
        event.preventDefault();
        dialogs.jump.close();
        look(one.item_id, one.round);
      });
      line.append(link);
      return line;
    }));
    if (!found.length) {
      const line = document.createElement("li");
      line.className = "soft";
      line.textContent = "Nothing was answered yet that fits.";
      list.append(line);
    }
  };
  find.oninput = draw;
  find.value = "";
  draw();
  dialogs.jump.showModal();
}

// ---- two answers to one item

function showConflict() {
  const held = outbox.stuck("conflict")[0];
  if (!held || dialogs.conflict.open) return;
  const dialog = dialogs.conflict;
  dialog.querySelector("[data-which]").textContent = held.about;
  dialog.querySelector("[data-theirs]").textContent = inWords(held.current);
  dialog.querySelector("[data-mine]").textContent = inWords(held.answer);
  dialog.oncancel = (event) => event.preventDefault();
  for (const one of dialog.querySelectorAll("[data-keep]")) {
    one.onclick = () => {
      outbox.drop(held.key);
      const key = keyOf(held.answer.item_id, held.answer.round);
      const chosen = one.dataset.keep === "theirs" ? held.current
        : { ...held.answer, id: uuid(), replaces: held.current.id };
      latest.set(key, { ...chosen, item_id: held.answer.item_id, round: held.answer.round });
      history.forEach((past) => { if (keyOf(past.item_id, past.round) === key) past.answer = chosen; });
      dialog.close();
      if (one.dataset.keep === "mine") outbox.add(chosen, held.about);
      if (own) location.reload();
      else if (now?.key === key) advance();
      showConflict();
    };
  }
  dialog.showModal();
}

// ---- keys and buttons

const DO = {
  save: () => now && save("verdict"), cannot_decide: () => now && save("cannot_decide"),
  bad_item: () => now && save("bad_item"), skip: () => now && round() !== "adjudicate" && save("skip"),
  back, undo, jump, raw: () => setRaw(!raw), help: () => dialogs.help.showModal(),
  more: () => {
    const bar = slot.querySelector(".bar");
    slot.querySelector("[data-do=more]").setAttribute("aria-expanded", bar.classList.toggle("open"));
  },
  next: advance, note: () => now?.verdict.note.focus(),
};
const round = () => now.round;
const KEYS = { enter: "save", q: "cannot_decide", x: "bad_item", s: "skip", p: "back", arrowleft: "back",
  u: "undo", g: "jump", r: "raw", "?": "help", n: "note" };
const AT_ONCE = "judgesmith/at-once";
const atOnce = dialogs.help.querySelector("[data-at-once]");
try { atOnce.checked = localStorage.getItem(AT_ONCE) === "yes"; } catch { /* stays off */ }
atOnce.addEventListener("change", () => {
  try { localStorage.setItem(AT_ONCE, atOnce.checked ? "yes" : "no"); } catch { /* for this page only */ }
});

function press(button) {
  if (button.dataset.sure) { now.verdict.sure(button); return; }
  now.verdict.choose(button);
  if (atOnce.checked && !now.verdict.missing().length) save("verdict");
}

// A key as on a Latin keyboard, whatever layout is on.
function keyName(event) {
  if (/^[\x20-\x7e]$/.test(event.key) || event.key.length > 1) return event.key.toLowerCase();
  return event.code.replace(/^Key|^Digit/, "").toLowerCase();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (typing) {
    if (event.key === "Escape") typing.blur();
    else if (event.key === "Enter" && now && typing.closest(".bar")) { event.preventDefault(); save("verdict"); }
    return;
  }
  if (event.repeat) return;
  const name = keyName(event);
  if (name === "enter" && event.target.closest("button, a, summary")) return; // it presses that one
  const button = now && now.verdict.button(name.length === 1 ? name.toUpperCase() : name);
  if (button && !now.article.inert) { event.preventDefault(); press(button); return; }
  if (KEYS[name] && !(now?.article.inert)) {
    if (name === "enter" && !now) { slot.querySelector("[data-do=next]")?.click(); return; }
    event.preventDefault();
    DO[KEYS[name]]();
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.do) DO[button.dataset.do]();
  else if (button.hasAttribute("data-close")) button.closest("dialog").close();
  else if (now && (button.dataset.value !== undefined || button.dataset.sure)) press(button);
  if (button.closest(".bar") && event.detail > 0) button.blur(); // so that Enter saves after a click
});

// ---- begin: what is shown answers keys from here on

desk.dataset.ready = "true";

if (matchMedia("(max-width: 780px)").matches) document.querySelector("[data-rubric]")?.removeAttribute("open");
if (slot.querySelector("article.item")) {
  const article = slot.querySelector("article.item");
  remember(keyOf(article.dataset.item, article.dataset.round), article.outerHTML);
  begin();
  if (!own) fill();
} else {
  showEmpty(desk.dataset.begun === "true" ? "done" : "empty");
}
if (outbox.stuck("conflict").length) showConflict();
outbox.stuck("refused").forEach((one) => tell(`An answer was not saved: ${one.why}`, "bad"));
for (const { answer } of outbox.waiting()) answered.add(keyOf(answer.item_id, answer.round));
outbox.flush().then(() => { if (now && answered.has(now.key)) advance(); });
call("/api/history").then(({ status, data }) => {
  if (status === 200) history = [...data.done, ...history];
});
