/** For what is still to come: a package of which types cannot speak yet. */

/** @throws Error if the module lacks one of these exports */
export function need<T extends object>(
  name: string,
  module: object,
  ...exports: (keyof T & string)[]
): T {
  for (const one of exports) if (!(one in module)) throw new Error(`${name} has no export ${one}`);
  return module as T;
}
