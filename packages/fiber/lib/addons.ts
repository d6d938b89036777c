/** Tells the engine of native addons: see addon_frames.h. */

interface Addons {
  updateAddons(): number;
  sharesAddon(): boolean;
}

/** Returns what says whether who runs is inside a call of an addon that somebody else is in, too. */
export function watchAddons(addons: Addons): () => boolean {
  let count = addons.updateAddons();
  const { dlopen } = process;
  // By all ways that there are: require(), import, process.dlopen().
  process.dlopen = function (this: unknown, ...args: Parameters<typeof dlopen>) {
    try {
      Reflect.apply(dlopen, this, args);
    } finally {
      count = addons.updateAddons();
    }
  };
  Object.defineProperty(process.dlopen, 'name', { value: 'dlopen' });
  return () => count > 0 && addons.sharesAddon();
}
