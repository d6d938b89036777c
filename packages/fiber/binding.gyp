{
  'targets': [
    {
      'target_name': 'fiber',
      # Listed by Node, not by hand, so that a new file cannot be forgotten.
      'sources': [
        '<!@(node -p "require(\'fs\').readdirSync(\'src\', { recursive: true }).filter(f => f.endsWith(\'.cc\')).sort().map(f => \'src/\' + f).join(\'\\n\')")',
      ],
      'include_dirs': ['src'],
      # Node's common.gypi asks for -O3 and, before Node 24, for C++17: both are taken back here.
      'cflags!': ['-O3'],
      'cflags': [
        '-O2',
        '-fvisibility=hidden',
        '-Wall',
        '-Wextra',
        '-Wno-unused-parameter',
      ],
      'cflags_cc!': ['-std=gnu++17'],
      'cflags_cc': [
        '-std=gnu++20',
        '-fno-exceptions',
        '-fno-rtti',
        '-Wno-cast-function-type',
      ],
      # A Worker that alone had loaded the addon would take it along, with what it has found out about this
      # binary of Node: the next one would have to find it again, in memory full of the last one's remains.
      'ldflags': ['-Wl,-z,nodelete'],
      'configurations': {
        'Release': {
          'cflags!': ['-O3'],
        },
      },
      'conditions': [
        ['target_arch == "x64"', {
          # Some distributions turn shadow stacks and branch tracking on by default. Code that
          # swaps stacks must not carry the mark of a binary that is safe under them.
          'cflags': ['-fcf-protection=none'],
        }],
      ],
    },
  ],
}
