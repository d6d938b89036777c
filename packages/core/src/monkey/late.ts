/** Says when patching comes too late for modules that are loaded already. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const { readFileSync } = fs; // as it is before it is patched
const require = createRequire(import.meta.url);
const own = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const shown = 3;
let said = false;

/** Takes a blocking function of Node out of its module, for good. */
const takes =
  /\{[^}]*\b\w+Sync\b[^}]*\}\s*=\s*require\(\s*['"](node:)?(fs|child_process|crypto|zlib)['"]/;

/**
 * Warns once, with the code TENDRIL_PATCHED_LATE, when a CommonJS module that is loaded has taken
 * blocking functions out of Node's modules: they stay as they are. ES modules always see what is
 * patched.
 */
export function warnWhenLate(): void {
  if (said) return;
  const late = Object.values(require.cache).filter(
    (module) => module?.loaded && !module.filename.startsWith(own) && takesFunctions(module),
  );
  if (late.length === 0) return;
  said = true;
  const names = late.slice(0, shown).map((module) => module?.filename);
  const more = late.length > shown ? ` and ${late.length - shown} more` : '';
  process.emitWarning(
    `patchAll() comes too late for what these modules took out of Node's before: ${names.join(', ')}` +
      `${more}. Call it first of all, or start with \`node --import @tendril/core/monkey/register\`.`,
    { code: 'TENDRIL_PATCHED_LATE' },
  );
}

function takesFunctions(module: NodeJS.Module | undefined): boolean {
  try {
    return takes.test(readFileSync(module?.filename as string, 'utf8'));
  } catch {
    return false; // loaded from somewhere else than a file
  }
}
