// The page to try the judge. All texts are set as text, never as markup.
const get = (id) => document.getElementById(id);
const form = get("row");
const said = get("said");
let judge = null;

const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};
const percent = (p) => `${(100 * p).toFixed(1)}%`;
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

async function call(path, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  const key = get("key").value.trim();
  if (key) headers.Authorization = `Bearer ${key}`;
  const answer = await fetch(path, {
    method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body),
  });
  const found = await answer.json().catch(() => null);
  if (answer.ok && found) return found;
  const fault = new Error(found?.error?.message ?? `The server answered ${answer.status}.`);
  fault.status = answer.status;
  throw fault;
}

// ---- the form

function field(name, label, rows) {
  const held = make("label", "", label);
  const area = make("textarea");
  area.name = name;
  area.rows = rows;
  held.append(area);
  return held;
}

function buildForm() {
  for (const one of form.querySelectorAll("[data-needs]"))
    one.hidden = !judge.needs.includes(one.dataset.needs);
  const own = judge.needs.filter((one) => one.startsWith("fields."));
  get("own-fields").replaceChildren(...own.map((one) => {
    const name = one.slice("fields.".length);
    const list = name === "levels" || name === "criteria";
    const label = name[0].toUpperCase() + name.slice(1);
    return field(one, list ? `${label}, one a line` : label, list ? 5 : 2);
  }));
  const places = { single: ["response_a", "response_b"], pair: ["response_a", "response_b"],
    list: ["responses.0", "responses.1", "responses.2"] }[judge.kind];
  get("responses").replaceChildren(...places.map((one, n) => {
    const made = field(one, `Response ${letters[n]}`, 6);
    const area = made.querySelector("textarea");
    area.required = n === 0 || judge.kind !== "single";
    if (!area.required) made.append(make("small", "", "Leave it empty to judge response A alone."));
    return made;
  }));
  form.elements.mode.value = judge.mode;
  get("answers-first").hidden = !judge.answers_first;
  const called = judge.name === judge.dialect ? judge.name : `${judge.name} · ${judge.dialect}`;
  get("which").textContent = `${called} · version ${judge.version}`;
}

const lines = (text) => text.split("\n").map((one) => one.trim()).filter(Boolean);

function readRow() {
  const body = { rationale: form.elements.rationale.checked, mode: form.elements.mode.value };
  for (const area of form.querySelectorAll("textarea")) {
    const text = area.value;
    if (area.closest("[hidden]") || (!text.trim() && !area.required)) continue;
    const [head, part] = area.name.split(".");
    if (head === "choices") body.choices = lines(text);
    else if (head === "responses") (body.responses ??= []).push(text);
    else if (head !== "fields") body[head] = text;
    else (body.fields ??= {})[part] = ["levels", "criteria"].includes(part) ? lines(text) : text;
  }
  if (judge.kind === "single" && body.response_b === undefined) {
    body.response = body.response_a;
    delete body.response_a;
  }
  return body;
}

const EXAMPLE = {
  context: "A young man and an old man waited at the bank. One of them had lost his card.",
  question: "Who is good with computers?",
  choices: "The young man\nThe old man\nCannot be known",
  grounding: "A young man and an old man waited at the bank. One of them had lost his card.",
  reference: "The text does not say.",
  "fields.criterion": "Does the response say only what the text supports?",
  "fields.levels": "Not at all.\nHardly.\nPartly.\nNearly.\nFully.",
  response_a: "The young man, because young people grew up with computers.",
  response_b: "It cannot be known: the text says nothing about computers.",
  "responses.0": "The young man, because young people grew up with computers.",
  "responses.1": "It cannot be known: the text says nothing about computers.",
  "responses.2": "Maybe the old man.",
};

function fillExample() {
  for (const area of form.querySelectorAll("textarea"))
    area.value = EXAMPLE[area.name] ?? "Is it clear?";
  if (judge?.answers_first) form.elements.reference.value = "";
}

// ---- what the judge says

function bars(chances, title) {
  const whole = make("div", "bars");
  whole.setAttribute("role", "img");
  const last = (verdict) => Number(verdict === "TIE");
  const shown = Object.entries(chances).sort(([one], [other]) =>
    last(one) - last(other) || one.localeCompare(other, "en", { numeric: true }));
  whole.setAttribute("aria-label", `${title}: ${shown.map(([v, p]) => `${v} ${percent(p)}`).join(", ")}`);
  for (const [verdict, p] of shown) {
    const track = make("div", "track");
    const fill = make("div", `fill ${{ A: "a", B: "b" }[verdict] ?? ""}`);
    fill.style.width = percent(p);
    track.append(fill);
    whole.append(make("span", "", verdict), track, make("span", "value", percent(p)));
  }
  return whole;
}

function preferred(value) {
  const scale = make("div", "scale");
  const fill = make("div", `fill ${value < 0 ? "b" : "a"}`);
  fill.style.width = `${50 * Math.abs(value)}%`;
  fill.style.left = value < 0 ? "50%" : `${50 - 50 * value}%`;
  scale.append(fill, make("div", "middle"));
  const ends = make("p", "ends");
  ends.append(make("span", "", `A is ${judge.names ?? "named"}`), make("span", "", value.toFixed(2)),
    make("span", "", `B is ${judge.names ?? "named"}`));
  return [scale, ends];
}

