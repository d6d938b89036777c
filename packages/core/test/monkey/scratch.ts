/** A directory of files that a row may do with what it likes. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What a row is given. */
export interface Io {
  /** The directory: the same path each time, with the same files. */
  readonly dir: string;
  /** A path in it. */
  path(...names: string[]): string;
  /** A descriptor of a file in it, which is closed when the row is over. */
  open(name: string, flags?: string): number;
  /** Has a descriptor closed when the row is over. Returns it. */
  closing(fd: number): number;
  /** What is in a file of the directory, whatever is patched. */
  contents(name: string): string;
}

// As Node has them, whatever is patched later.
const {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} = fs;

const files: Record<string, string | Buffer> = {
  'file.txt': 'hello, wörld\n',
  'empty.txt': '',
  'bytes.bin': Buffer.from(Array.from({ length: 256 }, (_, at) => at)),
  'dir/a.txt': 'a',
  'dir/b.txt': 'bb',
  'dir/sub/c.txt': 'ccc',
};
const links = { link: 'file.txt', dirlink: 'dir', dangling: 'nowhere', loop: 'loop' };
const directories = ['dir', 'dir/sub', 'void'];
/** Seconds: the times of all files. */
const time = 1_600_000_000;

export class ScratchDirectory implements Io {
  readonly dir: string;
  #fds = new Set<number>();

  constructor() {
    this.dir = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'tendril-table-')));
  }

  /** Makes everything anew. */
  prepare(): void {
    for (const name of readdirSync(this.dir))
      rmSync(this.path(name), { recursive: true, force: true });
    for (const name of directories) mkdirSync(this.path(name));
    for (const [name, contents] of Object.entries(files)) {
      writeFileSync(this.path(name), contents);
      chmodSync(this.path(name), 0o644);
      utimesSync(this.path(name), time, time);
    }
    for (const [name, target] of Object.entries(links)) symlinkSync(target, this.path(name));
    for (const name of [...directories].reverse()) {
      chmodSync(this.path(name), 0o755);
      utimesSync(this.path(name), time, time);
    }
  }

  path(...names: string[]): string {
    return path.join(this.dir, ...names);
  }

  open(name: string, flags = 'r'): number {
    return this.closing(openSync(this.path(name), flags));
  }

  closing(fd: number): number {
    this.#fds.add(fd);
    return fd;
  }

  contents(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  closeFiles(): void {
    for (const fd of this.#fds) {
      try {
        closeSync(fd);
      } catch {
        // the row has closed it
      }
    }
    this.#fds.clear();
  }

  /** Paths in the directory that this process has open. */
  openFiles(): string[] {
    const open: string[] = [];
    for (const fd of readdirSync('/proc/self/fd')) {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        if (target.startsWith(this.dir)) open.push(target);
      } catch {
        // the listing's own
      }
    }
    return open;
  }

  /** Everything in the directory: kind, mode, contents or target. */
  list(): Record<string, string> {
    const found: Record<string, string> = {};
    const visit = (directory: string) => {
      for (const name of readdirSync(directory).sort()) {
        const full = path.join(directory, name);
        const stats = lstatSync(full);
        const mode = (stats.mode & 0o7777).toString(8);
        let what = 'other';
        if (stats.isSymbolicLink()) what = `-> ${readlinkSync(full)}`;
        else if (stats.isDirectory()) what = 'directory';
        else if (stats.isFile()) what = `file ${readFileSync(full).toString('latin1')}`;
        found[path.relative(this.dir, full)] = `${mode} ${what}`;
        if (stats.isDirectory()) visit(full);
      }
    };
    visit(this.dir);
    return found;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
