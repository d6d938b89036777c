// Many more children than descriptors allow at once (ulimit -n), which one after the other would all run.
import { execSync } from 'node:child_process';
import { run, spawn } from '@tendril/core';
import { patchAll } from '@tendril/core/monkey';

patchAll({ fs: false });
await run(() => {
  const crowd = Array.from({ length: Number(process.argv[2]) }, (_, i) =>
    spawn(() => {
      try {
        return Number(execSync(`sleep 0.5; echo ${i}`)) === i ? 'done' : 'wrong';
      } catch (error) {
        return error.code;
      }
    }),
  );
  const counts = {};
  for (const one of crowd) counts[one.get()] = (counts[one.get()] ?? 0) + 1;
  console.log(JSON.stringify(counts));
});
