// Seconds that a person looked at an item: while the page is in front, without long pauses.
const PAUSE = 120000;

export class Clock {
  constructor() {
    this.start();
    for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "touchmove", "visibilitychange"]) {
      document.addEventListener(kind, () => this.tick(), { passive: true });
    }
  }

  start(seconds = 0) {
    this.seen = seconds * 1000;
    this.last = performance.now();
    this.inFront = !document.hidden;
  }

  tick() {
    const now = performance.now();
    if (this.inFront) this.seen += Math.min(now - this.last, PAUSE);
    this.last = now;
    this.inFront = !document.hidden;
  }

  seconds() {
    this.tick();
    return Math.round(this.seen / 100) / 10;
  }
}
