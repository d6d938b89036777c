// The one way through the house: each layer of core imports only from its left.
const layers = ['loop', 'hub', 'greenlet', 'sync', 'dns', 'net', 'system', 'server'];

const src = '^packages/core/src/';

const layerRules = layers.map((layer, index) => ({
  name: `core-layer-${layer}`,
  comment: `core/src/${layer} imports only from ${['errors.ts', 'own-code.ts', ...layers.slice(0, index + 1)].join(', ')}`,
  severity: 'error',
  from: { path: `${src}${layer}/` },
  to: {
    path: src,
    pathNot: `${src}((errors|own-code)\\.ts$|(${layers.slice(0, index + 1).join('|')})/)`,
  },
}));

// What package.json exports, each under its own name.
const publicEntries = [
  'errors',
  'index',
  '(dns|net|server)/index',
  'net/select',
  'system/(signal|subprocess|threadpool)',
].join('|');

// These stand beside the layers and use core as a user does.
const guestRules = ['monkey', 'testing'].map((guest) => ({
  name: `core-guest-${guest}`,
  comment: `core/src/${guest} imports only core's public entries, errors.ts, own-code.ts and itself`,
  severity: 'error',
  from: { path: `${src}${guest}/` },
  to: { path: src, pathNot: `${src}((${publicEntries}|own-code)\\.ts$|${guest}/)` },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'No import cycles; one that only types close is none at run time',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...layerRules,
    ...guestRules,
    {
      name: 'core-errors-leftmost',
      comment: 'errors.ts and own-code.ts are used by every layer, so they use none',
      severity: 'error',
      from: { path: `${src}(errors|own-code)\\.ts$` },
      to: { path: src, pathNot: `${src}own-code\\.ts$` },
    },
    {
      name: 'core-not-through-its-own-name',
      comment: 'Importing core by name from core would go round the layers',
      severity: 'error',
      from: { path: src },
      to: { path: '(^packages/core/dist/|^@tendril/core)' },
    },
    {
      name: 'fiber-knows-no-core',
      comment: 'fiber stands left of everything',
      severity: 'error',
      from: { path: '^packages/fiber/' },
      to: { path: '(^packages/core/|^@tendril/core)' },
    },
    {
      name: 'packages-by-name',
      comment: 'Another package is imported by its name, through its exports',
      severity: 'error',
      from: { path: '^((packages|examples)/[^/]+|benchmarks)/' },
      to: { path: '^packages/[^/]+/(src|lib|test)/', pathNot: '^$1/' },
    },
  ],
  options: {
    // Output is no source: it is where an import by package name arrives, and there it ends.
    doNotFollow: { path: '(node_modules|/dist/)' },
    exclude: { path: '(/\\.test-build/|^packages/fiber/build/)' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'default'],
    },
  },
};