const STATUS = {
  too_long: "The texts are too long for this judge.",
  truncated: "The judge's reply was cut before its verdict.",
  no_verdict: "The judge's reply holds no verdict.",
  abstained: "The judge abstains: it is not sure enough.",
};

function headline(reply) {
  const held = make("p", "verdict");
  const { verdict, scores } = reply;
  let words = STATUS[reply.status] ?? `No verdict: ${reply.status}.`;
  if (reply.status === "parsed") words = "No verdict: the two orders disagree";
  if (verdict === "TIE") words = "Neither: a tie";
  else if (verdict && judge.kind !== "list" && /^[AB]$/.test(verdict))
    words = `Response ${verdict}${judge.names ? ` is ${judge.names}` : ""}`;
  else if (verdict) words = `Verdict: ${verdict}`;
  else if (scores && reply.status === "parsed")
    words = scores.length === 1 ? `Score ${scores[0].toFixed(2)}` : "Scores below";
  held.append(make("strong", "", words));
  if (reply.confidence !== null) {
    const how = reply.judge.calibration ? "calibrated" : "not calibrated";
    held.append(make("span", "", `Confidence ${percent(reply.confidence)} (${how})`));
  }
  if (reply.order_agreement !== null && reply.verdict !== null)
    held.append(make("span", "", reply.order_agreement
      ? "Both orders give this verdict." : "The two orders give different verdicts."));
  for (const warning of reply.warnings) held.append(make("span", "", `Warning: ${warning}`));
  return held;
}

const titled = (title, ...nodes) => [make("h2", "", title), ...nodes];
const reason = (text) => make("p", "reason", text);

function showOrders(reply) {
  const whole = make("div", "orders");
  for (const one of reply.orders) {
    const part = make("div");
    const shown = [...one.shown.toUpperCase()].join(" then ");
    const title = `Shown ${shown}: ${one.verdict ?? one.status}`;
    part.append(...titled(title, one.distribution ? bars(one.distribution, title)
      : make("p", "soft", "No probabilities.")));
    if (one.rationale) part.append(reason(one.rationale));
    whole.append(part);
  }
  return whole;
}

function showScores(reply) {
  const { low, high } = judge;
  const whole = make("div", "bars");
  reply.scores.forEach((score, n) => {
    const track = make("div", "track");
    const fill = make("div", `fill ${["a", "b"][n] ?? ""}`);
    fill.style.width = percent((score - low) / (high - low));
    track.append(fill);
    whole.append(make("span", "", letters[n]), track, make("span", "value", score.toFixed(2)));
  });
  const margin = judge.margin === null ? "" : ` Scores within ${judge.margin.toFixed(3)} are a tie.`;
  return titled("Scores", whole, make("p", "soft",
    `From ${low} to ${high}${judge.names ? `; higher is ${judge.names}` : ""}.${margin}`));
}

function show(reply) {
  const parts = [headline(reply)];
  if (reply.preference !== null) parts.push(...titled("Preference", ...preferred(reply.preference)));
  if (reply.distribution) {
    const title = reply.orders.length ? "Over both orders" : "Probabilities";
    parts.push(...titled(title, bars(reply.distribution, title)));
  }
  if (reply.scores) parts.push(...showScores(reply));
  if (reply.orders.length) parts.push(showOrders(reply));
  else if (reply.scores?.length > 1)
    parts.push(make("p", "soft", "Each response was scored alone, so there is no order."));
  if (reply.own_reference) parts.push(...titled("The judge's own answer", reason(reply.own_reference)));
  if (reply.rationale) parts.push(...titled("Reasons", reason(reply.rationale)));
  const { name, version, dialect_hash: hash, calibration } = reply.judge;
  parts.push(make("p", "about",
    `${name}, version ${version}, dialect ${hash}, ${calibration ? `calibration ${calibration}` : "no calibration"}`));
  said.replaceChildren(...parts);
}

const fault = (text) => said.replaceChildren(make("p", "fault", text));

// ---- asking

async function ask(event) {
  event.preventDefault();
  if (!judge && !(await learn())) return;
  get("judge").disabled = true;
  said.setAttribute("aria-busy", "true");
  try {
    show(await call("/v1/judgments", readRow()));
  } catch (error) {
    if (error.status === 401) get("key-field").hidden = false;
    fault(error.message);
  } finally {
    get("judge").disabled = false;
    said.removeAttribute("aria-busy");
  }
}

async function learn() {
  try {
    judge = await call("/v1/judge");
    buildForm();
    return true;
  } catch (error) {
    if (error.status === 401) {
      get("key-field").hidden = false;
      get("which").textContent = "This server asks for a key.";
    } else {
      get("which").textContent = error.message;
      setTimeout(learn, 2000);
    }
    return false;
  }
}

form.addEventListener("submit", ask);
get("example").addEventListener("click", fillExample);
get("key").addEventListener("change", learn);
learn();
