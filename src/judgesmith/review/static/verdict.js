// The part of an item's page that holds the answer: buttons, scores, confidence, note.
export class Verdict {
  constructor(article) {
    this.article = article;
    this.rows = [...article.querySelectorAll("[data-slot]")];
    this.note = article.querySelector("[name=note]");
    this.wrong = article.querySelector(".wrong");
    this.active = 0;
    this.mark();
    for (const [at, row] of this.rows.entries()) {
      row.addEventListener("focusin", () => { this.active = at; this.mark(); });
    }
  }

  several() { return this.rows.length > 1; }

  mark() {
    this.rows.forEach((row, at) => row.classList.toggle("active", this.several() && at === this.active));
  }

  choose(button) {
    const row = button.closest("[data-slot]");
    for (const one of row.querySelectorAll("[data-value]")) one.setAttribute("aria-pressed", one === button);
    for (const one of this.article.querySelectorAll(".response")) {
      one.classList.toggle("chosen", !this.several() && one.dataset.letter === button.dataset.value);
    }
    this.wrong.textContent = "";
    const empty = this.rows.findIndex((one) => this.valueOf(one) === null);
    this.active = empty < 0 ? this.rows.indexOf(row) : empty;
    this.mark();
  }

  sure(button) {
    const was = button.getAttribute("aria-pressed") === "true";
    for (const one of this.article.querySelectorAll("[data-sure]")) {
      one.setAttribute("aria-pressed", one === button && !was);
    }
  }

  valueOf(row) {
    const field = row.querySelector("input");
    if (field) return field.value === "" || !field.checkValidity() ? null : String(Number(field.value));
    return row.querySelector("[data-value][aria-pressed=true]")?.dataset.value ?? null;
  }

  given() { return Object.fromEntries(this.rows.map((row) => [row.dataset.slot, this.valueOf(row)])); }

  missing() { return this.rows.filter((row) => this.valueOf(row) === null); }

  confidence() {
    const found = this.article.querySelector("[data-sure][aria-pressed=true]");
    return found ? Number(found.dataset.sure) : null;
  }

  // The button of a key: in the active row first, then anywhere.
  button(key) {
    const chosen = this.rows[this.active]?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    return chosen ?? (this.several() ? null : this.aliased(key)) ?? this.article.querySelector(`[data-sure][data-key="${CSS.escape(key)}"]`);
  }

  // 1, 2, ... name the buttons of a single row in their order.
  aliased(key) {
    const at = /^[1-9]$/.test(key) ? Number(key) - 1 : -1;
    return this.rows[0]?.querySelectorAll("[data-value]")[at] ?? null;
  }

  fill(answer) {
    for (const row of this.rows) {
      const value = answer.given?.[row.dataset.slot];
      if (value === undefined || value === null) continue;
      const field = row.querySelector("input");
      if (field) field.value = value;
      else row.querySelectorAll("[data-value]").forEach((one) => { if (one.dataset.value === value) this.choose(one); });
    }
    for (const one of this.article.querySelectorAll("[data-sure]")) {
      one.setAttribute("aria-pressed", answer.confidence !== null && Number(one.dataset.sure) === answer.confidence);
    }
    for (const one of this.article.querySelectorAll(".others [data-do]")) {
      one.setAttribute("aria-pressed", one.dataset.do === answer.outcome);
    }
    this.note.value = answer.note ?? "";
  }
}

const WORDS = { cannot_decide: "Cannot decide", bad_item: "Bad item", skip: "Skipped" };
const SURE = [[0.6, "unsure"], [0.85, "fairly sure"], [1.1, "sure"]];

export function inWords(answer) {
  const given = Object.entries(answer.given ?? {});
  const verdict = WORDS[answer.outcome]
    ?? given.map(([slot, value]) => (given.length > 1 ? `${slot}: ${value}` : value)).join(", ");
  const sure = answer.confidence === null || answer.confidence === undefined ? ""
    : `, ${SURE.find(([most]) => answer.confidence < most)[1]}`;
  return `${verdict}${sure}${answer.note ? `. Note: ${answer.note}` : ""}`;
}
