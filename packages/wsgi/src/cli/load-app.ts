/** Finds and imports the application. */
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type FetchHandler, fetchApp } from '../gateway/fetch-app.js';
import type { Application } from '../gateway/types.js';
import { AppLoadError } from './errors.js';

const endings = ['', '.js', '.mjs', '.cjs', '/index.js', '/index.mjs', '/index.cjs'];

/** `module:app`, taken apart. The name may have dots: `app:site.handler`. */
export function splitApp(app: string): { module: string; name: string | undefined } {
  const match = /^(.+):([\p{ID_Start}$_][\p{ID_Continue}$.]*)$/u.exec(app);
  if (match) return { module: match[1] as string, name: match[2] };
  return { module: app.replace(/:$/, ''), name: undefined };
}

/** The file of a module: a path, or the name of a package. @throws AppLoadError */
export function findModule(module: string, directory: string): string {
  const base = path.resolve(directory, module);
  for (const ending of endings) {
    const file = base + ending;
    if (existsSync(file) && statSync(file).isFile()) return file;
  }
  try {
    return createRequire(path.join(directory, 'tendril-wsgi.js')).resolve(module);
  } catch {
    throw new AppLoadError(
      `There is no module ${JSON.stringify(module)}: neither a file in ${directory} nor an installed package.`,
    );
  }
}

/** The file of `module:app` for messages: it may have gone. */
export function fileOf(app: string): string {
  const { module } = splitApp(app);
  try {
    return findModule(module, process.cwd());
  } catch {
    return module;
  }
}

type Exports = Record<string, unknown>;

const hasFetch = (value: unknown): value is { fetch: FetchHandler } =>
  typeof (value as { fetch?: unknown } | null | undefined)?.fetch === 'function';

function member(value: unknown, name: string): unknown {
  return name.split('.').reduce<unknown>((at, key) => (at as Exports | undefined)?.[key], value);
}

// import() gives the exports of a CommonJS module as `default`, and a transpiled one has its own
// `default` within that.
function candidates(exports: Exports, name: string | undefined): unknown[] {
  const inner = exports.default;
  if (name !== undefined) return [member(exports, name), member(inner, name)];
  const isTranspiled = (inner as Exports | undefined)?.__esModule === true;
  return [
    ...(isTranspiled ? [] : [inner]),
    exports.app,
    member(inner, 'default'),
    member(inner, 'app'),
  ];
}

function wrong(module: string, name: string | undefined, exports: Exports, fetch: boolean): string {
  const found = candidates(exports, name).find((value) => value !== undefined);
  const wanted = fetch
    ? 'a fetch handler, that is a function or an object with a method `fetch`'
    : 'a WSGI application, that is a function (environ, startResponse)';
  const what = name === undefined ? 'default export nor export `app`' : `export \`${name}\``;
  if (found === undefined) {
    const has = Object.keys(exports).join(', ') || 'nothing';
    const no = name === undefined ? 'neither' : 'no';
    return `Module ${JSON.stringify(module)} has ${no} ${what}; it exports ${has}.`;
  }
  const hint = !fetch && hasFetch(found) ? ' It has a method `fetch`: add --fetch.' : '';
  const shown = name === undefined ? 'The application' : `Export \`${name}\``;
  return `${shown} of module ${JSON.stringify(module)} must be ${wanted}; got ${typeof found}.${hint}`;
}

// A module whose top level waits for what never comes is imported for ever.
async function imported(file: string, module: string, limit: number): Promise<Exports> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `Module ${JSON.stringify(module)} has not loaded within ${limit / 1000} s, the limit of --load-timeout: its top level, or that of a module it imports, is still waiting.`;
    if (limit > 0) timer = setTimeout(() => reject(new AppLoadError(message)), limit);
  });
  try {
    return await Promise.race([import(pathToFileURL(file).href) as Promise<Exports>, late]);
  } catch (error) {
    if (error instanceof AppLoadError) throw error;
    throw new AppLoadError(`Module ${JSON.stringify(module)} failed to load.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Imports `app`, as `module:app`, from a directory. `limit`: milliseconds that it may take; 0 or
 * none for no limit.
 * @throws AppLoadError
 */
export async function loadApp(
  app: string,
  options: { fetch: boolean; directory?: string; limit?: number },
): Promise<Application> {
  const { module, name } = splitApp(app);
  const file = findModule(module, options.directory ?? process.cwd());
  const exports = await imported(file, module, options.limit ?? 0);
  for (const value of candidates(exports, name)) {
    if (options.fetch && hasFetch(value)) return fetchApp((request) => value.fetch(request));
    if (typeof value === 'function')
      return options.fetch ? fetchApp(value as FetchHandler) : (value as Application);
  }
  throw new AppLoadError(wrong(module, name, exports, options.fetch));
}
