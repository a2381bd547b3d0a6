"use strict";
(() => {
  const app = document.getElementById("browser-app");
  const data = JSON.parse(document.getElementById("browser-data").textContent);
  const PAGE = 20;
  const MOST_VALUES = 200;
  const state = { page: 0, found: [] };

  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  const labelled = (text, control, wide) => {
    const node = make("label", wide ? "wide" : "", text);
    node.append(control);
    return node;
  };

  const choice = (id, options) => {
    const node = make("select");
    node.id = id;
    node.append(...options.map(([value, text]) => new Option(text, value)));
    return node;
  };

  const tally = (name) => {
    const counts = new Map();
    for (const row of data.rows) {
      const value = Object.hasOwn(row.fields, name) ? row.fields[name] : null;
      if (value !== null) counts.set(value, (counts.get(value) || 0) + 1);
    }
    return [...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  };

  const fieldNames = [...new Set(data.rows.flatMap((row) => Object.keys(row.fields)))];
  const fields = [];
  for (const name of fieldNames) {
    const values = tally(name);
    if (values.length > MOST_VALUES) continue;
    const options = values.map(([value, n], i) => [String(i), `${value} (${n})`]);
    const select = choice(`browser-field-${fields.length}`, [["", "all"], ...options]);
    fields.push({ name, select, values: values.map(([value]) => value) });
  }

  const judge = choice("browser-judge", [
    ["", "any judge"],
    ...data.judges.map((name, i) => [String(i), name]),
  ]);
  const kind = choice("browser-kind", [
    ["all", "all"],
    ["wrong", "judge wrong"],
    ["disagree", "judges disagree"],
    ["unparsed", "unparsed"],
  ]);
  const search = make("input");
  search.type = "search";
  search.id = "browser-search";
  search.placeholder = "words in questions, responses, rationales";

  const haystack = (row) => {
    if (row.low === undefined) {
      const texts = [row.id, row.where, row.question[0], row.label];
      texts.push(...row.responses.flat(), ...row.rationales.flat());
      texts.push(...Object.values(row.fields));
      row.low = texts.join("\n").toLowerCase();
    }
    return row.low;
  };

  const disagree = (row, one) => {
    const said = (how) => ["right", "wrong", "given"].includes(how);
    const given = row.verdicts.filter(([, how]) => said(how));
    const [verdict, how] = one === null ? given[0] || ["", "absent"] : row.verdicts[one];
    return said(how) && given.some(([other]) => other !== verdict);
  };

  const matches = (row, wanted) => {
    for (const { name, value } of wanted.fields) {
      if (!Object.hasOwn(row.fields, name) || row.fields[name] !== value) return false;
    }
    const one = wanted.judge;
    const states = (one === null ? row.verdicts : [row.verdicts[one]]).map(([, how]) => how);
    if (one !== null && states[0] === "absent") return false;
    if (wanted.kind === "disagree" && !disagree(row, one)) return false;
    if (["wrong", "unparsed"].includes(wanted.kind) && !states.includes(wanted.kind)) return false;
    return wanted.words.every((word) => haystack(row).includes(word));
  };

  const noted = (name, note) => make("p", "named", note ? `${name} (${note})` : name);

  const rationales = (row) => {
    const node = make("details");
    node.append(make("summary", "", `Rationales (${row.rationales.length})`));
    for (const [name, text, note] of row.rationales) {
      node.append(noted(name, note), make("p", "text", text));
    }
    return node;
  };

  const verdicts = (row) => {
    const list = make("ul");
    row.verdicts.forEach(([verdict, how], i) => {
      if (how === "absent") return;
      const shown = { unparsed: "unparsed", given: verdict }[how] || `${verdict}, ${how}`;
      list.append(make("li", how, `${data.judges[i]}: ${shown}`));
    });
    return list;
  };

  const drawn = (row) => {
    const node = make("article");
    const told = Object.entries(row.fields).map(([name, value]) => `${name}: ${value}`);
    const [question, note] = row.question;
    node.append(make("h4", "", question || "Question not given"));
    if (note) node.append(make("p", "meta", note));
    node.append(make("p", "meta", [...told, row.id, row.where].filter(Boolean).join(" · ")));
    const responses = make("div", "responses");
    for (const [name, text, cut] of row.responses) {
      const part = make("div");
      part.append(noted(name, cut), make("p", "text", text));
      responses.append(part);
    }
    const gold = make("p", "gold", "Label: ");
    gold.append(make("strong", "", row.label || "none"));
    node.append(responses, gold, verdicts(row));
    if (row.rationales.length) node.append(rationales(row));
    return node;
  };

  const count = make("p", "count");
  count.setAttribute("role", "status");
  const list = Object.assign(make("div", "rows"), { tabIndex: -1 });

  const bars = ["top", "foot"].map((place) => {
    const bar = make("div", "bar");
    const back = make("button", "back", "Previous");
    const next = make("button", "next", "Next");
    back.type = next.type = "button";
    back.addEventListener("click", () => turn(-1, place));
    next.addEventListener("click", () => turn(1, place));
    bar.append(...(place === "top" ? [count] : []), back, next);
    return { bar, back, next };
  });

  const show = () => {
    const start = state.page * PAGE;
    const rows = state.found.slice(start, start + PAGE);
    const all = state.found.length.toLocaleString("en");
    const noun = state.found.length === 1 ? "item" : "items";
    count.textContent = rows.length
      ? `${all} ${noun}, ${start + 1} to ${start + rows.length} shown`
      : "No item fits. Choose fewer filters or other words.";
    list.replaceChildren(...rows.map(drawn));
    for (const { bar, back, next } of bars) {
      back.disabled = state.page === 0;
      next.disabled = start + PAGE >= state.found.length;
      if (bar !== bars[0].bar) bar.hidden = state.found.length <= PAGE;
    }
  };

  const turn = (by, place) => {
    state.page += by;
    show();
    if (place === "foot") {
      list.focus({ preventScroll: true });
      app.scrollIntoView();
    }
  };

  const filter = () => {
    const wanted = {
      fields: fields
        .filter(({ select }) => select.value !== "")
        .map(({ name, select, values }) => ({ name, value: values[Number(select.value)] })),
      judge: judge.value === "" ? null : Number(judge.value),
      kind: kind.value,
      words: search.value.toLowerCase().split(/\s+/).filter(Boolean),
    };
    state.found = data.rows.filter((row) => matches(row, wanted));
    state.page = 0;
    show();
  };

  const form = make("form");
  form.setAttribute("role", "search");
  form.append(
    labelled("Search", search, true),
    labelled("Show", kind),
    labelled("Judge", judge),
    ...fields.map(({ name, select }) => labelled(name, select)),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  app.replaceChildren(form, bars[0].bar, list, bars[1].bar);
  filter();
})();
