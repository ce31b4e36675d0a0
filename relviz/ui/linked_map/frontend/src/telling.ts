// Telling Python what is selected, no oftener than it can follow.

const PAUSE = 200; // milliseconds between two selections on their way

export interface Selection {
  bits: string;
  turn: number;
  ids: string;
}

export class Teller {
  private timer = 0;
  private last = ""; // what was told last, and when
  private told = -Infinity;

  constructor(
    private readonly read: () => Promise<Selection | null>,
    private readonly tell: (value: Selection) => void,
  ) {}

  /** The first selection after a pause is told before this is done, those of a quick series once it has ended. */
  async take(): Promise<void> {
    this.stop();
    const wait = this.told + PAUSE - performance.now();
    if (wait > 0) this.timer = window.setTimeout(() => void this.send(), wait);
    else await this.send();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Tells the selection if it is another one than Python knows of. */
  private async send(): Promise<void> {
    const value = await this.read();
    const text = JSON.stringify(value);
    if (!value || text === this.last) return;
    this.last = text;
    this.told = performance.now();
    this.tell(value);
  }
}
