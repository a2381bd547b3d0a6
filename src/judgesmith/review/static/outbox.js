// Answers on their way. Each lies in localStorage under a key of its own, so that tabs do not
// overwrite each other's, and is sent in order until the server has it. Sending twice is harmless:
// the server knows an answer by its id.
import { call } from "./calls.js";

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15000;

export class Outbox {
  constructor(store, told) {
    this.prefix = `judgesmith/${store}/`;
    this.told = told;
    this.wait = FIRST_WAIT;
    this.sending = null;
    this.memory = new Map(); // where the browser keeps nothing
    this.lasting = true;
    this.counter = 0;
    addEventListener("online", () => this.flush());
    addEventListener("storage", (event) => {
      if (event.key?.startsWith(this.prefix)) this.told.elsewhere(event);
    });
  }

  keep(key, held) {
    this.memory.set(key, held);
    try {
      localStorage.setItem(key, JSON.stringify(held));
    } catch {
      this.lasting = false;
    }
  }

  drop(key) {
    this.memory.delete(key);
    try { localStorage.removeItem(key); } catch { /* it was never there */ }
  }

  all() {
    const found = new Map(this.memory);
    try {
      for (let at = 0; at < localStorage.length; at += 1) {
        const key = localStorage.key(at);
        if (key.startsWith(this.prefix)) found.set(key, JSON.parse(localStorage.getItem(key)));
      }
      for (const key of this.memory.keys()) {
        if (this.lasting && localStorage.getItem(key) === null) { found.delete(key); this.memory.delete(key); }
      }
    } catch { /* the browser keeps nothing */ }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, held]) => ({ key, ...held }));
  }

  waiting() { return this.all().filter((one) => !one.stuck); }

  stuck(why) { return this.all().filter((one) => one.stuck === why); }

  pending(item) { return this.waiting().some((one) => one.answer.item_id === item); }

  add(answer, about) {
    this.counter += 1;
    const at = String(Date.now()).padStart(15, "0");
    const key = `${this.prefix}${at}-${String(this.counter).padStart(6, "0")}-${answer.id}`;
    this.keep(key, { answer, about });
    return this.flush();
  }

  // One sender at a time; resolves when nothing waits or the connection is gone.
  flush() {
    clearTimeout(this.timer);
    this.sending ??= this.sendAll().finally(() => { this.sending = null; });
    return this.sending;
  }

  async sendAll() {
    const begun = performance.now();
    for (let next = this.waiting()[0]; next; next = this.waiting()[0]) {
      this.told.state("sending", this.waiting().length, performance.now() - begun);
      const { status, data } = await call("/api/answers", next.answer);
      if (status === 200) {
        this.wait = FIRST_WAIT;
        this.drop(next.key);
        this.told.saved(next.answer, data);
      } else if (status === 409) {
        this.keep(next.key, { answer: next.answer, about: next.about, stuck: "conflict", current: data.current });
        this.told.conflict();
      } else if (status === 401 || status === 403) {
        this.told.state("refused", this.waiting().length, 0);
        return false;
      } else if (status >= 400 && status < 500) {
        this.keep(next.key, { answer: next.answer, about: next.about, stuck: "refused", why: data.error });
        this.told.refused(next.answer, data.error);
      } else {
        this.told.state("waiting", this.waiting().length, 0, status === 0 ? "" : data.error ?? "");
        this.timer = setTimeout(() => this.flush(), this.wait);
        this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
        return false;
      }
    }
    this.told.state("saved", 0, 0);
    return true;
  }
}
