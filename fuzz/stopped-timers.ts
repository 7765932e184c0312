/**
 * Timers that run out when they are told to: a fuzzer has no time to wait. Node's own parts keep theirs.
 */

interface StoppedTimer {
  readonly callback: () => void;
  refresh(): void;
}

const GLOBALS = ['setTimeout', 'clearTimeout'] as const;

export class StoppedTimers {
  readonly #waiting = new Set<StoppedTimer>();
  readonly #before = GLOBALS.map((name) => [name, globalThis[name]] as const);

  /** Takes the place of the global timers, until {@link giveBack}. */
  constructor() {
    Reflect.set(globalThis, 'setTimeout', (callback: () => void): StoppedTimer => {
      const timer = { callback, refresh: () => void this.#waiting.add(timer) };
      this.#waiting.add(timer);
      return timer;
    });
    Reflect.set(globalThis, 'clearTimeout', (timer: StoppedTimer) => this.#waiting.delete(timer));
  }

  /** So much time passes that every timer runs out. */
  pass(): void {
    const due = [...this.#waiting];
    this.#waiting.clear();
    for (const { callback } of due) callback();
  }

  giveBack(): void {
    for (const [name, before] of this.#before) Reflect.set(globalThis, name, before);
  }
}
