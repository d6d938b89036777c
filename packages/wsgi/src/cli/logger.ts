/** Logger: what the server has to say, in gunicorn's form. */

type Level = 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

const two = (number: number) => String(number).padStart(2, '0');

/** `2026-11-21 07:50:53 +0000`, in local time. */
export function logTime(date: Date): string {
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  const east = -date.getTimezoneOffset();
  const zone = `${two(Math.floor(Math.abs(east) / 60))}${two(Math.abs(east) % 60)}`;
  return `${day} ${time} ${east < 0 ? '-' : '+'}${zone}`;
}

/** Lines such as `[2026-11-21 07:50:53 +0000] [4711] [INFO] Listening at: http://127.0.0.1:8000`. */
export class Logger {
  readonly #log: { write(text: string): unknown };

  constructor(log: { write(text: string): unknown }) {
    this.#log = log;
  }

  #line(level: Level, text: string): void {
    this.#log.write(`[${logTime(new Date())}] [${process.pid}] [${level}] ${text}\n`);
  }

  info(text: string): void {
    this.#line('INFO', text);
  }
  warning(text: string): void {
    this.#line('WARNING', text);
  }
  error(text: string): void {
    this.#line('ERROR', text);
  }
  critical(text: string): void {
    this.#line('CRITICAL', text);
  }
}
